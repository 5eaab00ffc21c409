import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { BootGate } from './boot-gate.js';

const never = new AbortController().signal;
const gateOf = (places: number, clock = fakeClock()) => new BootGate({ clock, places, longestBootMs: 15_000 });

describe('BootGate', () => {
	it('admits as many as it has places, and the next when one leaves', async () => {
		const gate = gateOf(2);
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

	it('admits no new worker between one that leaves and one that waits', async () => {
		const gate = gateOf(1);
		const leave = await gate.enter(never);
		const order: string[] = [];
		const waiting = gate.enter(never).then(() => order.push('waiting'));
		leave();
		void gate.enter(never).then(() => order.push('late'));
		await waiting;
		await new Promise(setImmediate);
		expect(order).toEqual(['waiting']);
	});

	it('removes a waiting worker that aborts', async () => {
		const gate = gateOf(1);
		const leave = await gate.enter(never);
		const abort = new AbortController();
		const gone = gate.enter(abort.signal);
		const next = gate.enter(never);
		abort.abort(new Error('stopped'));
		await expect(gone).rejects.toThrow('stopped');
		leave();
		await expect(next).resolves.toBeTypeOf('function');
	});
	it('no longer counts one that stays too long, and keeps no timer of one that left', async () => {
		const clock = fakeClock();
		const gate = gateOf(1, clock);
		const stay = await gate.enter(never);
		const next = gate.enter(never);
		await clock.advance(15_000);
		const leave = await next;
		stay();
		leave();
		expect(clock.pendingTimers()).toBe(0);
	});
});
