import type { NodeRow } from '@shardctl/cluster';
import { expect, it } from 'vitest';
import { forgetAfterMs, SharingNodes } from './sharing-nodes.js';

const node = (name: string, leaseMs = 6000): NodeRow => ({
	node: name,
	member: { name, version: '1', pid: 1, startedAt: 1, capacity: 9, draining: false, reachesDiscord: true },
	leaseMs,
	renewals: 1,
});
const all = { nodes: [node('a'), node('b'), node('c')] };
/** What a node reads first when Redis is back after longer than a lease: the others have not renewed theirs yet. */
const alone = { nodes: [node('a'), node('b', -4000), node('c', -4000)] };

it('counts those that are expected before the first reading, then those that are live', () => {
	const nodes = new SharingNodes(2);
	expect(nodes.count).toBe(2);
	nodes.note(all, 0);
	expect(nodes.count).toBe(3);
});

it.each([
	['whose lease ended while Redis was away', alone],
	['that Redis has lost', { nodes: [node('a')] }],
])('still counts nodes %s, however long that was', (_, reading) => {
	const nodes = new SharingNodes(1);
	nodes.note(all, 0);
	nodes.note(reading, 10 * forgetAfterMs);
	expect(nodes.count).toBe(3);
	nodes.note(all, 10 * forgetAfterMs + 1000);
	expect(nodes.count).toBe(3);
});

it('forgets a node when readings have been without it for a while', () => {
	const nodes = new SharingNodes(1);
	nodes.note(all, 0);
	nodes.note(alone, 1000);
	nodes.note(alone, 1000 + forgetAfterMs);
	expect(nodes.count).toBe(3);
	nodes.note(alone, 1001 + forgetAfterMs);
	expect(nodes.count).toBe(1);
});
