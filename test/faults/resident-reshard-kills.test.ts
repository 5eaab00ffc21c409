// A fleet is resharded again and again, and a process of it is killed at a random moment each time: a worker, the gateway process, the
// manager, which is then started again. No event is lost; some are handled twice, as after any crash (at-least-once), and those are counted.
// Two kills of one kind as a rule, because each takes 5 to 15 s; SHARDCTL_RESHARD_KILLS sets more, of every kind. The simulation in
// packages/gateway/test/reshard-kills.test.ts tries many more. SHARDCTL_RESHARD_SEED repeats the moments.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import { createControlClient } from 'shardctl';
import { expect, it, onTestFinished, vi } from 'vitest';
import { fixture } from './fleet.js';
import { seeded } from './random.js';
import { expectExactlyOnceInOrder, withoutRepeats } from './resident-fleet.js';

const { SHARDCTL_RESHARD_KILLS: wanted, SHARDCTL_RESHARD_SEED: given } = process.env;
const kills = Number(wanted ?? 2);
const seed = Number(given ?? (wanted === undefined ? 15 : Date.now() % 1e6));
const victims = ['worker', 'gateway', 'manager'] as const;
const perSecond = 100;
/** About how long a resharding takes here: the moment of a kill is within it, or a little behind. */
const takesMs = 3500;

interface Target {
	sessions?: number;
	shards?: number;
}

async function startFleet() {
	const simulator = await createSimulator({
		guilds: 60,
		shards: 4,
		guildSizes: { min: 2, max: 5 },
		maxConcurrency: 16,
		identifyWindowMs: 50,
	});
	onTestFinished(() => simulator.stop());
	const cli = cliSandbox();
	const folder = tempDir();
	const [config, handledFile] = [join(folder, 'shardctl.config.json'), join(folder, 'handled')];
	writeFileSync(handledFile, '');
	writeFileSync(
		config,
		JSON.stringify({
			name: 'fleet',
			file: fixture('counting-bot.cjs'),
			totalShards: 8,
			shardsPerWorker: 4,
			identifyWindowMs: 50,
			respawn: { initialDelayMs: 1, maxDelayMs: 1, maxRestarts: 1000 },
			gateway: { mode: 'resident', sessions: 2, shardsPerGateway: 8, delivery: 'at-least-once' },
		}),
	);
	vi.stubEnv('SHARDCTL_STATE_DIR', cli.stateDir);
	onTestFinished(() => void vi.unstubAllEnvs());
	const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url, HANDLED: handledFile, MODE: join(folder, 'mode') };
	const start = async () => {
		const run = cli.run(['start', '--config', config, '--log-format', 'json'], { env });
		await run.message(/^fleet ready/);
		return run;
	};
	let run = await start();
	const client = createControlClient('fleet', { timeoutMs: 10_000 });
	const pidOf = {
		worker: async () => (await client.stats()).workers[0]?.pid,
		gateway: async () => (await client.stats()).gateways?.[0]?.pid,
		manager: async () => run.pid,
	};
	return {
		simulator,
		client,
		handled: () =>
			readFileSync(handledFile, 'utf8')
				.split('\n')
				.filter(Boolean)
				.map((line) => {
					const [guildId = '', number, pid, at] = line.split(' ');
					return { guildId, number: Number(number), pid: Number(pid), at: Number(at) };
				}),
		/** Ends a process as the kernel does; the next one of it is there, or is being started. */
		async kill(victim: (typeof victims)[number]) {
			const pid = await pidOf[victim]();
			// It is being started.
			if (typeof pid !== 'number') return;
			process.kill(pid, 'SIGKILL');
			if (victim !== 'manager') return;
			await run.exit;
			run = await start();
		},
		/** Resolves when every session, and the shards of the workers, are of these counts. */
		async reached(target: Target) {
			let refusal: unknown;
			const whole = async () => {
				const stats = await client.stats().catch(() => undefined);
				const present = stats?.gateways?.flatMap((gateway) => gateway.sessions) ?? [];
				const { sessions = present[0]?.of, shards = stats?.manager.totalShards } = target;
				const isReached = present.length === sessions && present.every(({ of, status }) => of === sessions && status === 'ready');
				if (isReached && stats?.manager.totalShards === shards && stats?.manager.status === 'running') return true;
				// It had not begun when the manager was killed, or has ended on the way.
				if (stats && stats.reshard?.state !== 'running') {
					await client.reshard(target).catch((error: unknown) => {
						refusal = error;
					});
				}
				return false;
			};
			await waitFor(JSON.stringify(target), whole, { timeoutMs: 60_000, everyMs: 100 }).catch(async (error: unknown) => {
				const lines = run
					.stdout()
					.split('\n')
					.slice(-40)
					.map((line) => line.slice(0, 300));
				throw new Error(
					[`the last refusal: ${String(refusal)}`, JSON.stringify((await client.stats()).reshard), ...lines].join('\n'),
					{
						cause: error,
					},
				);
			});
		},
		async stop() {
			await client.stop();
			expect(await run.exit).toBe(0);
		},
	};
}

const targets: Record<string, Target[]> = {
	sessions: [{ sessions: 4 }, { sessions: 8 }, { sessions: 2 }],
	shards: [{ shards: 16 }, { shards: 8 }],
	'sessions and shards': [
		{ sessions: 4, shards: 16 },
		{ sessions: 2, shards: 8 },
	],
};

it.each(wanted === undefined ? ['sessions'] : Object.keys(targets))(
	`loses no event when ${kills} processes are killed while the %s of a fleet are replaced (seed ${seed})`,
	{
		timeout: 60_000 + 90_000 * kills,
	},
	async (what) => {
		const random = seeded(seed);
		const fleet = await startFleet();
		const { simulator } = fleet;
		const guildIds = [...simulator.world.guilds.ids({ id: 0, count: 1 })];
		let sent = 0;
		const startedAt = performance.now();
		const timer = setInterval(() => {
			for (const due = ((performance.now() - startedAt) / 1000) * perSecond; sent < due; sent++) {
				const guildId = guildIds[sent % guildIds.length] as string;
				simulator.emit('MESSAGE_CREATE', { content: String(Math.floor(sent / guildIds.length) + 1) }, { guildId });
			}
		}, 10);
		onTestFinished(() => clearInterval(timer));

		for (let count = 0; count < kills; count++) {
			const among = targets[what] as Target[];
			const target = among[count % among.length] as Target;
			const victim = victims[random.below(victims.length)] as (typeof victims)[number];
			// It rejects where the manager is killed.
			const resharded = fleet.client.reshard(target).catch(() => {});
			await sleep(random.below(takesMs));
			await fleet.kill(victim);
			await resharded;
			await fleet.reached(target);
		}
		clearInterval(timer);
		const all = () => withoutRepeats(fleet.handled()).length >= sent;
		await waitFor(`${sent} messages to be handled`, all, { timeoutMs: 60_000 });
		const handled = fleet.handled();
		expectExactlyOnceInOrder(withoutRepeats(handled));
		process.stderr.write(
			`notice: ${handled.length - sent} of ${sent} events were handled twice after ${kills} kills (seed ${seed})\n`,
		);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
		await fleet.stop();
	},
);
