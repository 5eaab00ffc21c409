// Ten thousand concurrent calls against eight workers, one of which is killed every 200 ms: every call settles, with a value or
// a coded error, and nothing is left of any of them.
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createSimulator } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { createShardManager, type ShardManager } from 'shardctl';
import { expect, it, onTestFinished } from 'vitest';

const workers = 8;
const callers = 10_000;
/** It ends after this many kills, or, on a busy machine, after this time with the fewest that are still conclusive. */
const enoughKills = 20;
const fireMs = 10_000;
const fewestKills = 5;
const killEveryMs = 200;
/** The longest that a call takes by itself, so about 6,000 calls a second are made. */
const longestMs = 3000;

const allowedCodes = new Set([
	'CHANNEL_CLOSED',
	'WORKER_UNAVAILABLE',
	'CALL_TIMEOUT',
	'CALL_CANCELLED',
	'E_ASKED',
	'BROADCAST_FAILED',
]);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;
const heapBytes = () => {
	collectGarbage();
	return process.memoryUsage().heapUsed;
};

/** A generator of the same numbers for the same seed (mulberry32). */
function random(seed: number): () => number {
	let state = seed;
	return () => {
		state = (state + 0x6d2b79f5) | 0;
		let t = Math.imul(state ^ (state >>> 15), 1 | state);
		t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
		return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
	};
}

/** One call of some kind to some worker: its result, and the expected one. */
async function someCall(manager: ShardManager, next: () => number): Promise<{ answer: unknown; expected: unknown }> {
	const shard = Math.floor(next() * workers);
	// Not 0, which as a deadline means none.
	const ms = 1 + Math.floor(next() * longestMs);
	const kind = next();
	if (kind < 0.6) return { answer: await manager.call('later', [ms, ms], { shard }), expected: ms };
	if (kind < 0.8) {
		const script = (_: unknown, context: number) => new Promise((resolve) => setTimeout(resolve, context, context));
		return { answer: await manager.broadcastEval(script, { shard, context: ms }), expected: ms };
	}
	if (kind < 0.9) return { answer: await manager.call('never', [], { shard, timeoutMs: ms }), expected: 'no answer' };
	if (kind < 0.95) {
		return { answer: await manager.call('never', [], { shard, signal: AbortSignal.timeout(ms) }), expected: 'no answer' };
	}
	if (kind < 0.99) return { answer: await manager.call('fails', [], { shard }), expected: 'no answer' };
	return { answer: (await manager.call('later', [ms, ms], { settle: true })).length, expected: workers };
}

it('every call settles while workers are being killed, and nothing is left', async () => {
	const seed = Number(process.env.SHARDCTL_TEST_SEED ?? Date.now() % 2 ** 31);
	const next = random(seed);
	const simulator = await createSimulator({ guilds: 1 });
	const manager = createShardManager(fileURLToPath(new URL('fixtures/quick-bot.mjs', import.meta.url)), {
		api: simulator.url,
		token: simulator.token,
		totalShards: workers,
		control: false,
		logger: pino({ level: 'silent' }),
		silent: true,
		respawn: { initialDelayMs: 1, maxDelayMs: 50, maxRestarts: 10_000, windowMs: 1000 },
	});
	onTestFinished(async () => {
		await manager.stop({ graceMs: 2000 });
		await simulator.stop();
	});
	await manager.spawn();
	const pending = () => manager.workers.reduce((sum, { pendingCalls }) => sum + pendingCalls, 0);
	const before = heapBytes();

	const tally = new Map<string, number>();
	const count = (what: string) => tally.set(what, (tally.get(what) ?? 0) + 1);
	let mostPending = 0;
	let kills = 0;
	let end = Number.POSITIVE_INFINITY;
	const goesOn = () => kills < (performance.now() < end ? enoughKills : fewestKills);
	const caller = async () => {
		while (goesOn()) {
			await someCall(manager, next).then(
				({ answer, expected }) => {
					if (answer !== expected) throw new Error(`answered ${String(answer)} for ${String(expected)}`);
					count('value');
				},
				(error: { code?: string; message: string }) => {
					if (!allowedCodes.has(error.code ?? '')) throw error;
					count(error.code as string);
				},
			);
			// A caller that finds a worker dead does not ask again at once.
			await sleep(100);
		}
	};
	const killer = async () => {
		await waitFor('the calls to be in flight', () => pending() > callers / 2);
		end = performance.now() + fireMs;
		while (goesOn()) {
			await sleep(killEveryMs);
			mostPending = Math.max(mostPending, pending());
			const victim = manager.workers[Math.floor(next() * workers)];
			if (!victim?.child.pid) continue;
			process.kill(victim.child.pid, 'SIGKILL');
			kills++;
		}
	};
	await Promise.all([killer(), ...Array.from({ length: callers }, caller)]).catch((error: unknown) => {
		throw new Error(`with SHARDCTL_TEST_SEED=${seed}`, { cause: error });
	});

	// A heartbeat of the supervisor may be in flight at any moment.
	await waitFor('an empty table of pending calls', () => pending() === 0);
	expect(kills).toBeGreaterThanOrEqual(fewestKills);
	expect(mostPending).toBeGreaterThan(callers / 2);
	for (const expected of ['value', 'CHANNEL_CLOSED', 'CALL_TIMEOUT', 'CALL_CANCELLED', 'E_ASKED']) {
		expect(tally.get(expected) ?? 0, `${expected} of ${JSON.stringify([...tally])}`).toBeGreaterThan(0);
	}
	await waitFor('every worker to be ready again', () => manager.workers.every(({ child }) => child.state === 'ready'));
	expect(await manager.call('later', [1, 'well'])).toEqual(Array(workers).fill('well'));
	expect(heapBytes() - before).toBeLessThan(24 * 2 ** 20);
});
