import { describe, expect, it } from 'vitest';
import { RestartWaiters } from './restart-waiters.js';

describe('RestartWaiters', () => {
	it('resolves every waiter, once', async () => {
		const waiters = new RestartWaiters();
		const answers = Promise.all([waiters.wait(1, 1), waiters.wait(1, Number.POSITIVE_INFINITY)]);
		waiters.settle(true);
		waiters.settle(false);
		expect(await answers).toEqual([true, true]);
	});

	it('ignores the exit of the process that is being replaced', async () => {
		const waiters = new RestartWaiters();
		const answer = waiters.wait(3, 1);
		waiters.noteExit(3);
		waiters.settle(true);
		expect(await answer).toBe(true);
	});

	it("rejects after the caller's limit of failed replacements, while others keep waiting", async () => {
		const waiters = new RestartWaiters();
		const impatient = waiters.wait(3, 2);
		const patient = waiters.wait(3, Number.POSITIVE_INFINITY);
		waiters.noteExit(4);
		waiters.noteExit(5);
		expect(await impatient).toBe(false);
		waiters.settle(true);
		expect(await patient).toBe(true);
	});
});
