import type { NodeRow } from '@shardctl/cluster';
import type { FleetEvent, FrameSink, NodeFeed } from '@shardctl/control';
import { ShardctlError } from '@shardctl/core';
import { memoryPortPair, Peer } from '@shardctl/rpc';
import { fakeClock } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { FollowedStreams } from './followed-streams.js';
import { type LiveNode, NodeFeeds } from './node-feeds.js';
import type { NodeLinks, OtherNode } from './node-links.js';
import { nodeSchemas } from './node-methods.js';
import { type ServedNode, serveNode } from './serve-node.js';

const frame = (node: string, seq: number, at: number, text = '') =>
	Buffer.from(`event: fleet:ready\nid: ${seq}\ndata: ${JSON.stringify({ node, seq, at, text })}\n\n`);

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
		happen: (seq: number, at: number, text?: string) => {
			for (const sink of sinks) sink.send(frame(node, seq, at, text));
		},
	};
}

type Feed = ReturnType<typeof feedOf>;

/** This node `a` with a feed, and others, each behind a link that can break. */
function cluster(here: Feed) {
	const clock = fakeClock();
	const rows: NodeRow[] = [{ node: 'a' } as NodeRow];
	const links = new Map<string, { connect(): void; cut(): void; ours: OtherNode; streams: FollowedStreams }>();
	const request = async (row: NodeRow, method: 'follow', params: never, options: object) => {
		const link = links.get(row.node);
		if (!link || link.ours.closed) throw new ShardctlError('CHANNEL_CLOSED', 'no link');
		return link.ours.request(method, params, { ...options, timeoutMs: 0 });
	};
	const lastView = () => ({ nodes: rows });
	const feeds = new NodeFeeds({
		links: {
			request,
			get lastView() {
				return lastView();
			},
		} as unknown as NodeLinks,
		clock,
		feed: () => here.feed,
	});
	function add(node: string, there: Feed | undefined) {
		const streams = new FollowedStreams({ clock, node, feed: () => there?.feed });
		const local = new Proxy({}, { get: () => async () => null });
		const link = {
			streams,
			ours: undefined as unknown as OtherNode,
			cut: () => {},
			connect() {
				const [near, far] = memoryPortPair();
				const ours: OtherNode = new Peer({ port: near, epoch: 0, schemas: nodeSchemas });
				const theirs: OtherNode = new Peer({ port: far, epoch: 0, schemas: nodeSchemas });
				serveNode(theirs, { local, streams } as unknown as ServedNode);
				feeds.listen(ours);
				link.ours = ours;
				link.cut = () => {
					ours.close();
					theirs.close();
				};
				onTestFinished(link.cut);
			},
		};
		link.connect();
		links.set(node, link);
		rows.push({ node } as NodeRow);
		return link;
	}
	const nodes = async (): Promise<LiveNode[]> => rows.map((row) => ({ row, isSelf: row.node === 'a' }));
	const leave = (node: string) => rows.splice(0, rows.length, ...rows.filter((row) => row.node !== node));
	const gone = new AbortController();
	onTestFinished(() => gone.abort());
	/** What a reader is sent, as `node seq`, and `skipped …`. */
	async function follow(tail: number): Promise<string[]> {
		const seen: string[] = [];
		const sink: FrameSink = {
			send: (sent) => {
				const [, type] = /^event: (.*)$/m.exec(sent.toString()) as unknown as [string, string];
				const data = JSON.parse(/^data: (.*)$/m.exec(sent.toString())?.[1] as string) as Record<string, string | number | null>;
				seen.push(type === 'skipped' ? `skipped ${data.count} of ${data.node}` : `${data.node} ${data.seq}`);
			},
			tick: () => {},
			end: () => {},
		};
		await feeds.follow(sink, { what: 'events', tail }, nodes, gone.signal);
		return seen;
	}
	/** Until the nodes were looked for again. */
	const look = () => clock.advance(1000);
	return { add, leave, follow, look, clock, gone };
}

it('sends the last events of all nodes in order of time, then each new one of any node, until the reader leaves', async () => {
	const [a, b] = [feedOf('a', [10, 30, 50]), feedOf('b', [20, 40, 60])];
	const { add, follow, gone } = cluster(a);
	const { streams } = add('b', b);
	const seen = await follow(4);
	expect(seen).toEqual(['a 2', 'b 2', 'a 3', 'b 3']);
	a.happen(4, 70);
	b.happen(4, 80);
	await expect.poll(() => seen.slice(4)).toEqual(['a 4', 'b 4']);
	gone.abort();
	await expect.poll(() => [a.readers + b.readers, streams.count]).toEqual([0, 0]);
});

it('sends what this node has when another one cannot be followed', async () => {
	const { add, follow } = cluster(feedOf('a', [10]));
	add('b', undefined);
	expect(await follow(5)).toEqual(['a 1']);
});

it('sends each event once when a link breaks, those of the time without it too', async () => {
	const [a, b] = [feedOf('a', []), feedOf('b', [20, 40])];
	const { add, follow, look } = cluster(a);
	const link = add('b', b);
	const seen = await follow(1);
	b.happen(3, 50);
	await expect.poll(() => seen).toEqual(['b 2', 'b 3']);
	// One is on its way when the link breaks.
	b.happen(4, 60);
	link.cut();
	b.happen(5, 70);
	link.connect();
	await look();
	b.happen(6, 80);
	await expect.poll(() => seen).toEqual(['b 2', 'b 3', 'b 4', 'b 5', 'b 6']);
	expect([b.readers, link.streams.count]).toEqual([1, 1]);
});

it('says how many were left out where more happened without a link than is kept', async () => {
	const b = feedOf('b', []);
	const { add, follow, look } = cluster(feedOf('a', []));
	const link = add('b', b);
	const seen = await follow(0);
	b.happen(1, 1);
	await expect.poll(() => seen).toEqual(['b 1']);
	link.cut();
	const mebibyte = 'x'.repeat(2 ** 20);
	for (let seq = 2; seq <= 21; seq++) b.happen(seq, seq, mebibyte);
	link.connect();
	await look();
	await expect.poll(() => seen.at(-1)).toBe('b 21');
	const [, skipped] = seen as [string, string];
	const count = Number(/^skipped (\d+) of b$/.exec(skipped)?.[1]);
	expect(count).toBeGreaterThan(0);
	// Each one was sent or counted.
	expect(seen.slice(2)).toEqual(Array.from({ length: 20 - count }, (_, index) => `b ${2 + count + index}`));
});

it('says that some may be left out where a link was broken for longer than a stream is kept', async () => {
	const b = feedOf('b', []);
	const { add, follow, look, clock } = cluster(feedOf('a', []));
	const link = add('b', b);
	const seen = await follow(0);
	b.happen(1, 1);
	await expect.poll(() => seen).toEqual(['b 1']);
	link.cut();
	await clock.advance(10 * 60_000);
	await expect.poll(() => [b.readers, link.streams.count]).toEqual([0, 0]);
	b.happen(2, 2);
	link.connect();
	await look();
	await expect.poll(() => b.readers).toBe(1);
	b.happen(3, 3);
	await expect.poll(() => seen).toEqual(['b 1', 'skipped null of b', 'b 3']);
});

it('sends everything of a node that joins, from its first event', async () => {
	const { add, follow, look } = cluster(feedOf('a', [10]));
	const seen = await follow(0);
	const b = feedOf('b', [20, 40]);
	add('b', b);
	await look();
	await expect.poll(() => b.readers).toBe(1);
	b.happen(3, 50);
	await expect.poll(() => seen).toEqual(['b 1', 'b 2', 'b 3']);
});

it('says once that the last ones of a node that died may be missing, and nothing of a node that has stopped in order', async () => {
	const [b, c] = [feedOf('b', [20]), feedOf('c', [30])];
	const { add, leave, follow, look, clock } = cluster(feedOf('a', []));
	const [died, stopped] = [add('b', b), add('c', c)];
	const seen = await follow(2);
	c.happen(2, 40);
	await stopped.streams.close();
	stopped.cut();
	died.cut();
	await look();
	expect(seen).toEqual(['b 1', 'c 1', 'c 2']);
	leave('b');
	leave('c');
	await look();
	await look();
	expect(seen).toEqual(['b 1', 'c 1', 'c 2', 'skipped null of b']);
	expect([c.readers, stopped.streams.count]).toEqual([0, 0]);
	// The look of the reader, and the stream of the node that died, whose reader may return: nothing keeps a stopped node running.
	expect(clock.pendingTimers()).toBe(2);
});
