// A session of a node in queue mode: when it is ready, which no worker says.
import { expect, it } from 'vitest';
import { CarriedQueueSession } from './carried-queue-session.js';
import type { SessionToCarry } from './carried-session.js';

function setup() {
	const state = { isRunning: true, isIdle: false, isRefused: false };
	const connections: string[] = [];
	let carried: SessionToCarry | undefined;
	const session = new CarriedQueueSession({
		session: {
			session: 3,
			shardIds: [3],
			slices: [[3]],
			isTakenOver: true,
			gateway: () => ({}) as never,
			onConnection: (connection) => connections.push(connection),
		},
		carry: (asked) => {
			carried = asked;
			return {
				get isRunning() {
					return state.isRunning;
				},
			} as never;
		},
		isIdle: () => state.isIdle,
		isRefused: () => state.isRefused,
	});
	return { session, state, connections, carried: carried as SessionToCarry };
}

it('has no workers, and is ready while Discord serves it', async () => {
	const { session, state, connections, carried } = setup();
	expect([carried.slices, session.workers, session.isReady]).toEqual([[], [], false]);
	carried.onConnection('up');
	expect(session.isReady).toBe(true);
	await session.whenReady();
	carried.onConnection('down');
	expect([session.isReady, connections]).toEqual([false, ['up', 'down']]);
	carried.onConnection('up');
	state.isRunning = false;
	expect(session.isReady).toBe(false);
});

it('is not waited for where no group has subscribed yet, or Discord has refused it', () => {
	const { session, state } = setup();
	state.isIdle = true;
	expect(session.isReady).toBe(true);
	Object.assign(state, { isIdle: false, isRefused: true });
	expect(session.isReady).toBe(true);
});
