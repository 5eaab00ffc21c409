import type { FleetEvent, FleetEventBody } from '@shardctl/control';
import { expect, it } from 'vitest';
import { groupLine } from '../fleet-event-text.js';
import { groupEvents } from './event-groups.js';

const start = 1_700_000_000_000;

function story(...steps: [afterMs: number, event: FleetEventBody][]): string[] {
	const events = steps.map(([afterMs, event], index) => ({ seq: index + 1, at: start + afterMs, ...event }) as FleetEvent);
	return groupEvents(events).map((group) => groupLine(group).replace(/^\S+ . /, ''));
}

const lost = (shardId: number): FleetEventBody => ({ type: 'shard:reconnecting', shardId, workerId: shardId >> 1 });
const resumed = (shardId: number): FleetEventBody => ({ type: 'shard:resumed', shardId, workerId: shardId >> 1 });
const killed: FleetEventBody = {
	type: 'gateway:exited',
	gatewayId: 0,
	shardIds: [0, 1, 2, 3],
	message: 'process 7 was killed by SIGKILL',
	requested: false,
};

it('groups an exited gateway process into its cause and one line per effect', () => {
	const effects = [0, 1, 2, 3].map((id): [number, FleetEventBody] => [id, lost(id)]);
	const ends = [0, 2, 1, 3].map((id): [number, FleetEventBody] => [800 + id, resumed(id)]);
	expect(story(...effects, [5, killed], ...ends)).toEqual([
		'gateway process 0 exited: process 7 was killed by SIGKILL',
		'shards 0-3 lost their connection, reconnecting',
		'shards 0-3 resumed their sessions',
	]);
});

it('keeps events of another time, other shards or another message separate', () => {
	const notice = (shardIds: number[], message: string): FleetEventBody => ({
		type: 'gateway:notice',
		gatewayId: 0,
		shardIds,
		kind: 'snapshot:restored',
		message,
	});
	expect(
		story([0, lost(0)], [1001, lost(1)], [1002, notice([0], 'a')], [1003, notice([1], 'b')], [1004, notice([2], 'a')]),
	).toEqual([
		'shard 0 lost its connection, reconnecting',
		'shard 1 lost its connection, reconnecting',
		'shards 0,2: a',
		'shard 1: b',
	]);
	const other: FleetEventBody = { ...killed, shardIds: [8] } as FleetEventBody;
	expect(story([0, lost(0)], [1, other])[0]).toBe('shard 0 lost its connection, reconnecting');
});

it('names the reason of a close, once', () => {
	const closed = (shardId: number): FleetEventBody => ({ type: 'shard:disconnected', shardId, workerId: 0, closeCode: 4014 });
	expect(story([0, closed(0)], [1, closed(1)])).toEqual([
		'shards 0-1 disconnected and do not reconnect: Discord closed with 4014 (Disallowed intent(s))',
	]);
});

it('names the node of each line in a cluster, and keeps what happens on several nodes separate', () => {
	const on = (node: string, shardId: number): FleetEventBody => Object.assign(lost(shardId), { node });
	expect(story([0, on('a', 0)], [1, on('b', 1)], [2, on('a', 2)])).toEqual([
		'node a: shards 0,2 lost their connection, reconnecting',
		'node b: shard 1 lost its connection, reconnecting',
	]);
});
