import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Positions } from './positions.js';

const bytes = 10;

/** A log as the owner of positions keeps it: the offsets that have not been released, with gaps. */
class Model {
	readonly positions = new Positions();
	readonly log: number[] = [];

	arrive(gap: number, isEvent: boolean): void {
		const offset = this.positions.newest + gap;
		this.positions.arrive(offset);
		if (isEvent) this.log.push(offset);
		// What the consumer already has is released at once.
		if (offset <= this.positions.sent) this.commit(this.positions.sent);
	}

	send(isWanted: boolean): void {
		const next = this.log.find((offset) => offset > this.positions.sent);
		if (next === undefined) return;
		this.positions.send(next, bytes);
		if (isWanted) this.positions.deliver();
	}

	commit(through: number): void {
		while (this.log[0] !== undefined && this.log[0] <= through) this.passOldest();
		this.positions.settle(through);
	}

	passOldest(): void {
		const oldest = this.log.shift();
		if (oldest !== undefined) this.positions.pass(oldest, bytes);
	}

	rewind(position: number): void {
		const events = this.log.filter((offset) => offset <= position).length;
		this.positions.rewind(position, { events, bytes: events * bytes });
	}
}

const between = (low: number, high: number, part: number) => Math.round(low + (high - low) * part);
const part = fc.double({ min: 0, max: 1, noNaN: true });

const step = fc.oneof(
	fc.record({ name: fc.constant('arrive' as const), gap: fc.integer({ min: 1, max: 5 }), isEvent: fc.boolean() }),
	fc.record({ name: fc.constant('send' as const), isWanted: fc.boolean() }),
	fc.record({ name: fc.constant('acknowledge' as const), part }),
	fc.record({ name: fc.constant('overflow' as const) }),
	fc.record({ name: fc.constant('rewind' as const), part }),
	fc.record({ name: fc.constant('resume' as const), part, beyond: fc.integer({ min: 0, max: 3 }) }),
);

it('keeps cursor ≤ sent, cursor ≤ newest, and sent ≤ newest unless a worker resumed from a later position', () => {
	fc.assert(
		fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
			const model = new Model();
			const { positions } = model;
			let resumedAt = 0;
			for (const each of steps) {
				const before = positions.cursor;
				if (each.name === 'arrive') model.arrive(each.gap, each.isEvent);
				if (each.name === 'send') model.send(each.isWanted);
				if (each.name === 'overflow') model.passOldest();
				if (each.name === 'rewind')
					model.rewind(between(positions.cursor, Math.min(positions.sent, positions.newest), each.part));
				if (each.name === 'acknowledge')
					model.commit(positions.confirmedBy(between(positions.cursor, positions.sent, each.part)));
				if (each.name === 'resume') {
					const seq = between(positions.cursor, positions.newest, each.part) + each.beyond;
					model.commit(Math.min(positions.confirmedBy(seq), positions.sent));
					model.rewind(Math.max(seq, positions.cursor));
					positions.resumeAt(seq);
					resumedAt = Math.max(resumedAt, seq);
				}
				const { cursor, sent, newest } = positions;
				expect(cursor).toBeGreaterThanOrEqual(before);
				expect(cursor).toBeLessThanOrEqual(sent);
				expect(cursor).toBeLessThanOrEqual(newest);
				expect(sent).toBeLessThanOrEqual(Math.max(newest, resumedAt));
				// Nothing before the cursor is left, and what is in flight lies between.
				expect(model.log.every((offset) => offset > cursor)).toBe(true);
				const inFlight = model.log.filter((offset) => offset <= sent).length;
				expect([positions.inFlightEvents, positions.inFlightBytes]).toEqual([inFlight, inFlight * bytes]);
			}
		}),
		{ numRuns: 500 },
	);
});

function sentThrough(...offsets: number[]): Positions {
	const positions = new Positions();
	positions.arrive(100);
	for (const offset of offsets) {
		positions.send(offset, bytes);
		positions.deliver();
	}
	return positions;
}

it('treats the last event for the consumer as confirming the following events that were not for it', () => {
	const positions = sentThrough(1, 2);
	positions.send(3, bytes);
	positions.send(4, bytes);
	expect([1, 2, 3].map((seq) => positions.confirmedBy(seq))).toEqual([1, 4, 4]);
});

it('has nothing to confirm when no event in flight was for the consumer', () => {
	const positions = sentThrough(1);
	expect([positions.isUnconfirmed, positions.isSilent]).toEqual([true, false]);
	positions.pass(1, bytes);
	positions.send(2, bytes);
	expect([positions.isUnconfirmed, positions.isSilent]).toEqual([true, true]);
	positions.pass(2, bytes);
	expect([positions.isUnconfirmed, positions.isSilent]).toEqual([false, false]);
});

it('counts dropped unsent events as sent, so that they are not sent later', () => {
	const positions = new Positions();
	positions.arrive(9);
	positions.pass(4, bytes);
	expect([positions.cursor, positions.sent, positions.inFlightEvents]).toEqual([4, 4, 0]);
});

it('is ahead of Discord after a resume from a later position, until Discord has replayed to there', () => {
	const positions = new Positions();
	positions.moveTo(5);
	positions.arrive(5);
	positions.resumeAt(8);
	expect([positions.isAhead, positions.cursor, positions.sent]).toEqual([true, 5, 8]);
	positions.arrive(8);
	positions.settle(8);
	expect([positions.isAhead, positions.cursor, positions.sent]).toEqual([false, 8, 8]);
});
