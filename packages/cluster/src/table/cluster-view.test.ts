import { expect, it } from 'vitest';
import { clusterView, sessionRow } from './cluster-view.js';

const member = { name: 'alpha', version: '1', pid: 7, startedAt: 5, capacity: 9, draining: false, reachesDiscord: true };

it('is what the script read, with times from the moment of reading', () => {
	const view = clusterView([
		'10000',
		'engine',
		'10250',
		['d:b', '9000', 'c:b', '3', 'd:a', '16000', 'c:a', '8'],
		['version', '12', 'layout', '{}', 's:10', 'a 105 held - engine', 's:2', 'b 104 moving a former'],
		['a', JSON.stringify(member)],
		['10', 'a record'],
	]);
	expect(view).toEqual({
		identity: 'engine',
		version: 12,
		quietMs: 250,
		layout: '{}',
		nodes: [
			{ node: 'a', member, leaseMs: 6000, renewals: 8 },
			// Redis has lost who it is.
			{ node: 'b', member: undefined, leaseMs: -1000, renewals: 3 },
		],
		sessions: [
			{ session: 2, owner: 'b', epoch: 104, phase: 'moving', target: 'a', unsure: true },
			{ session: 10, owner: 'a', epoch: 105, phase: 'held', target: undefined, unsure: false },
		],
		records: new Map([[10, 'a record']]),
	});
});

it('is empty on an empty Redis, and has a member whose lease Redis has lost', () => {
	expect(clusterView(['10000', '', '0', [], [], [], []])).toEqual({
		identity: '',
		version: 0,
		quietMs: 0,
		layout: undefined,
		nodes: [],
		sessions: [],
		records: new Map(),
	});
	expect(clusterView(['10000', '', '0', [], [], ['a', JSON.stringify(member)], []]).nodes).toEqual([
		{ node: 'a', member, leaseMs: -10_000, renewals: 0 },
	]);
});

it('has no owner where the table says that there is none', () => {
	expect(sessionRow(3, '- 100 held - engine', 'engine')).toMatchObject({ owner: undefined, target: undefined, unsure: false });
});
