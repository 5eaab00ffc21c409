// Deploys under load through resident gateway processes: no identify, no lost event, and a bad version changes nothing.
import { expect, it } from 'vitest';
import { expectExactlyOnceInOrder, startResidentFleet } from './resident-fleet.js';

it('deploys repeatedly, also versions that crash, and every event is handled exactly once, in order', async () => {
	const fleet = await startResidentFleet({ shards: 8, guilds: 200, manager: { shardsPerWorker: 4 } });
	const upstream = () =>
		fleet.simulator.log.entries({}).filter(({ type }) => ['identify', 'resume', 'close'].includes(type)).length;
	const before = upstream();
	const stopTalking = fleet.keepTalking(500);
	const outcomes: string[] = [];
	for (let round = 1; round <= 20; round++) {
		const bad = round % 8 === 0 ? 'crash-at-ready' : 'crash-at-boot';
		fleet.version(round % 4 === 0 ? bad : '');
		outcomes.push(
			await fleet.manager.deploy({ parallel: 2, observeMs: 0 }).then(
				() => 'deployed',
				(error: unknown) => String((error as { code?: unknown }).code),
			),
		);
	}
	expect(outcomes).toEqual(Array.from({ length: 20 }, (_, index) => ((index + 1) % 4 === 0 ? 'WORKER_NOT_READY' : 'deployed')));
	stopTalking();
	const handled = await fleet.handledAll();
	expectExactlyOnceInOrder(handled);
	process.stderr.write(`the longest wait of ${handled.length} events: ${fleet.longestWaitMs(handled)} ms\n`);
	// On two busy cores, a few times the 1.5 s of a quiet machine.
	expect(fleet.longestWaitMs(handled)).toBeLessThan(8000);
	expect(upstream()).toBe(before);
	fleet.expectNoIdentifySinceStart();
	// A client that gets a heartbeat request at a bad moment treats its connection as dead.
	const reconnected = fleet.story.findIndex((line) => line.includes('reconnecting'));
	expect(reconnected === -1 ? [] : fleet.story.slice(Math.max(0, reconnected - 40), reconnected + 10)).toEqual([]);
	expect(new Set(handled.map(({ pid }) => pid)).size).toBe(2 + 15 * 2);
	expect(await fleet.totals()).toMatchObject({ lost: 0, repeated: 0, overflowed: 0 });
	await fleet.stop();
});
