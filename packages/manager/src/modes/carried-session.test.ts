// The gateway process of a session that moves, where the move does not happen.
import { EventEmitter } from 'node:events';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { deferred, systemClock } from '@shardctl/core';
import { expect, it } from 'vitest';
import { CarriedSession, type CarriedSessionOptions } from './carried-session.js';

async function setup() {
	const steps: string[] = [];
	const drained = deferred();
	const ended = deferred();
	const child = Object.assign(new EventEmitter(), { state: 'ready', start: () => void steps.push('start') });
	const gateway = {
		child,
		open: () => Promise.resolve(),
		whenReady: () => Promise.resolve(),
		request: (method: string) => {
			steps.push(method);
			return drained.promise.then(() => ({ drained: true }));
		},
		pause: async () => void steps.push('end'),
		whenPaused: () => ended.promise,
		stop: async () => void steps.push('stop'),
	};
	const session = new CarriedSession({
		clock: systemClock,
		gateway: gateway as unknown as CarriedSessionOptions['gateway'],
		slices: [[0]],
		created: [],
		workers: () => [],
		removeWorkers: async () => {},
		onClosed: () => {},
	});
	await session.whenPrepared(new AbortController().signal);
	return { session, steps, drained, ended };
}

it('starts the gateway process again when the hand-over did not happen', async () => {
	const { session, steps, drained, ended } = await setup();
	drained.resolve();
	await session.pause();
	session.resume();
	await nextTurn();
	expect(steps.at(-1)).toBe('end');
	ended.resolve();
	await nextTurn();
	await session.pause();
	expect(steps).toEqual(['start', 'worker.drain', 'end', 'start', 'worker.drain', 'end']);
});

it('starts it also where the session is taken back while it still drains', async () => {
	const { session, steps, drained, ended } = await setup();
	const paused = session.pause();
	session.resume();
	drained.resolve();
	ended.resolve();
	await paused;
	await nextTurn();
	expect(steps).toEqual(['start', 'worker.drain', 'end', 'start']);
});

it('does not start it where the session is lost meanwhile', async () => {
	const { session, steps, drained } = await setup();
	const paused = session.pause();
	session.resume();
	const closed = session.close();
	drained.resolve();
	await Promise.all([paused, closed]);
	expect(steps.slice(-2).toSorted()).toEqual(['end', 'stop']);
});
