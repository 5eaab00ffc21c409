// What every coordinator must do, whether it keeps its state in memory or in a store that several managers share. An implementation
// runs it from its own test file.

import {
	arrivalMarginMs,
	type IdentifyCoordinator,
	type IdentifyGrant,
	type IdentifySlot,
	identifyWindowMs,
	type SessionStartLimit,
} from '@shardctl/core';
import type { FakeClock } from '@shardctl/test-support';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

/** One bot's coordination, as several managers see it. */
export interface CoordinatorHarness {
	clock: FakeClock;
	/** Connects one more holder. An in-memory implementation has one coordinator for all of them. */
	connect(): Promise<IdentifyCoordinator>;
}

const never = new AbortController().signal;
const plenty: SessionStartLimit = { total: 1_000_000, remaining: 1_000_000, reset_after: 86_400_000, max_concurrency: 1 };

export function identifyCoordinatorContract(
	name: string,
	open: (options: { reserve: number }) => Promise<CoordinatorHarness>,
	/** Of each property. */
	{ runs = 300 }: { runs?: number } = {},
): void {
	/** Two holders that have the same response of Discord, and a log of the grants with their times. */
	async function setUp(limit: Partial<SessionStartLimit> = {}, reserve = 0) {
		const { clock, connect } = await open({ reserve });
		const coordinator = await connect();
		const holders = [coordinator, await connect()] as const;
		const update = (changed: Partial<SessionStartLimit>) => coordinator.update({ ...plenty, ...limit, ...changed });
		await update({});
		const granted: { shardId: number; at: number; slot: IdentifySlot }[] = [];
		const refused: { shardId: number; retryInMs: number; resetAt: number }[] = [];
		const request = async (
			shardId: number,
			{ signal = never, automatic = false, holder = 0 as 0 | 1 } = {},
		): Promise<IdentifyGrant> => {
			const grant = await holders[holder].acquire({ shardId, automatic }, signal);
			if (grant.allowed) granted.push({ shardId, at: clock.monotonic(), slot: grant.slot });
			else refused.push({ shardId, retryInMs: grant.retryInMs, resetAt: grant.resetAt });
			return grant;
		};
		/** For a request that must be granted. */
		const ask = async (shardId: number, signal = never): Promise<IdentifySlot> => {
			const grant = await request(shardId, { signal });
			if (!grant.allowed) throw new Error(`the budget refused shard ${shardId}`);
			return grant.slot;
		};
		return { clock, coordinator, holders, update, granted, refused, request, ask };
	}

	describe(`${name}: identify slots`, () => {
		it('starts one shard of each rate limit key at once, and the next of the key a window after READY', async () => {
			const { clock, granted, ask } = await setUp({ max_concurrency: 2 });
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
			const { clock, granted, ask } = await setUp();
			(await ask(0)).sent();
			void ask(1);
			await clock.advance(identifyWindowMs);
			expect(granted).toHaveLength(1);
			await clock.advance(arrivalMarginMs);
			expect(granted).toHaveLength(2);
		});

		it('serves the lowest waiting shard of a key first, in whatever order the requests arrived', async () => {
			const { clock, granted, ask } = await setUp();
			const first = await ask(5);
			for (const shardId of [9, 2, 7]) void ask(shardId);
			first.release();
			await clock.advance(0);
			expect(granted.at(-1)?.shardId).toBe(2);
		});

		it('finding 6: serves a shard that had a slot after those that had none, however often it asks', async () => {
			const { clock, granted, ask } = await setUp();
			(await ask(0)).sent();
			for (const shardId of [0, 2, 1]) void ask(shardId);
			for (let round = 0; round < 3; round++) {
				await clock.advance(identifyWindowMs + arrivalMarginMs);
				granted.at(-1)?.slot.sent();
			}
			expect(granted.map(({ shardId }) => shardId)).toEqual([0, 1, 2, 0]);
		});

		it('gives a slot that was released, or whose waiter aborted, to the next without a pause', async () => {
			const { clock, granted, ask } = await setUp();
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

		it('counts the slot of a holder that exited as spent at that time', async () => {
			const { clock, granted, ask } = await setUp();
			const first = await ask(0);
			void ask(1);
			await clock.advance(1000);
			first.abandon();
			await clock.advance(identifyWindowMs - 1);
			expect(granted).toHaveLength(1);
			await clock.advance(arrivalMarginMs + 1);
			expect(granted).toHaveLength(2);
		});

		it('reports when each request gets its slot at the latest', async () => {
			const { clock, coordinator, ask } = await setUp();
			(await ask(0)).sent();
			void ask(2);
			void ask(1);
			await clock.advance(1000);
			expect(coordinator.waits()).toEqual([
				{ shardId: 1, etaMs: identifyWindowMs + arrivalMarginMs - 1000 },
				{ shardId: 2, etaMs: 2 * identifyWindowMs + arrivalMarginMs - 1000 },
			]);
		});

		it('waits out every open window when max_concurrency changes, and keeps every request in the queue', async () => {
			const { clock, update, granted, ask } = await setUp();
			(await ask(0)).sent();
			for (const shardId of [1, 2, 3]) void ask(shardId);
			await clock.advance(1000);
			await update({ max_concurrency: 16 });
			await clock.advance(identifyWindowMs + arrivalMarginMs - 1001);
			expect(granted).toHaveLength(1);
			await clock.advance(1);
			expect(granted.map(({ shardId }) => shardId)).toEqual([0, 1, 2, 3]);
		});

		it('rejects a signal that was already aborted', async () => {
			const { ask, clock } = await setUp();
			await expect(ask(0, AbortSignal.abort(new Error('late')))).rejects.toThrow('late');
			expect(clock.pendingTimers()).toBe(0);
		});

		it('never allows two identifies of one key in a window, however holders ask, exit, cancel and set the clock', async () => {
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
						const { clock, update, granted, request } = await setUp({ max_concurrency: maxConcurrency });
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
									request(shardId, { signal: cancel.signal, holder: ms % 2 === 0 ? 0 : 1 }).catch(() => {});
									break;
								}
								case 'sent':
								case 'abandon':
									// A holder that exited may have sent at the last moment.
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
									await update({ max_concurrency: concurrency });
									break;
							}
						}
						expectApart(sends);
						for (const cancel of cancels) cancel.abort(new Error('end'));
					},
				),
				{ numRuns: runs },
			);
		});

		it('grants nothing before it has a response of Discord', async () => {
			const { clock, connect } = await open({ reserve: 0 });
			const coordinator = await connect();
			let grants = 0;
			void coordinator.acquire({ shardId: 0, automatic: false }, never).then(() => grants++);
			const leaving = new AbortController();
			const left = coordinator.acquire({ shardId: 1, automatic: false }, leaving.signal);
			leaving.abort(new Error('changed its mind'));
			await expect(left).rejects.toThrow('changed its mind');
			await clock.advance(60_000);
			expect(grants).toBe(0);
			await coordinator.update(plenty);
			await clock.advance(0);
			expect(grants).toBe(1);
		});
	});

	describe(`${name}: the budget of the day`, () => {
		const limit = { total: 1000, remaining: 3, reset_after: 60_000, max_concurrency: 16 };

		it('charges one session start with each slot, for all holders', async () => {
			const { clock, holders, refused, request } = await setUp(limit);
			await request(0, { holder: 0 });
			await request(1, { holder: 1 });
			await clock.advance(0);
			expect(holders.map((holder) => holder.budget().remaining)).toEqual([1, 1]);
			await Promise.all([request(2, { holder: 0 }), request(3, { holder: 1 })]);
			expect(refused).toEqual([{ shardId: expect.any(Number), retryInMs: 60_000, resetAt: clock.now() + 60_000 }]);
			expect(holders[1].budget()).toMatchObject({ total: 1000, remaining: 0, maxConcurrency: 16, resetAt: clock.now() + 60_000 });
		});

		it('keeps the reserve for starts that a user requested, and rejects others without using the slot', async () => {
			const { coordinator, granted, refused, request } = await setUp({ ...limit, remaining: 11 }, 10);
			await request(0, { automatic: true });
			await request(1, { automatic: true });
			await request(1);
			expect(granted.map(({ shardId }) => shardId)).toEqual([0, 1]);
			expect(refused.map(({ shardId }) => shardId)).toEqual([1]);
			expect(await coordinator.check(1, { automatic: true })).toMatchObject({ allowed: false });
			expect(await coordinator.check(9, { automatic: false })).toEqual({ allowed: true });
			expect(await coordinator.check(10, { automatic: false })).toMatchObject({ allowed: false });
		});

		it('rejects at the turn of a request, and gives the slot to the next one', async () => {
			const { clock, granted, refused, request, ask } = await setUp({ ...limit, remaining: 12, max_concurrency: 1 }, 10);
			(await ask(0)).sent();
			for (const shardId of [1, 2]) void request(shardId, { automatic: true });
			void request(3);
			await clock.advance(identifyWindowMs + arrivalMarginMs);
			expect(granted.at(-1)).toMatchObject({ shardId: 1 });
			granted.at(-1)?.slot.sent();
			await clock.advance(identifyWindowMs + arrivalMarginMs);
			expect(refused.map(({ shardId }) => shardId)).toEqual([2]);
			expect(granted.map(({ shardId }) => shardId)).toEqual([0, 1, 3]);
		});

		it('refunds a session start with an unused slot, and keeps those that were or may have been used', async () => {
			const { clock, coordinator, ask } = await setUp({ ...limit, remaining: 10 });
			const [unused, used, lost] = [await ask(0), await ask(1), await ask(2)];
			unused.release();
			used.sent();
			used.release();
			lost.abandon();
			lost.release();
			await clock.advance(0);
			expect(coordinator.budget().remaining).toBe(8);
		});

		it('keeps unsent slots charged after a refresh, because Discord does not know of them', async () => {
			const { coordinator, update, ask } = await setUp({ ...limit, remaining: 10 });
			const slot = await ask(0);
			(await ask(1)).sent();
			await update({ remaining: 9 });
			expect(coordinator.budget().remaining).toBe(8);
			slot.sent();
			await update({ remaining: 8 });
			expect(coordinator.budget().remaining).toBe(8);
		});

		it('is full again when the day resets, also when the wall clock is set', async () => {
			const { clock, coordinator, update } = await setUp({ ...limit, remaining: 0 });
			clock.setNow(clock.now() + 86_400_000);
			expect(await coordinator.check(1, { automatic: false })).toMatchObject({ allowed: false, retryInMs: 60_000 });
			await clock.advance(60_000);
			expect(await coordinator.check(1000, { automatic: false })).toEqual({ allowed: true });
			await update({ remaining: 5, reset_after: 0 });
			expect(await coordinator.check(6, { automatic: false })).toMatchObject({ allowed: false });
		});

		it('never allows more session starts than Discord has left, however holders ask, exit and refresh in between', async () => {
			const step = fc.record({
				kind: fc.constantFrom('person', 'automatic', 'sent', 'abandon', 'release', 'update', 'wait'),
				number: fc.nat(15),
			});
			const steps = fc.array(step, { minLength: 20, maxLength: 100 });
			await fc.assert(
				fc.asyncProperty(fc.integer({ min: 0, max: 12 }), steps, async (remaining, events) => {
					const reserve = 4;
					const { clock, update, granted, request } = await setUp({ ...limit, remaining, reset_after: 86_400_000 }, reserve);
					const automatic = new Map<number, boolean>();
					const held: IdentifySlot[] = [];
					let discordHas = remaining;
					let taken = 0;
					/** Each shard asks once, so a grant identifies the kind of its request. */
					let lastShard = 0;
					for (const { kind, number } of events) {
						const slot = held[number % Math.max(1, held.length)];
						switch (kind) {
							case 'person':
							case 'automatic':
								automatic.set(++lastShard, kind === 'automatic');
								void request(lastShard, { automatic: kind === 'automatic', holder: number % 2 === 0 ? 0 : 1 });
								break;
							case 'update':
								await update({ remaining: discordHas });
								break;
							case 'wait':
								await clock.advance(number * 500);
								break;
							case 'sent':
							case 'abandon':
							case 'release':
								if (!slot) break;
								held.splice(held.indexOf(slot), 1);
								if (kind !== 'release') discordHas--;
								slot[kind]();
						}
						await clock.advance(0);
						for (; taken < granted.length; taken++) {
							const { shardId, slot: next } = granted[taken] as { shardId: number; slot: IdentifySlot };
							held.push(next);
							const floor = automatic.get(shardId) ? reserve : 0;
							expect(discordHas - held.length, `left after the grant of shard ${shardId}`).toBeGreaterThanOrEqual(floor);
						}
					}
				}),
				{ numRuns: runs },
			);
		});
	});
}

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
