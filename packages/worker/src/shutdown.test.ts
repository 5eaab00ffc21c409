import { EventEmitter } from 'node:events';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Shutdown } from './shutdown.js';

afterEach(() => void vi.useRealTimers());

function shutdown() {
	const order: string[] = [];
	const signals = new EventEmitter();
	const begun: { done: Promise<void> } = { done: Promise.resolve() };
	const ending = new Shutdown({
		settle: () => begun.done,
		logOut: async () => void order.push('log out'),
		signals: signals as never,
	});
	return { order, signals, ending, begun };
}

describe('Shutdown', () => {
	it("runs the bot's handlers before the logout, once", async () => {
		const { order, ending } = shutdown();
		ending.add(async (reason) => void order.push(`first ${reason}`));
		ending.add(() => void order.push('second'));
		const run = ending.run('stop requested', 1000);
		expect(ending.run('again', 1000)).toBe(run);
		await run;
		expect(order).toEqual(['first stop requested', 'second', 'log out']);
	});

	it('waits for running work of the bot first, for a second at most', async () => {
		for (const [finishesAfterMs, startsAfterMs] of [
			[300, 300],
			[60_000, 1000],
		] as const) {
			vi.useFakeTimers();
			const { order, ending, begun } = shutdown();
			begun.done = new Promise((resolve) => setTimeout(resolve, finishesAfterMs));
			ending.add(() => void order.push('handler'));
			const run = ending.run('stop', 10_000);
			await vi.advanceTimersByTimeAsync(startsAfterMs - 1);
			expect(order).toEqual([]);
			await vi.advanceTimersByTimeAsync(1);
			await run;
			expect(order).toEqual(['handler', 'log out']);
			vi.useRealTimers();
		}
	});

	it('continues when a handler fails', async () => {
		const complaint = vi.spyOn(console, 'error').mockReturnValue();
		const { order, ending, signals } = shutdown();
		vi.useFakeTimers();
		ending.add(() => {
			throw new Error('at once');
		});
		ending.add(async () => {
			throw new Error('later');
		});
		signals.on('SIGTERM', () => {
			throw new Error('in the signal handler');
		});
		const run = ending.run('stop', 1000);
		await vi.runAllTimersAsync();
		await run;
		expect(order).toEqual(['log out']);
		expect(complaint).toHaveBeenCalledTimes(3);
		complaint.mockRestore();
	});

	it("gives a bot's own SIGTERM handler half of the grace, and at most five seconds, before it logs the bot out", async () => {
		for (const [graceMs, waitMs] of [
			[2000, 1000],
			[60_000, 5000],
		] as const) {
			vi.useFakeTimers();
			const { order, signals, ending } = shutdown();
			signals.on('SIGTERM', (signal) => order.push(signal));
			const run = ending.run('stop', graceMs);
			await vi.advanceTimersByTimeAsync(waitMs - 1);
			expect(order).toEqual(['SIGTERM']);
			await vi.advanceTimersByTimeAsync(1);
			await run;
			expect(order).toEqual(['SIGTERM', 'log out']);
			vi.useRealTimers();
		}
	});
});
