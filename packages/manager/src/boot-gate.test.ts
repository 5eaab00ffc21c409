import { describe, expect, it } from 'vitest';
import { BootGate } from './boot-gate.js';

const never = new AbortController().signal;

describe('BootGate', () => {
	it('lets in as many as it has places, and the next when one leaves', async () => {
		const gate = new BootGate(2);
		const leaveFirst = await gate.enter(never);
		await gate.enter(never);
		let third = false;
		const entering = gate.enter(never).then(() => {
			third = true;
		});
		await Promise.resolve();
		expect(third).toBe(false);
		leaveFirst();
		leaveFirst();
		await entering;
		expect(third).toBe(true);
	});

	it('never lets somebody slip in between one who leaves and one who waits', async () => {
		const gate = new BootGate(1);
		const leave = await gate.enter(never);
		const order: string[] = [];
		const waiting = gate.enter(never).then(() => order.push('waiting'));
		leave();
		void gate.enter(never).then(() => order.push('late'));
		await waiting;
		await new Promise(setImmediate);
		expect(order).toEqual(['waiting']);
	});

	it('forgets who gives up waiting', async () => {
		const gate = new BootGate(1);
		const leave = await gate.enter(never);
		const abort = new AbortController();
		const gone = gate.enter(abort.signal);
		const next = gate.enter(never);
		abort.abort(new Error('stopped'));
		await expect(gone).rejects.toThrow('stopped');
		leave();
		await expect(next).resolves.toBeTypeOf('function');
	});
});
