// Bots that misuse what a manager grants them: the other workers and the manager keep working.
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { fixture, isWhole, startFleet } from './fleet.js';

it('finding 6: a worker that takes identify slots and never uses them delays the others only briefly', {
	timeout: 90_000,
}, async () => {
	const fleet = await startFleet({ file: fixture('discordjs-bot.cjs'), simulator: { shards: 2, maxConcurrency: 1 } });
	const expired: unknown[] = [];
	fleet.manager.on('identify:expired', (event) => expired.push(event));
	const greedy =
		"for (let i = 0; i < 20; i++) process.send(['@shardctl', 1, [0, 900000 + i, 'identify.acquire', { shardId: 0 }]]); return true";
	expect(await fleet.manager.broadcastEval(greedy, { shard: 0 })).toBe(true);
	const victim = fleet.pidOf(1);
	process.kill(victim, 'SIGKILL');
	await waitFor('another process that is ready', () => {
		const worker = fleet.manager.workers[1];
		return worker !== undefined && worker.epoch === 2 && isWhole(worker);
	});
	expect(fleet.pidOf(1)).not.toBe(victim);
	expect(expired[0]).toEqual({ workerId: 0, shardIds: [0], afterMs: 5000 });
	expect(fleet.manager.workers[0]?.epoch).toBe(1);
	await fleet.stop();
});
