import type { NodeRow, SessionRow } from '@shardctl/cluster';
import type { Layout } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { planReshard } from '../reshard/plan-reshard.js';
import {
	begun,
	called,
	claimed,
	failureOf,
	given,
	isRunning,
	layoutNow,
	type ReshardEntry,
	replaced,
	requireNoReshard,
	reshardEntry,
	sessionsEach,
	shardsLeft,
	startedLayout,
	statsOf,
	swept,
	unsureOf,
} from './reshard-entry.js';

const started = { generation: 0, totalShards: 16, sessions: 4 };
const done = { identifies: 2, pausedMs: 40, repeated: 0 };

const live = (name: string, leaseMs = 5000): NodeRow => ({ node: name, member: undefined, leaseMs, renewals: 1 });
const held = (session: number, owner: string, phase: SessionRow['phase'] = 'held'): SessionRow => ({
	session,
	owner,
	epoch: 1,
	phase,
	target: undefined,
	unsure: false,
});
/** Sessions 0 and 2 are on a, 1 and 3 on b. */
const table = (changes: { nodes?: NodeRow[]; sessions?: SessionRow[] } = {}) => ({
	nodes: [live('a'), live('b')],
	sessions: [0, 1, 2, 3].map((id) => held(id, id % 2 === 0 ? 'a' : 'b')),
	...changes,
});
const viewOf = (entry: ReshardEntry | undefined) => ({ reshard: entry && JSON.stringify(entry) });

function begin(to: number, before?: ReshardEntry, maxConcurrency = 4): ReshardEntry {
	const view = viewOf(before);
	const shardIds = Array.from({ length: 16 }, (_, id) => id);
	const gateways = [0, 1, 2, 3].map((session) => shardIds.filter((id) => id % 4 === session));
	const unsure = unsureOf(reshardEntry(view, started));
	const plan = planReshard({ layout: layoutNow(view, started), shardIds, gateways, sessions: to, unsure });
	return begun(view, { started, plan, nowMs: 1000, maxConcurrency, windowMs: 5000, byPerson: true });
}

const claim = (entry: ReshardEntry, group: number, node: string, view = table(), isHere = () => true) =>
	claimed(entry, view, { group, node, isHere });
const replace = (entry: ReshardEntry, group: number, node: string) => replaced(entry, { group, node, done, nowMs: 3000 });

describe('a resharding of a cluster', () => {
	it('is done when each owner has replaced its groups, and the layout is a mixture meanwhile', () => {
		let entry = begin(8);
		expect(entry).toMatchObject({ id: 1, from: 4, to: 8, left: [0, 1, 2, 3], atOnce: 2, total: 4 });
		for (const [group, node] of [
			[0, 'a'],
			[1, 'b'],
			[2, 'a'],
		] as const) {
			entry = claim(entry, group, node) as ReshardEntry;
			expect(entry.active).toEqual({ [group]: node });
			entry = replace(entry, group, node);
		}
		expect(layoutNow(viewOf(entry), started)).toEqual({ ...started, resharded: { sessions: 8, groups: [0, 1, 2] } });
		expect(statsOf(entry)).toMatchObject({ state: 'running', done: 3, total: 4, identifies: 6, longestPauseMs: 40 });
		entry = replace(claim(entry, 3, 'b') as ReshardEntry, 3, 'b');
		expect(entry).toMatchObject({ state: 'done', left: [], active: {} });
		expect(layoutNow(viewOf(entry), started)).toEqual({ ...started, sessions: 8 });
		expect(statsOf(entry)).toMatchObject({ state: 'done', done: 4, identifies: 8, tookMs: 2000, leftMs: 0, error: null });
	});

	it('goes back to fewer sessions, as far as each session of the layout has at least one', () => {
		let entry = begin(16);
		for (const group of entry.left) entry = replace(entry, group, 'a');
		entry = begin(8, entry);
		expect(entry).toMatchObject({ id: 2, from: 16, to: 8, left: [0, 1, 2, 3, 4, 5, 6, 7] });
		for (const group of entry.left) entry = replace(entry, group, 'a');
		expect(layoutNow(viewOf(entry), started)).toEqual({ ...started, sessions: 8 });
	});

	it('begins with a group only on the node that owns it, and with no more at the same time than Discord starts sessions', () => {
		const entry = begin(8);
		expect(claim(entry, 0, 'b')).toBeUndefined();
		expect(claim(entry, 0, 'a', table({ sessions: [held(0, 'a', 'moving')] }))).toBeUndefined();
		const two = claim(claim(entry, 0, 'a') as ReshardEntry, 1, 'b') as ReshardEntry;
		expect(two.active).toEqual({ 0: 'a', 1: 'b' });
		expect(claim(two, 2, 'a')).toBeUndefined();
	});

	it('continues on the next owner of a group whose node has died, which does it again', () => {
		const entry = claim(begin(8, undefined, 2), 0, 'a') as ReshardEntry;
		const dying = table({ nodes: [live('a', -1), live('b')] });
		expect(claim(entry, 0, 'b', dying)).toBeUndefined();
		const taken = table({ nodes: [live('a', -1), live('b')], sessions: [held(0, 'b')] });
		expect(claim(entry, 0, 'b', taken)?.active).toEqual({ 0: 'b' });
		// Its late word about a group that is another node's changes nothing of that.
		const again = claim(entry, 0, 'b', taken) as ReshardEntry;
		expect(given(again, { group: 0, node: 'a' })).toEqual(again);
	});

	it('is not held up by what a node had begun before it lost the group and got it back', () => {
		const entry = claim(begin(8, undefined, 2), 0, 'a') as ReshardEntry;
		// What it is at keeps its place; the group itself cannot be what it is at.
		expect(claim(entry, 2, 'a')).toBeUndefined();
		expect(claim(entry, 0, 'a')?.active).toEqual({ 0: 'a' });
		expect(claim(entry, 2, 'a', table(), () => false)).toMatchObject({ active: { 2: 'a' }, unsure: [0] });
	});

	it('ends when what is being replaced has been, after a failure and when it is called off', () => {
		const both = claim(claim(begin(8), 0, 'a') as ReshardEntry, 1, 'b') as ReshardEntry;
		const ending = given(both, { group: 0, node: 'a', error: 'Discord refused session 4 of 8 (4010)' });
		expect(ending).toMatchObject({ state: 'ending', active: { 1: 'b' } });
		expect(statsOf(ending)).toMatchObject({ state: 'running', error: null });
		expect(claim(ending, 2, 'a')).toBeUndefined();
		const failed = replace(ending, 1, 'b');
		expect(failed.state).toBe('failed');
		expect(failureOf(failed)).toMatchObject({
			code: 'RESHARD_FAILED',
			message: expect.stringMatching(/^1 of 4 groups of sessions were replaced: Discord refused session 4 of 8 \(4010\)/),
		});
		expect(called(begin(8), 'it was called off').state).toBe('failed');
		// And where the node that was at it is gone.
		expect(swept(ending, table({ nodes: [live('a')] }), { node: 'a', isHere: () => false }).state).toBe('failed');
		expect(isRunning(swept(ending, table(), { node: 'a', isHere: () => false }))).toBe(true);
		// Or does not know of it, as its claim or what it reported of it was lost.
		expect(isRunning(swept(ending, table(), { node: 'b', isHere: () => true }))).toBe(true);
		expect(swept(ending, table(), { node: 'b', isHere: () => false }).state).toBe('failed');
	});

	it('does again, or undoes, a group that may have been replaced when its node died at the end', () => {
		const ending = called(claim(begin(8), 1, 'b') as ReshardEntry, 'it was called off');
		const failed = swept(ending, table({ nodes: [live('a')] }), { node: 'a', isHere: () => false });
		expect(failed).toMatchObject({ state: 'failed', sessions: 4, left: [0, 1, 2, 3], unsure: [1] });
		expect(sessionsEach(viewOf(failed), started)).toBe(2);
		expect(() => begin(16, failed)).toThrow(/between 4 and 8 sessions/);
		expect(begin(8, failed).left).toEqual([0, 1, 2, 3]);
		let back = begin(4, failed);
		expect(back).toMatchObject({ from: 8, to: 4, left: [1], unsure: [1] });
		// And the same where that ends on the way.
		back = given(claim(back, 1, 'b') as ReshardEntry, { group: 1, node: 'b', error: 'refused' });
		expect(back).toMatchObject({ state: 'failed', unsure: [1] });
		expect(begin(8, back)).toMatchObject({ from: 4, to: 8, left: [0, 1, 2, 3] });
		back = replace(begin(4, back), 1, 'b');
		expect(back).toMatchObject({ state: 'done', unsure: [] });
		expect(layoutNow(viewOf(back), started)).toEqual(started);
		// A node that was only cut off reports it late.
		expect(replace(failed, 1, 'b')).toMatchObject({ left: [0, 2, 3], unsure: [], resharded: { sessions: 8, groups: [1] } });
		// With what is left untouched there is nothing to do again.
		expect(given(ending, { group: 1, node: 'b', isUntouched: true })).toMatchObject({ state: 'failed', unsure: [] });
	});

	it('continues or returns after that', () => {
		const failed = called(replace(begin(8), 2, 'a'), 'it was called off');
		expect(begin(8, failed)).toMatchObject({ from: 4, to: 8, left: [0, 1, 3] });
		const back = begin(4, failed);
		expect(back).toMatchObject({ from: 8, to: 4, left: [2] });
		expect(layoutNow(viewOf(replace(back, 2, 'a')), started)).toEqual(started);
	});

	it('keeps the nodes from being evened out while it runs', () => {
		expect(() => requireNoReshard(viewOf(begin(8)), started)).toThrow(/being resharded to 8 sessions/);
		requireNoReshard(viewOf(called(begin(8), 'it was called off')), started);
		requireNoReshard(viewOf(undefined), started);
	});

	it('counts in the capacity of nodes from its begin on', () => {
		expect(sessionsEach(viewOf(undefined), started)).toBe(1);
		expect(sessionsEach(viewOf(begin(16)), started)).toBe(4);
	});
});

it('knows the shards whose sessions are still to be replaced', () => {
	const left = (entry: ReshardEntry | undefined, to?: number) => shardsLeft(entry, started, to).join();
	const some = replace(replace(begin(8), 0, 'a'), 2, 'a');
	expect(left(undefined)).toBe('');
	expect(left(some)).toBe('1,3,5,7,9,11,13,15');
	const failed = called(some, 'it was called off');
	expect(left(failed)).toBe('');
	// Where one is only planned: to continue, and to undo it.
	expect(left(failed, 8)).toBe('1,3,5,7,9,11,13,15');
	expect(left(failed, 4)).toBe('0,2,4,6,8,10,12,14');
	const unsure = given(claim(begin(8), 1, 'b') as ReshardEntry, { group: 1, node: 'b', error: 'refused' });
	expect(left(unsure, 4)).toBe('1,5,9,13');
});

it('takes no notice of what a cluster of another layout has left', () => {
	const view = viewOf(begin(8));
	expect(reshardEntry(view, { ...started, sessions: 8 })).toBeUndefined();
	expect(layoutNow(view, { ...started, totalShards: 32 })).toEqual({ ...started, totalShards: 32 });
});

it('lets a node join that was started with the sessions to which the cluster was resharded', () => {
	const layout = JSON.stringify({ totalShards: 16, sessions: 4 });
	const planned = { ...started, sessions: 8 };
	expect(startedLayout({ layout, ...viewOf(begin(8)) }, planned)).toEqual(started);
	expect(startedLayout({ layout, ...viewOf(undefined) }, planned)).toEqual(planned);
	expect(startedLayout({ layout: undefined, ...viewOf(begin(8)) }, planned)).toEqual(planned);
});

it('lets a node join that leaves the number of sessions open, and not one of another shard count', () => {
	const layout = JSON.stringify({ totalShards: 16, sessions: 4 });
	const join = (planned: Layout) => startedLayout({ layout, ...viewOf(undefined) }, planned, { anySessions: true });
	expect(join({ ...started, sessions: 2 })).toEqual(started);
	expect(join({ ...started, totalShards: 32 })).toEqual({ ...started, totalShards: 32 });
});
