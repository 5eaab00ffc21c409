import { fakeClock } from '@shardctl/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { arrivalMarginMs, type IdentifySlot, identifyWindowMs, LocalIdentifyCoordinator } from './coordinator.js';

const never = new AbortController().signal;

/** A coordinator on a fake clock, and a log of who was granted when. */
function setUp(maxConcurrency: number) {
	const clock = fakeClock();
	const coordinator = new LocalIdentifyCoordinator({ clock, maxConcurrency });
	const granted: { shardId: number; at: number; slot: IdentifySlot }[] = [];
	const ask = (shardId: number, signal = never) =>
		coordinator.acquire(shardId, signal).then((slot) => {
			granted.push({ shardId, at: clock.monotonic(), slot });
			return slot;
		});
	return { clock, coordinator, granted, ask };
}

describe('LocalIdentifyCoordinator', () => {
	it('starts one shard of each rate limit key at once, and the next of the key a window after READY', async () => {
		const { clock, granted, ask } = setUp(2);
		for (const shardId of [0, 1, 2, 3]) void ask(shardId);
		await clock.advance(0);
		expect(granted.map(({ shardId }) => shardId)).toEqual([0, 1]);
		for (const { slot } of granted.slice()) slot.sent();
		await clock.advance(30);
		for (const { slot } of granted.slice()) slot.confirmed();
		await clock.advance(identifyWindowMs - 1);
		expect(granted).toHaveLength(2);
		await clock.advance(1);
		expect(granted.map(({ shardId }) => shardId)).toEqual([0, 1, 2, 3]);
	});

	it('adds a margin to the window when READY does not come, because the packet may still be on its way', async () => {
		const { clock, granted, ask } = setUp(1);
		(await ask(0)).sent();
		void ask(1);
		await clock.advance(identifyWindowMs);
		expect(granted).toHaveLength(1);
		await clock.advance(arrivalMarginMs);
		expect(granted).toHaveLength(2);
	});

	it('serves the lowest waiting shard of a key first, whoever came first', async () => {
		const { clock, granted, ask } = setUp(1);
		const first = await ask(5);
		for (const shardId of [9, 2, 7]) void ask(shardId);
		first.release();
		await clock.advance(0);
		expect(granted.at(-1)?.shardId).toBe(2);
	});

	it('gives a slot that was released, or whose waiter left, to the next without a pause', async () => {
		const { clock, granted, ask } = setUp(1);
		const first = await ask(0);
		const leaving = new AbortController();
		const left = ask(1, leaving.signal);
		void ask(2);
		leaving.abort(new Error('changed its mind'));
		await expect(left).rejects.toThrow('changed its mind');
		first.release();
		await clock.advance(0);
		expect(granted.map(({ shardId }) => shardId)).toEqual([0, 2]);
	});

	it('counts the slot of a holder that died as spent just then', async () => {
		const { clock, granted, ask } = setUp(1);
		const first = await ask(0);
		void ask(1);
		await clock.advance(1000);
		first.abandon();
		await clock.advance(identifyWindowMs - 1);
		expect(granted).toHaveLength(1);
		await clock.advance(arrivalMarginMs + 1);
		expect(granted).toHaveLength(2);
	});

	it('tells each waiter when its turn comes at the latest', async () => {
		const { clock, coordinator, ask } = setUp(1);
		(await ask(0)).sent();
		void ask(2);
		void ask(1);
		await clock.advance(1000);
		expect(coordinator.waits()).toEqual([
			{ shardId: 1, etaMs: identifyWindowMs + arrivalMarginMs - 1000 },
			{ shardId: 2, etaMs: 2 * identifyWindowMs + arrivalMarginMs - 1000 },
		]);
	});

	it('waits out every open window when max_concurrency changes, and keeps everybody in line', async () => {
		const { clock, coordinator, granted, ask } = setUp(1);
		(await ask(0)).sent();
		for (const shardId of [1, 2, 3]) void ask(shardId);
		await clock.advance(1000);
		coordinator.setMaxConcurrency(16);
		await clock.advance(identifyWindowMs + arrivalMarginMs - 1001);
		expect(granted).toHaveLength(1);
		await clock.advance(1);
		expect(granted.map(({ shardId }) => shardId)).toEqual([0, 1, 2, 3]);
	});

	it('refuses a signal that was aborted before', async () => {
		const { ask, clock } = setUp(1);
		await expect(ask(0, AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
		expect(clock.pendingTimers()).toBe(0);
	});

	it('never has two identifies of one key in a window, whoever comes, dies, cancels, or sets the clock', async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.integer({ min: 1, max: 4 }),
				fc.array(
					fc.record({
						kind: fc.constantFrom(
							'ask',
							'sent',
							'confirmed',
							'release',
							'abandon',
							'cancel',
							'wait',
							'clock step',
							'new concurrency',
						),
						shardId: fc.nat(11),
						ms: fc.integer({ min: 0, max: 6000 }),
					}),
					{ minLength: 20, maxLength: 120 },
				),
				async (maxConcurrency, events) => {
					const { clock, coordinator, granted, ask } = setUp(maxConcurrency);
					const sends: Send[] = [];
					const keysAtGrant = new Map<IdentifySlot, { generation: number; key: number }>();
					let generation = 0;
					const open: IdentifySlot[] = [];
					const cancels: AbortController[] = [];
					let concurrency = maxConcurrency;
					let taken = 0;
					const takeGrants = async () => {
						await clock.advance(0);
						for (; taken < granted.length; taken++) {
							const { slot } = granted[taken] as { slot: IdentifySlot };
							open.push(slot);
							keysAtGrant.set(slot, { generation, key: slot.shardId % concurrency });
						}
					};
					const noteSend = (slot: IdentifySlot) => {
						sends.push({ at: clock.monotonic(), ...(keysAtGrant.get(slot) as { generation: number; key: number }) });
					};
					for (const { kind, shardId, ms } of events) {
						await takeGrants();
						const slot = open.length > 0 ? (open[shardId % open.length] as IdentifySlot) : undefined;
						const finish = () => open.splice(open.indexOf(slot as IdentifySlot), 1);
						switch (kind) {
							case 'ask': {
								const cancel = new AbortController();
								cancels.push(cancel);
								ask(shardId, cancel.signal).catch(() => {});
								break;
							}
							case 'sent':
							case 'abandon':
								// A holder that died may have sent at the last moment.
								if (!slot) break;
								noteSend(slot);
								slot[kind]();
								finish();
								if (kind === 'sent') await clock.advance(Math.min(ms, 300));
								if (kind === 'sent') slot.confirmed();
								break;
							case 'confirmed':
								if (!slot) break;
								noteSend(slot);
								slot.confirmed();
								finish();
								break;
							case 'release':
								if (slot) finish();
								slot?.release();
								break;
							case 'cancel':
								cancels[ms % Math.max(1, cancels.length)]?.abort(new Error('cancelled'));
								break;
							case 'wait':
								await clock.advance(ms);
								break;
							case 'clock step':
								clock.setNow(clock.now() + (ms - 3000) * 1000);
								break;
							case 'new concurrency':
								if (concurrency !== 1 + (shardId % 4)) generation++;
								concurrency = 1 + (shardId % 4);
								coordinator.setMaxConcurrency(concurrency);
								break;
						}
					}
					expectApart(sends);
					for (const cancel of cancels) cancel.abort(new Error('end'));
				},
			),
			{ numRuns: 300 },
		);
	});
});

/** One IDENTIFY: when, and under which key (and which reading of the keys) it was granted. */
interface Send {
	at: number;
	generation: number;
	key: number;
}

function expectApart(sends: readonly Send[]): void {
	for (const [index, later] of sends.entries()) {
		for (const earlier of sends.slice(0, index)) {
			if (later.at - earlier.at >= identifyWindowMs) continue;
			expect(later.generation, 'keys of two readings in one window').toBe(earlier.generation);
			expect(later.key, 'two identifies of one key in one window').not.toBe(earlier.key);
		}
	}
}
