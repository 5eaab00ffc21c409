import { EventEmitter } from 'node:events';
import type { IdentifySlot } from '@shardctl/core';
import { expect, it } from 'vitest';
import { SlotHolder } from './slot-holder.js';

/** A holder whose slots write down what becomes of them. */
function holder({ grant = Promise.resolve() }: { grant?: Promise<void> } = {}) {
	const log: string[] = [];
	const reports = new EventEmitter();
	let lastId = 10;
	const slots = new SlotHolder({
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
	return { slots, reports, log };
}

const never = () => new AbortController().signal;

it('passes on what the process reports of its slots, each report once', async () => {
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

it('abandons what a process that is gone had, and nothing that it had reported to its end', async () => {
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

it('releases a slot that was granted when nobody waited for it any more', async () => {
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
