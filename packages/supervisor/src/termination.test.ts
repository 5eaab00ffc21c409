import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { Termination, type TerminationOptions } from './termination.js';

function ladder(options: Partial<TerminationOptions> = {}) {
	const clock = fakeClock();
	const steps: string[] = [];
	const note = (step: string) => steps.push(`${step} at ${clock.monotonic()}`);
	const termination = new Termination({
		clock,
		ask: async () => {
			note('ask');
		},
		graceMs: 1000,
		killAfterMs: 500,
		terminate: () => note('SIGTERM'),
		kill: () => note('SIGKILL'),
		...options,
	});
	return { clock, steps, termination };
}

describe('Termination', () => {
	it('requests, waits, terminates, waits, kills, and leaves no timer', async () => {
		const { clock, steps, termination } = ladder();
		termination.start();
		await clock.advance(10_000);
		expect(steps).toEqual(['ask at 0', 'SIGTERM at 1000', 'SIGKILL at 1500']);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('does nothing more once the process has exited', async () => {
		for (const exitAt of [0, 700, 1200]) {
			const { clock, steps, termination } = ladder();
			termination.start();
			await clock.advance(exitAt);
			const before = steps.length;
			termination.end();
			termination.hasten(0);
			expect(clock.pendingTimers()).toBe(0);
			await clock.advance(10_000);
			expect(steps).toHaveLength(before);
		}
	});

	it.each([
		['there is no process to ask', { ask: null }],
		['there is no grace', { graceMs: 0 }],
	])('terminates at once when %s', async (_when, options) => {
		const { clock, steps, termination } = ladder(options);
		termination.start();
		await clock.advance(10_000);
		expect(steps).toEqual(['SIGTERM at 0', 'SIGKILL at 500']);
	});

	it('terminates at once when the request fails', async () => {
		const { clock, steps, termination } = ladder({ ask: () => Promise.reject(new Error('closed')) });
		termination.start();
		await clock.advance(0);
		expect(steps).toEqual(['SIGTERM at 0']);
		termination.end();
	});

	it('ignores a request that fails after the SIGTERM', async () => {
		let refuse = () => {};
		const { clock, steps, termination } = ladder({
			ask: () =>
				new Promise((_resolve, reject) => {
					refuse = () => reject(new Error('closed'));
				}),
		});
		termination.start();
		await clock.advance(1000);
		refuse();
		await clock.advance(0);
		expect(steps).toEqual(['SIGTERM at 1000']);
		termination.end();
	});

	it('is shortened step by step', async () => {
		const { clock, steps, termination } = ladder();
		termination.start();
		await clock.advance(100);
		termination.hasten(0);
		await clock.advance(100);
		termination.hasten(0);
		expect(steps).toEqual(['ask at 0', 'SIGTERM at 100', 'SIGKILL at 200']);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('is never extended by a longer grace', async () => {
		const { clock, steps, termination } = ladder();
		termination.start();
		termination.hasten(5000);
		await clock.advance(800);
		termination.hasten(100);
		await clock.advance(100);
		expect(steps).toEqual(['ask at 0', 'SIGTERM at 900']);
		termination.end();
	});

	it('waits without a limit when configured, until it is shortened', async () => {
		const { clock, steps, termination } = ladder({ graceMs: Number.POSITIVE_INFINITY });
		termination.start();
		await clock.advance(100 * 24 * 3_600_000);
		expect(steps).toEqual(['ask at 0']);
		termination.hasten(1000);
		await clock.advance(1000);
		expect(steps).toHaveLength(2);
		termination.end();
	});

	it('escalates once, however often it is started', async () => {
		const { steps, termination } = ladder();
		termination.start();
		termination.start();
		expect(steps).toEqual(['ask at 0']);
		termination.end();
	});
});
