import type { NodeRow, SessionRow } from '@shardctl/cluster';
import { expect, it } from 'vitest';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { firstPlacement, liveNodes } from './first-placement.js';

const node = (name: string, leaseMs = 6000): NodeRow => ({
	node: name,
	member: { name, version: '1', pid: 1, startedAt: 1, capacity: 9, draining: false, reachesDiscord: true },
	leaseMs,
	renewals: 1,
});
const held = (session: number, owner: string | undefined): SessionRow => ({
	session,
	owner,
	epoch: 1,
	phase: 'held',
	target: undefined,
	unsure: false,
});
const worker = (state: string, message?: string) =>
	({ child: { state, lastExit: message === undefined ? null : { message } } }) as unknown as ManagedWorker;
const view = { nodes: [node('a'), node('b')], sessions: [held(0, 'a'), held(1, 'b')] };

it('counts the nodes whose lease is valid and that are members', () => {
	expect(liveNodes({ nodes: [node('a'), node('b', 0), { ...node('c'), member: undefined }] })).toBe(1);
});

it('is under way while a session has no owner, or one whose lease is over', () => {
	const ready = [{ isReady: true, workers: [worker('ready')] }];
	expect(firstPlacement(view, 3, ready)).toBeUndefined();
	expect(firstPlacement({ ...view, sessions: [held(0, 'a'), held(1, undefined)] }, 2, ready)).toBeUndefined();
	expect(firstPlacement({ ...view, nodes: [node('a'), node('b', 0)] }, 2, ready)).toBeUndefined();
});

it('is over when what this node carries is ready, or was given up, with the reason', () => {
	const [up, down, unstarted] = [worker('ready'), worker('failed', 'exited with code 1'), worker('failed')];
	const ready = { isReady: true, workers: [up] };
	expect(firstPlacement(view, 2, [])).toEqual({ ready: [], failed: new Map() });
	expect(firstPlacement(view, 2, [ready, { isReady: false, workers: [worker('starting')] }])).toBeUndefined();
	expect(firstPlacement(view, 2, [ready, { isReady: false, workers: [down, unstarted] }])).toEqual({
		ready: [up],
		failed: new Map([
			[down, 'exited with code 1'],
			[unstarted, 'it could not be started'],
		]),
	});
});
