import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { DelayLine } from './delay-line.js';

test('delivers late and in order, and leaves no timer', async () => {
	const clock = fakeClock();
	const line = new DelayLine(clock);
	const out: string[] = [];
	line.add(100, () => out.push('slow'));
	line.add(10, () => out.push('quick'));
	await clock.advance(99);
	expect(out).toEqual([]);
	await clock.advance(1);
	expect([out, clock.pendingTimers(), line.empty]).toEqual([['slow', 'quick'], 0, true]);
});

test('delivers one after the other with a gap', async () => {
	const clock = fakeClock();
	const line = new DelayLine(clock);
	const at: number[] = [];
	for (let n = 0; n < 3; n++) line.addAfter(50, () => at.push(clock.monotonic()));
	await clock.advance(1000);
	expect(at).toEqual([50, 100, 150]);
});

test('drops waiting items on stop', async () => {
	const clock = fakeClock();
	const line = new DelayLine(clock);
	let ran = false;
	line.add(10, () => {
		ran = true;
	});
	line.stop();
	await clock.advance(100);
	expect([ran, clock.pendingTimers()]).toEqual([false, 0]);
});
