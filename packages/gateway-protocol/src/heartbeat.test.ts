import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { HeartbeatSupervisor } from './heartbeat.js';

function supervise(timeoutMs: number, askAfterMs = Number.POSITIVE_INFINITY) {
	const clock = fakeClock();
	let timeouts = 0;
	let asked = 0;
	const supervisor = new HeartbeatSupervisor({
		clock,
		timeoutMs,
		onTimeout: () => timeouts++,
		askAfterMs,
		onAsk: () => asked++,
	});
	return { clock, supervisor, timeouts: () => timeouts, asked: () => asked };
}

test('reports a full timeout of silence once, and leaves no timer', async () => {
	const { clock, timeouts } = supervise(1000);
	await clock.advance(999);
	expect(timeouts()).toBe(0);
	await clock.advance(1);
	expect(timeouts()).toBe(1);
	expect(clock.pendingTimers()).toBe(0);
});

test('each heartbeat restarts the timeout', async () => {
	const { clock, supervisor, timeouts } = supervise(1000);
	for (let n = 0; n < 5; n++) {
		await clock.advance(900);
		supervisor.beat();
	}
	expect(timeouts()).toBe(0);
	await clock.advance(1000);
	expect(timeouts()).toBe(1);
});

test('stopping leaves no timer', () => {
	const { clock, supervisor } = supervise(1000);
	supervisor.stop();
	expect(clock.pendingTimers()).toBe(0);
});

test('an infinite timeout sets no timer', () => {
	expect(supervise(Number.POSITIVE_INFINITY).clock.pendingTimers()).toBe(0);
});

test('requests a heartbeat from a silent client at intervals, and closes it when it does not respond', async () => {
	const { clock, supervisor, timeouts, asked } = supervise(1000, 300);
	await clock.advance(299);
	expect(asked()).toBe(0);
	await clock.advance(1);
	expect(asked()).toBe(1);
	supervisor.beat();
	await clock.advance(299);
	expect(asked()).toBe(1);
	await clock.advance(700);
	expect([asked(), timeouts()]).toEqual([4, 0]);
	await clock.advance(1);
	expect([asked(), timeouts()]).toEqual([4, 1]);
	expect(clock.pendingTimers()).toBe(0);
});
