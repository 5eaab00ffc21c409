import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClusterView, Member, NodeRow, SessionRow } from '../table/cluster-view.js';
import { type PlanInput, planChanges, stillBeforeRebalanceMs } from './plan.js';

const member = (changes: Partial<Member> = {}): Member => ({
	name: 'x',
	version: '1',
	pid: 1,
	startedAt: 0,
	capacity: 100,
	draining: false,
	reachesDiscord: true,
	...changes,
});
const node = (name: string, changes: Partial<Member> = {}, leaseMs = 5000): NodeRow => ({
	node: name,
	member: member({ name, ...changes }),
	leaseMs,
	renewals: 9,
});
const held = (session: number, owner: string | undefined, changes: Partial<SessionRow> = {}): SessionRow => ({
	session,
	owner,
	epoch: 1,
	phase: 'held',
	target: undefined,
	unsure: false,
	...changes,
});

function plan(
	nodes: NodeRow[],
	rows: SessionRow[],
	changes: Partial<Omit<PlanInput, 'view'>> & { view?: Partial<ClusterView> } = {},
) {
	const { view, ...rest } = changes;
	return planChanges({
		view: {
			identity: 'e',
			version: 1,
			quietMs: 0,
			layout: '',
			reshard: undefined,
			nodes,
			sessions: rows,
			records: new Map(),
			...view,
		},
		sessions: rows.length,
		silentSince: () => 9,
		stillMs: 0,
		assignAhead: 100,
		starting: 0,
		movable: true,
		...rest,
	});
}

describe('the plan', () => {
	it('spreads sessions without an owner over the nodes by load and capacity', () => {
		const free = [0, 1, 2, 3, 4, 5].map((id) => held(id, undefined));
		const to = (nodes: NodeRow[]) => plan(nodes, free).map((change) => change.op === 'assign' && change.to);
		expect(to([node('a'), node('b'), node('c')])).toEqual(['a', 'b', 'c', 'a', 'b', 'c']);
		expect(to([node('a', { capacity: 4 }), node('b', { capacity: 2 })]).filter((name) => name === 'b')).toHaveLength(2);
		expect(to([node('a', { capacity: 2 })])).toEqual(['a', 'a']);
	});

	it('counts the sessions that have replaced one against the capacity of a node', () => {
		const free = [0, 1, 2].map((id) => held(id, undefined));
		expect(plan([node('a', { capacity: 5 })], free, { sessionsEach: 2 })).toHaveLength(2);
		expect(plan([node('a', { capacity: 1 })], free, { sessionsEach: 2 })).toEqual([]);
	});

	it('evens out nothing while sessions are replaced, and drains all the same', () => {
		const rows = [0, 1, 2, 3].map((id) => held(id, 'a'));
		const still = { stillMs: stillBeforeRebalanceMs };
		expect(plan([node('a'), node('b')], rows, still)).not.toEqual([]);
		expect(plan([node('a'), node('b')], rows, { ...still, mayRebalance: false })).toEqual([]);
		const draining = plan([node('a', { draining: true }), node('b')], rows, { ...still, mayRebalance: false });
		expect(draining).toHaveLength(rows.length);
	});

	it('assigns no more than can start soon', () => {
		const free = [0, 1, 2, 3].map((id) => held(id, undefined));
		expect(plan([node('a')], free, { assignAhead: 3, starting: 2 })).toHaveLength(1);
	});

	it('moves nothing away from a node whose manager is gone: what its processes do not release is taken over', () => {
		const left = node('a', { draining: true, abandoned: true });
		const rows = [held(0, 'a'), held(1, 'a', { phase: 'moving', target: 'c' }), held(2, 'a', { phase: 'prepared', target: 'b' })];
		expect(plan([left, node('b'), node('c', {}, -1)], rows)).toEqual([]);
		expect(plan([{ ...left, leaseMs: -1 }, node('b')], rows).map(({ op }) => op)).toEqual(['take', 'take', 'take']);
		expect(plan([node('b'), left], [held(0, 'b', { phase: 'moving', target: 'a' })])).toEqual([
			{ op: 'cancel', session: 0, from: 'b' },
		]);
	});

	it('assigns all at once what a node has just left, as that is resumed without an IDENTIFY', () => {
		const free = [held(0, undefined, { epoch: 0 }), held(1, undefined), held(2, undefined), held(3, 'b')];
		const assigned = (left: NodeRow, changes: Partial<PlanInput> = {}) =>
			plan([left, node('b')], free, { assignAhead: 0, ...changes }).map((change) => change.op === 'assign' && change.session);
		expect(assigned(node('a', { draining: true }))).toEqual([1, 2]);
		expect(assigned(node('a', { draining: true }, -1))).toEqual([]);
		expect(assigned(node('a'))).toEqual([]);
		expect(assigned(node('a', { draining: true }), { movable: false })).toEqual([]);
	});

	it('changes nothing in the quiet period', () => {
		expect(plan([node('a')], [held(0, undefined)], { view: { quietMs: 1 } })).toEqual([]);
	});

	it('takes over from a node whose lease is over, if it was silent for this node too', () => {
		const rows = [held(0, 'gone'), held(1, 'a')];
		const nodes = [node('a'), node('b'), node('gone', {}, -600)];
		expect(plan(nodes, rows)).toEqual([{ op: 'take', session: 0, from: 'gone', renewals: 9, to: 'b' }]);
		expect(plan(nodes, rows, { silentSince: () => undefined })).toEqual([]);
	});

	it('prefers the node that is prepared for the session, then the one that restarted under the name', () => {
		const nodes = [node('a'), node('b'), node('gone', { name: 'home' }, -600), node('z', { name: 'home' })];
		expect(plan(nodes, [held(0, 'gone', { phase: 'prepared', target: 'b' })])).toMatchObject([{ op: 'take', to: 'b' }]);
		expect(plan(nodes, [held(0, 'gone')])).toMatchObject([{ op: 'take', to: 'z' }]);
	});

	it('(34) moves everything off a draining node, and off one that alone cannot reach Discord', () => {
		const rows = [held(0, 'a'), held(1, 'a'), held(2, 'b')];
		expect(plan([node('a', { draining: true }), node('b')], rows)).toEqual([
			{ op: 'move', session: 0, from: 'a', to: 'b' },
			{ op: 'move', session: 1, from: 'a', to: 'b' },
		]);
		expect(plan([node('a', { reachesDiscord: false }), node('b')], rows, { stillMs: 3000 })).toHaveLength(2);
		// The others may be about to say the same.
		expect(plan([node('a', { reachesDiscord: false }), node('b')], rows, { stillMs: 2999 })).toEqual([]);
		expect(plan([node('a', { reachesDiscord: false }), node('b', { reachesDiscord: false })], rows, { stillMs: 3000 })).toEqual(
			[],
		);
		expect(plan([node('a', { draining: true }), node('b')], rows, { movable: false })).toEqual([]);
		expect(plan([node('a', { draining: true }), node('b', { draining: true })], rows)).toEqual([]);
	});

	it('gives a move whose target is gone another one, or cancels it where the session can stay', () => {
		const row = held(0, 'a', { phase: 'moving', target: 'gone' });
		expect(plan([node('a', { draining: true }), node('b'), node('gone', {}, -1)], [row])).toEqual([
			{ op: 'move', session: 0, from: 'a', to: 'b' },
		]);
		expect(plan([node('a'), node('b'), node('gone', {}, -1)], [row])).toEqual([{ op: 'cancel', session: 0, from: 'a' }]);
	});

	it('(29) evens out only when all is still: the lightest session, one move for each node, and not for a difference of one', () => {
		const rows = [0, 1, 2, 3, 4].map((id) => held(id, 'a'));
		const nodes = [node('a'), node('b')];
		expect(plan(nodes, rows, { stillMs: 9999 })).toEqual([]);
		const weight = (session: number) => (session === 3 ? 1 : 5);
		expect(plan(nodes, rows, { stillMs: 10_000, weight })).toEqual([{ op: 'move', session: 3, from: 'a', to: 'b' }]);
		expect(plan(nodes, rows, { stillMs: 10_000, movable: false })).toEqual([]);
		expect(plan(nodes, [held(0, 'a'), held(1, 'a'), held(2, 'b')], { stillMs: 10_000 })).toEqual([]);
	});

	it('evens out to a node that has joined from two others at a time, one session from each', () => {
		const rows = Array.from({ length: 12 }, (_, id) => held(id, id % 2 === 0 ? 'a' : 'b'));
		expect(plan([node('a'), node('b'), node('c')], rows, { stillMs: 10_000 })).toEqual([
			{ op: 'move', session: 1, from: 'b', to: 'c' },
			{ op: 'move', session: 0, from: 'a', to: 'c' },
		]);
	});

	it('forgets a node that is long gone and that nothing refers to', () => {
		expect(plan([node('a'), node('old', {}, -700_000)], [held(0, 'a')])).toEqual([{ op: 'forget', node: 'old' }]);
	});

	it('comes to rest: carried out again and again, it leaves every session with a live node, and evenly', () => {
		const names = ['a', 'b', 'c', 'd'];
		fc.assert(
			fc.property(
				fc.array(fc.option(fc.constantFrom(...names), { nil: undefined }), { minLength: 1, maxLength: 30 }),
				fc.subarray(names, { minLength: 1 }),
				(owners, live) => {
					const nodes = names.map((name) => node(name, {}, live.includes(name) ? 5000 : -600));
					let rows = owners.map((owner, session) => held(session, owner));
					for (let round = 0; round < 200; round++) {
						const changes = plan(nodes, rows, { stillMs: 10_000 }).filter(({ op }) => op !== 'forget');
						if (changes.length === 0) break;
						rows = rows.map((row) => {
							const change = changes.find((candidate) => 'session' in candidate && candidate.session === row.session);
							return change && 'to' in change ? held(row.session, change.to) : row;
						});
					}
					expect(plan(nodes, rows, { stillMs: 10_000 })).toEqual([]);
					const counts = live.map((name) => rows.filter(({ owner }) => owner === name).length);
					expect(counts.reduce((sum, count) => sum + count, 0)).toBe(rows.length);
					expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(
						Math.max(1, Math.floor(Math.max(...counts) / 10)),
					);
				},
			),
		);
	});
});
