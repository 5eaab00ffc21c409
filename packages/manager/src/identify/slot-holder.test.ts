import { EventEmitter } from 'node:events';
import type { IdentifySlot } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { SlotHolder } from './slot-holder.js';

/** A holder whose slots record their outcome. */
function holder({ grant = Promise.resolve() }: { grant?: Promise<void> } = {}) {
	const log: string[] = [];
	const reports = new EventEmitter();
	let lastId = 10;
	const clock = fakeClock();
	const slots = new SlotHolder({
		clock,
		onExpired: ({ id }, leaseMs) => log.push(`${id} expired after ${leaseMs}`),
		async acquire(shardId) {
			await grant;
			const id = ++lastId;
			const note = (what: string) => () => void log.push(`${id} ${what}`);
			const slot: IdentifySlot = {
				id,
				shardId,
				sent: note('sent'),
				confirmed: note('confirmed'),
				release: note('released'),
				abandon: note('abandoned'),
			};
			return slot;
		},
		onSent: ({ id, shardId }) => log.push(`${id} counted for ${shardId}`),
	});
	slots.follow(reports);
	return { slots, reports, log, clock };
}

const never = () => new AbortController().signal;

it('passes on the reports of the process about its slots, each once', async () => {
	const { slots, reports, log } = holder();
	const first = await slots.acquire(3, never());
	const second = await slots.acquire(4, never());
	reports.emit('identify.sent', first);
	reports.emit('identify.confirmed', first);
	reports.emit('identify.confirmed', first);
	reports.emit('identify.released', second);
	reports.emit('identify.released', second);
	expect(log).toEqual(['11 sent', '11 counted for 3', '11 confirmed', '12 released']);
});

it('ignores reports of slots that the process does not have', () => {
	const { reports, log } = holder();
	for (const event of ['sent', 'confirmed', 'released']) reports.emit(`identify.${event}`, { slotId: 99 });
	expect(log).toEqual([]);
});

it('abandons the open slots of a process that is gone, and none that it had reported to the end', async () => {
	const { slots, reports, log } = holder();
	const [confirmed, sent] = [await slots.acquire(0, never()), await slots.acquire(1, never())];
	await slots.acquire(2, never());
	for (const slot of [confirmed, sent]) reports.emit('identify.sent', slot);
	reports.emit('identify.confirmed', confirmed);
	log.length = 0;
	slots.abandonAll();
	slots.abandonAll();
	expect(log).toEqual(['12 abandoned', '13 abandoned']);
});

it('releases a slot that was granted after its request was cancelled', async () => {
	const abort = new AbortController();
	let grant = () => {};
	const { slots, log } = holder({
		grant: new Promise((resolve) => {
			grant = resolve;
		}),
	});
	const acquired = slots.acquire(0, abort.signal);
	abort.abort(new Error('cancelled'));
	grant();
	await expect(acquired).rejects.toThrow('cancelled');
	expect(log).toEqual(['11 released']);
});

it('finding 6: counts an unreported slot as used after half a minute, and grants the next request', async () => {
	const { slots, reports, log, clock } = holder();
	const first = await slots.acquire(3, never());
	const second = slots.acquire(3, never());
	await clock.advance(29_000);
	expect(log).toEqual([]);
	await clock.advance(1100);
	expect(log).toEqual(['11 abandoned', '11 expired after 30000']);
	await clock.advance(60_000);
	expect(log).toHaveLength(4);
	// Late, but a session start all the same.
	reports.emit('identify.sent', await second);
	expect(first).not.toEqual(await second);
	expect(log.at(-1)).toBe('12 counted for 3');
});

it('finding 6: does not expire a slot that is reported in time', async () => {
	const { slots, reports, log, clock } = holder();
	const [sent, released, confirmed] = [
		await slots.acquire(0, never()),
		await slots.acquire(1, never()),
		await slots.acquire(2, never()),
	];
	reports.emit('identify.sent', sent);
	reports.emit('identify.released', released);
	reports.emit('identify.confirmed', confirmed);
	await clock.advance(120_000);
	expect(log.filter((line) => line.includes('expired'))).toEqual([]);
	slots.abandonAll();
	await clock.advance(120_000);
	expect(log.filter((line) => line.includes('expired'))).toEqual([]);
});

it('finding 6: grants one slot at a time for each shard, and queues few requests for it', async () => {
	const { slots, reports, log } = holder();
	const first = await slots.acquire(3, never());
	const [second, third] = [slots.acquire(3, never()), slots.acquire(3, never())];
	const waiting = [slots.acquire(3, never()), slots.acquire(3, never())];
	await expect(slots.acquire(3, never())).rejects.toMatchObject({ code: 'CALL_LIMIT' });
	expect(await slots.acquire(4, never())).toEqual({ slotId: 12 });
	reports.emit('identify.sent', first);
	expect(await second).toEqual({ slotId: 13 });
	reports.emit('identify.released', await second);
	expect(await third).toEqual({ slotId: 14 });
	expect(log).toEqual(['11 sent', '11 counted for 3', '13 released']);
	slots.abandonAll();
	await waiting[0];
	slots.abandonAll();
	await waiting[1];
});

it('finding 6: keeps the order of the queue when a request in it is cancelled', async () => {
	const { slots, reports } = holder();
	const first = await slots.acquire(3, never());
	const cancelled = new AbortController();
	const second = slots.acquire(3, cancelled.signal);
	const third = slots.acquire(3, never());
	cancelled.abort(new Error('no longer wanted'));
	await expect(second).rejects.toThrow('no longer wanted');
	let granted = false;
	void third.then(() => {
		granted = true;
	});
	await new Promise((resolve) => setImmediate(resolve));
	expect(granted).toBe(false);
	reports.emit('identify.sent', first);
	expect(await third).toEqual({ slotId: 12 });
});
