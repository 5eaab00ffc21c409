import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { stillBeforeRebalanceMs } from '../planner/plan.js';
import type { ClusterView, NodeRow, SessionRow } from '../table/cluster-view.js';
import { PlanningTurn } from './planning-turn.js';

const timings = { leaseMs: 6000, validMs: 4500, renewMs: 1500, takeMarginMs: 500 };

function setUp() {
	const clock = fakeClock();
	const state = {
		node: 'b',
		identity: 'engine',
		muted: false,
		ripe: true,
		silent: new Map<string, number>(),
		silentSince: (node: string) => state.silent.get(node),
		silentIn: new Map<string, number>(),
		silentInMs: (node: string) => state.silentIn.get(node),
	};
	const turn = new PlanningTurn({ clock, timings, state, sessions: 2 });
	return { clock, state, turn };
}

const node = (name: string, startedAt: number, leaseMs = 6000): NodeRow => ({
	node: name,
	member: {
		name,
		version: '1',
		pid: 1,
		startedAt,
		capacity: 9,
		draining: false,
		reachesDiscord: true,
	},
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
const view = (changes: Partial<ClusterView> = {}): ClusterView => ({
	identity: 'engine',
	version: 5,
	quietMs: 0,
	layout: '',
	reshard: undefined,
	nodes: [node('a', 1), node('b', 2)],
	sessions: [held(0, 'a'), held(1, 'b')],
	records: new Map(),
	...changes,
});

it('reads nothing while nothing has changed and nothing is to be planned', () => {
	const { turn } = setUp();
	expect(turn.afterRenewal({ version: 5, quietMs: 0 })).toEqual({ read: true, plan: true });
	turn.note(view());
	turn.planned(view(), turn.stillMs, 0);
	for (let renewal = 0; renewal < 3; renewal++) {
		expect(turn.afterRenewal({ version: 5, quietMs: 0 })).toEqual({ read: false, plan: false });
	}
	expect(turn.afterRenewal({ version: 6, quietMs: 0 })).toEqual({ read: true, plan: true });
});

it('reads a table that another engine has, also with the same version, and plans nothing in the quiet period', () => {
	const { turn, state } = setUp();
	turn.note(view());
	turn.planned(view(), 0, 0);
	state.identity = 'another';
	expect(turn.afterRenewal({ version: 5, quietMs: 7000 })).toEqual({ read: true, plan: false });
	expect(turn.isMine(view({ quietMs: 1 }))).toBe(false);
});

it.each([
	['a session without an owner', view({ sessions: [held(0, 'a'), held(1, undefined)] }), 'c', true],
	['a session that the table does not have', view({ sessions: [held(0, 'a')] }), 'c', true],
	['an owner that is silent', view(), 'a', true],
	['the target of a move that is silent', view({ sessions: [{ ...held(0, 'b'), target: 'a' }, held(1, 'b')] }), 'a', true],
	['a silent node that owns nothing', view(), 'c', false],
])('plans again without a change of the table: %s', (_, seen, silent, expected) => {
	const { turn, state } = setUp();
	turn.note(seen);
	turn.planned(view(), 0, 0);
	state.silent.set(silent, 1);
	expect(turn.afterRenewal({ version: 5, quietMs: 0 }).plan).toBe(expected);
});

it('plans for a rebalancing once, when the set of nodes was the same for long enough', async () => {
	const { turn, clock } = setUp();
	turn.note(view());
	turn.planned(view(), 0, 0);
	await clock.advance(stillBeforeRebalanceMs - 1);
	expect(turn.afterRenewal({ version: 5, quietMs: 0 }).plan).toBe(false);
	await clock.advance(1);
	expect(turn.afterRenewal({ version: 5, quietMs: 0 }).plan).toBe(true);
	turn.planned(view(), turn.stillMs, 0);
	expect(turn.afterRenewal({ version: 5, quietMs: 0 }).plan).toBe(false);
	// Another node: from the beginning.
	turn.note(view({ nodes: [node('a', 1), node('b', 2), node('c', 3)] }));
	expect(turn.stillMs).toBe(0);
});

it('is first the turn of the node that joined first, and of each further one a renewal later', async () => {
	const { turn, clock, state } = setUp();
	turn.afterRenewal({ version: 5, quietMs: 0 });
	expect(turn.isMine(view())).toBe(false);
	expect(turn.isMine(view({ nodes: [node('a', 3), node('b', 2)] }))).toBe(true);
	// A node that has not renewed for as long as a renewal is valid cannot plan.
	expect(turn.isMine(view({ nodes: [node('a', 1, 1500), node('b', 2)] }))).toBe(true);
	// A node that drains may be one whose manager is gone.
	const draining = { ...node('a', 1), member: { ...node('a', 1).member, draining: true } } as NodeRow;
	expect(turn.isMine(view({ nodes: [draining, node('b', 2)] }))).toBe(true);
	await clock.advance(timings.renewMs);
	expect(turn.isMine(view())).toBe(true);
	for (const not of ['muted', 'ripe'] as const) {
		const before = state[not];
		state[not] = !before;
		expect(turn.isMine(view())).toBe(false);
		state[not] = before;
	}
	expect(turn.isMine(view({ nodes: [node('a', 1)] }))).toBe(false);
});

it('knows when the nodes were the same for long enough, and when a silent owner can be taken over from', async () => {
	const { turn, clock, state } = setUp();
	turn.note(view());
	expect(turn.dueInMs).toBe(stillBeforeRebalanceMs);
	await clock.advance(stillBeforeRebalanceMs);
	expect(turn.dueInMs).toBeUndefined();
	for (const owner of ['a', 'b', 'c']) state.silentIn.set(owner, owner === 'a' ? 700 : 1);
	// Not this node itself, and no node that owns nothing.
	expect(turn.dueInMs).toBe(700);
	state.silentIn.set('a', 0);
	turn.planned(view(), turn.stillMs, 0);
	turn.note(view({ nodes: [node('a', 1, 200), node('b', 2)] }));
	expect(turn.dueInMs).toBe(200 + timings.takeMarginMs);
	await clock.advance(300);
	expect(turn.dueInMs).toBe(400);
	// From then on each renewal tries.
	await clock.advance(400);
	expect(turn.dueInMs).toBeUndefined();
});

it('remembers that the nodes were even, until a node comes or goes or the number of sessions changes', async () => {
	const { clock, turn } = setUp();
	turn.note(view());
	turn.planned(view(), turn.stillMs, 0);
	expect(turn.wereEven).toBe(false);
	await clock.advance(stillBeforeRebalanceMs);
	turn.planned(view(), turn.stillMs, 1);
	turn.planned(view({ sessions: [held(0, 'a'), { ...held(1, 'b'), phase: 'moving', target: 'a' }] }), turn.stillMs, 0);
	turn.planned(view({ sessions: [held(0, 'a')] }), turn.stillMs, 0);
	expect(turn.wereEven).toBe(false);
	turn.planned(view(), turn.stillMs, 0);
	const moved = view({ version: 6, sessions: [held(0, 'a'), held(1, 'a')] });
	turn.note(moved);
	expect(turn.wereEven).toBe(true);
	turn.note(view({ version: 7, sessions: [held(0, 'a'), held(1, 'a'), held(2, 'a')] }));
	expect(turn.wereEven).toBe(false);
	turn.note(moved);
	turn.note(view({ version: 8, nodes: [node('a', 1), node('b', 2), node('c', 3)] }));
	expect(turn.wereEven).toBe(false);
});
