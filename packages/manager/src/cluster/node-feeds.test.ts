import type { NodeRow } from '@shardctl/cluster';
import type { FleetEvent, FrameSink, NodeFeed } from '@shardctl/control';
import { systemClock } from '@shardctl/core';
import { memoryPortPair, Peer } from '@shardctl/rpc';
import { expect, it, onTestFinished } from 'vitest';
import { NodeFeeds } from './node-feeds.js';
import type { NodeLinks, OtherNode } from './node-links.js';
import { nodeSchemas } from './node-methods.js';
import { type ServedNode, serveNode } from './serve-node.js';

const frame = (node: string, seq: number, at: number) =>
	Buffer.from(`event: fleet:ready\nid: ${seq}\ndata: ${JSON.stringify({ node, seq, at })}\n\n`);

/** The feed of one node: its past, and what happens from now on. */
function feedOf(node: string, past: readonly number[]) {
	const sinks = new Set<FrameSink>();
	const feed: NodeFeed = {
		recentEvents: () => past.map((at, index) => ({ seq: index + 1, at, type: 'fleet:ready', node }) as FleetEvent),
		followEvents(sink, { tail }, signal) {
			for (const [index, at] of past.entries()) if (index >= past.length - tail) sink.send(frame(node, index + 1, at));
			sinks.add(sink);
			signal.addEventListener('abort', () => sinks.delete(sink));
		},
		followLogs: async () => {},
	};
	return {
		feed,
		get readers() {
			return sinks.size;
		},
		happen: (seq: number, at: number) => {
			for (const sink of sinks) sink.send(frame(node, seq, at));
		},
	};
}

/** This node with a feed, and another behind a link. */
function twoNodes(here: ReturnType<typeof feedOf>, there: ReturnType<typeof feedOf> | undefined) {
	const [near, far] = memoryPortPair();
	const ourEnd: OtherNode = new Peer({ port: near, epoch: 0, schemas: nodeSchemas });
	const theirEnd: OtherNode = new Peer({ port: far, epoch: 0, schemas: nodeSchemas });
	onTestFinished(() => {
		ourEnd.close();
		theirEnd.close();
	});
	const local = new Proxy({}, { get: () => async () => null });
	serveNode(theirEnd, { local, feed: () => there?.feed } as unknown as ServedNode);
	const links = {
		request: (_row: NodeRow, method: 'follow', params: never, options: object) => ourEnd.request(method, params, options),
	} as unknown as NodeLinks;
	const feeds = new NodeFeeds({ links, clock: systemClock, feed: () => here.feed });
	feeds.listen(ourEnd);
	const rows = [
		{ row: { node: 'a' } as NodeRow, isSelf: true },
		{ row: { node: 'b' } as NodeRow, isSelf: false },
	];
	return { feeds, nodes: async () => rows };
}

/** What a reader was sent, as `node seq`. */
function reader() {
	const seen: string[] = [];
	const sink: FrameSink = {
		send: (sent) => {
			const { node, seq } = JSON.parse(/^data: (.*)$/m.exec(sent.toString())?.[1] as string) as { node: string; seq: number };
			seen.push(`${node} ${seq}`);
		},
		tick: () => {},
		end: () => {},
	};
	return { sink, seen };
}

it('sends the last events of all nodes in order of time, then each new one of any node, until the reader leaves', async () => {
	const [a, b] = [feedOf('a', [10, 30, 50]), feedOf('b', [20, 40, 60])];
	const { feeds, nodes } = twoNodes(a, b);
	const { sink, seen } = reader();
	const gone = new AbortController();
	await feeds.follow(sink, { what: 'events', tail: 4 }, nodes, gone.signal);
	expect(seen).toEqual(['a 2', 'b 2', 'a 3', 'b 3']);
	a.happen(4, 70);
	b.happen(4, 80);
	await expect.poll(() => seen.slice(4)).toEqual(['a 4', 'b 4']);
	gone.abort();
	await expect.poll(() => a.readers + b.readers).toBe(0);
});

it('sends what this node has when another one cannot be followed', async () => {
	const a = feedOf('a', [10]);
	const { feeds, nodes } = twoNodes(a, undefined);
	const { sink, seen } = reader();
	const gone = new AbortController();
	onTestFinished(() => gone.abort());
	await feeds.follow(sink, { what: 'events', tail: 5 }, nodes, gone.signal);
	expect(seen).toEqual(['a 1']);
});
