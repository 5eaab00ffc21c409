import { expect, it } from 'vitest';
import type { LogEntry } from '../buffer/event-log.js';
import { PoisonSearch } from './poison-search.js';

const entries = (from: number, to: number) =>
	Array.from({ length: to - from + 1 }, (_, index) => ({ offset: from + index, tries: 0 }) as LogEntry);

/** How many events are sent before a confirmation of the worker is needed. */
function fits(search: PoisonSearch, queue: readonly LogEntry[]): number {
	const first = queue.findIndex((entry, onTheirWay) => !search.mayFollow(entry, onTheirWay));
	return first < 0 ? queue.length : first;
}

it('sends one event, then two, then four after a crash, and newer events as usual', () => {
	const search = new PoisonSearch();
	const queue = entries(1, 20);
	expect(fits(search, queue)).toBe(20);
	search.noteDeath(queue.slice(0, 10));
	const sizes: number[] = [];
	while (queue.length > 0) {
		sizes.push(queue.splice(0, fits(search, queue)).length);
		search.noteConfirmed();
	}
	// The last of the ten is the third of its four; what follows is not suspected.
	expect(sizes).toEqual([1, 2, 4, 13]);
});

it('identifies the event that was alone in flight at three crashes', () => {
	const search = new PoisonSearch();
	const [event] = entries(5, 5) as [LogEntry];
	const answers = [1, 2, 3].map(() => {
		search.noteCrash();
		return search.noteDeath([event]);
	});
	expect(answers).toEqual([undefined, undefined, event]);
});

it('suspects nothing after an exit that was no crash, nor after a crash with several events in flight', () => {
	const search = new PoisonSearch();
	const [event, other] = entries(5, 6) as [LogEntry, LogEntry];
	for (let death = 0; death < 5; death++) {
		expect(search.noteDeath([event])).toBeUndefined();
		search.noteCrash();
		expect(search.noteDeath([event, other])).toBeUndefined();
		// A crash counts for the exit after it, with whatever was in flight.
		search.noteCrash();
		expect(search.noteDeath([])).toBeUndefined();
	}
	expect(event.tries).toBe(0);
});
