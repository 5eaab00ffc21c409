// A fleet reshards itself when Discord recommends twice the sessions, and waits where Discord does not allow the session starts. The times
// of the watch are counted in identify windows, which are short here.
import { waitFor } from '@shardctl/test-support';
import type { ManagerStats } from 'shardctl';
import { expect, it } from 'vitest';
import { expectExactlyOnceInOrder, startResidentFleet } from './resident-fleet.js';

const totalShards = 8;
const identifyWindowMs = 20;

it('grows by itself when Discord recommends it, and waits until the session starts suffice', { timeout: 120_000 }, async () => {
	const fleet = await startResidentFleet({
		shards: 2,
		guilds: 40,
		manager: {
			totalShards,
			shardsPerWorker: 4,
			identifyWindowMs,
			reshard: 'auto',
			gateway: { mode: 'resident', sessions: 2, shardsPerGateway: totalShards, delivery: 'at-least-once' },
		},
		simulator: { identifyWindowMs, maxConcurrency: 16 },
	});
	const { manager, simulator } = fleet;
	const said: (NonNullable<ManagerStats['sizing']> & { identifies: number })[] = [];
	manager.on('fleet:sizing', (sizing) => said.push({ ...sizing, identifies: identifies() }));
	const pids = manager.workers.map(({ child }) => child.pid);
	const identifies = () => simulator.log.entries({ type: 'identify' }).length;
	const ended = async (sessions: number) => {
		const { reshard, sizing } = await manager.getStats();
		return reshard?.state === 'done' && reshard.to === sessions && sizing?.outgrown === false;
	};
	const atFirst = await waitFor('the first look', async () => (await manager.getStats()).sizing);
	expect(atFirst).toMatchObject({ sessions: 2, recommended: 2, outgrown: false, automatic: true });
	const stopTalking = fleet.keepTalking(100);

	simulator.faults.recommendShards(4);
	await waitFor('4 sessions', () => ended(4));
	expect(identifies()).toBe(2 + 4);
	expect(said).toMatchObject([
		{ outgrown: true, advised: 4, message: 'Discord recommends 4 sessions, and the fleet has 2' },
		{ outgrown: false, sessions: 4 },
	]);

	const resetAfterMs = 8000;
	const fewStarts = () => simulator.faults.sessionStarts({ total: 1000, remaining: 20, resetAfterMs });
	fewStarts();
	const askedAt = Date.now();
	simulator.faults.recommendShards(8);
	const isRefusal = ({ waitsFor }: (typeof said)[number]) => waitsFor?.includes('resharding needs 8 session starts');
	const refusal = await waitFor('the refusal', () => {
		const found = said.find(isRefusal);
		// They do not reset before it, however long that takes.
		if (!found) fewStarts();
		return found;
	});
	expect(refusal).toMatchObject({ outgrown: true, advised: 8, automatic: true, identifies: 6 });
	expect(refusal.nextTryAt).toBeGreaterThan(askedAt);
	expect(refusal.nextTryAt).toBeLessThanOrEqual(Date.now() + resetAfterMs);
	await waitFor('8 sessions', () => ended(8));
	expect(Date.now()).toBeGreaterThanOrEqual(refusal.nextTryAt ?? Number.POSITIVE_INFINITY);
	expect(identifies()).toBe(6 + 8);

	stopTalking();
	expectExactlyOnceInOrder(await fleet.handledAll());
	expect(manager.workers.map(({ child }) => child.pid)).toEqual(pids);
	expect(simulator.violations({ hardOnly: true })).toEqual([]);
	await fleet.stop();
});
