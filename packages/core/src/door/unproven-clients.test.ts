import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { UnprovenClients } from './unproven-clients.js';

class FakeSocket extends EventEmitter {
	destroyed = false;
	destroy() {
		this.destroyed = true;
		this.emit('close');
	}
}

function clients(most: number) {
	const clock = fakeClock();
	const closed: string[] = [];
	const unproven = new UnprovenClients({
		clock,
		most,
		withinMs: 30_000,
		failing: 'sent nothing',
		onClosed: (why) => closed.push(why),
	});
	const add = () => {
		const socket = new FakeSocket();
		unproven.add(socket as unknown as Socket);
		return socket;
	};
	const prove = (socket: FakeSocket) => unproven.prove(socket as unknown as Socket);
	return { clock, closed, unproven, add, prove };
}

it('closes a connection that is not proven in time, and no other', async () => {
	const { clock, closed, unproven, add, prove } = clients(10);
	const [proven, silent, gone] = [add(), add(), add()];
	prove(proven);
	gone.destroy();
	await clock.advance(29_999);
	expect(silent.destroyed).toBe(false);
	await clock.advance(1);
	expect([proven.destroyed, silent.destroyed, closed, unproven.size]).toEqual([false, true, ['it sent nothing within 30 s'], 0]);
	expect(clock.pendingTimers()).toBe(0);
});

it('closes the oldest one for one that is too many', () => {
	const { closed, unproven, add } = clients(2);
	const all = [add(), add(), add()];
	expect(all.map(({ destroyed }) => destroyed)).toEqual([true, false, false]);
	expect([closed, unproven.size]).toEqual([['it sent nothing, and 2 newer ones wait as well'], 2]);
});

it('closes all of them at its end, without a report', () => {
	const { clock, closed, unproven, add } = clients(2);
	const all = [add(), add()];
	unproven.stop();
	expect([all.map(({ destroyed }) => destroyed), closed, clock.pendingTimers()]).toEqual([[true, true], [], 0]);
});
