// The manager is killed after the shard count of the workers has changed, and with it the number of sessions: the next one continues with
// the new counts and with every event.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import { createControlClient } from 'shardctl';
import { expect, it, onTestFinished, vi } from 'vitest';
import { fixture } from './fleet.js';

it('continues with the new shard count under the next manager, and with the old one after a stop', {
	timeout: 120_000,
}, async () => {
	const simulator = await createSimulator({
		guilds: 16,
		shards: 2,
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
			totalShards: 2,
			shardsPerWorker: 2,
			identifyWindowMs: 50,
			gateway: { mode: 'resident', sessions: 2, delivery: 'at-least-once' },
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
	const client = createControlClient('fleet', { timeoutMs: 10_000 });
	const guildIds = [...simulator.world.guilds.ids({ id: 0, count: 1 })];
	const say = (number: number) => {
		for (const guildId of guildIds) simulator.emit('MESSAGE_CREATE', { content: String(number) }, { guildId });
	};
	const handled = () => readFileSync(handledFile, 'utf8').split('\n').filter(Boolean);
	const handledOnce = (numbers: number) =>
		waitFor(
			'every message',
			() => new Set(handled().map((line) => line.split(' ', 2).join(' '))).size === numbers * guildIds.length,
		);
	const counts = async () => {
		const { manager, gateways = [] } = await client.stats();
		return [manager.totalShards, gateways.flatMap(({ sessions }) => sessions.map(({ id, of }) => [id, of]))];
	};

	const first = await start();
	say(1);
	const reshard = async (...args: string[]) => {
		const run = cli.run(['reshard', ...args, '--name', 'fleet'], { env });
		return [await run.exit, run.stdout() + run.stderr()];
	};
	expect(await reshard('4')).toEqual([2, expect.stringContaining('"shardctl reshard 4 --shards 4"')]);
	expect(await reshard('4', '--shards', '4')).toEqual([
		0,
		expect.stringMatching(
			/from 2 to 4 sessions and from 2 to 4 shards in .* s with 4 session starts;.*\n.*--shards 4 --gateway-sessions 4/,
		),
	]);
	say(2);
	await handledOnce(2);
	process.kill(first.pid, 'SIGKILL');
	say(3);
	await first.exit;
	const second = await start();
	expect(await counts()).toEqual([
		4,
		[
			[0, 4],
			[1, 4],
			[2, 4],
			[3, 4],
		],
	]);
	say(4);
	await handledOnce(4);
	expect(simulator.log.entries({ type: 'identify' })).toHaveLength(2 + 4);
	await client.stop();
	expect(await second.exit).toBe(0);

	// It begins with its options, and with nothing of what was saved before.
	const third = await start();
	expect((await counts())[0]).toBe(2);
	say(5);
	await handledOnce(5);
	await client.stop();
	expect(await third.exit).toBe(0);
	expect(simulator.violations({ hardOnly: true })).toEqual([]);
});
