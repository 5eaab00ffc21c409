import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { LeftOutLines } from './left-out-lines.js';
import { LogBudget } from './log-budget.js';

/** How many lines of this size are available now. */
function take(budget: LogBudget, bytes: number): number {
	let lines = 0;
	for (; budget.hasRoom; lines++) budget.spend(bytes);
	return lines;
}

it('finding 10: allows a burst, and after that a rate per second, in lines and in bytes', async () => {
	const clock = fakeClock();
	const budget = new LogBudget(clock);
	expect(take(budget, 10)).toBe(10_000);
	await clock.advance(1000);
	budget.noteRead(0);
	expect(take(budget, 10)).toBe(5000);
	await clock.advance(60_000);
	budget.noteRead(0);
	expect(take(budget, 32 * 1024)).toBe(128);
});

it('finding 10: makes a child with heavy output wait for the next tick', async () => {
	const clock = fakeClock();
	const budget = new LogBudget(clock);
	expect(budget.noteRead(8 * 2 ** 20)).toBe(0);
	await clock.advance(40);
	expect(budget.noteRead(1)).toBe(60);
	await clock.advance(60);
	expect(budget.noteRead(1)).toBe(0);
});

it('reports omitted lines once a second, and nothing when there are none', async () => {
	const clock = fakeClock();
	const reports: number[] = [];
	const lines = new LeftOutLines(clock, (count) => reports.push(count));
	lines.add(3);
	lines.add(4);
	await clock.advance(999);
	expect(reports).toEqual([]);
	await clock.advance(1);
	expect(reports).toEqual([7]);
	lines.add(2);
	lines.add(-2);
	lines.report();
	await clock.advance(5000);
	expect(reports).toEqual([7]);
});
