import type { DashboardCluster, NodeInfo, NodeStatus } from '@shardctl/core';
import { expect, it } from 'vitest';
import { nodeGroups, nodeHint, nodeLooks, otherNodes } from './node-groups.ts';
import type { ShownShard } from './shard-look.ts';

const node = (name: string, status: NodeStatus = 'ready', changes: Partial<NodeInfo> = {}): NodeInfo =>
	({ name, status, sessions: 1, version: '1.0.0', ...changes }) as NodeInfo;
const cluster = (...nodes: NodeInfo[]): DashboardCluster => ({ node: 'a', nodes, moves: [] });
const shard = (shardId: number, name?: string) => ({ shardId, node: name }) as ShownShard;

it('groups shards by their nodes, with nodes that have none, and begins with the shards that no node has', () => {
	const shown = [shard(0, 'b'), shard(1), shard(2, 'a'), shard(3, 'b'), shard(4, 'gone-before')];
	const groups = nodeGroups(shown, cluster(node('b'), node('a'), node('c')));
	expect(groups.map(({ name, node: known, shards }) => [name, known?.name, shards.map(({ shardId }) => shardId)])).toEqual([
		[null, undefined, [1]],
		['a', 'a', [2]],
		['b', 'b', [0, 3]],
		['c', 'c', []],
		['gone-before', undefined, [4]],
	]);
});

it('offers a move only to nodes that take sessions', () => {
	const nodes = cluster(node('a'), node('b'), node('c', 'draining'), node('d', 'muted'), node('e', 'gone'), node('f', 'joining'));
	expect(otherNodes(nodes, 'a')).toEqual(['b']);
	expect(otherNodes(nodes, undefined)).toEqual(['a', 'b']);
});

it('gives each status a look of its own, and says what it means', () => {
	const statuses: NodeStatus[] = ['joining', 'ready', 'draining', 'muted', 'gone'];
	expect(new Set(statuses.map((status) => nodeLooks[status])).size).toBe(statuses.length);
	expect(statuses.map((status) => nodeHint(node('a', status), '1.0.0'))).toEqual([
		'',
		'',
		'its sessions move to other nodes',
		'its lease is not confirmed, so it delivers no events',
		'its lease has ended, and other nodes take over its sessions',
	]);
	expect(nodeHint(node('a', 'draining', { sessions: 0 }), '1.0.0')).toBe('it has no session left, and gets none');
	expect(nodeHint(node('a', 'ready', { version: '0.9.0' }), '1.0.0')).toBe('shardctl 0.9.0');
});
