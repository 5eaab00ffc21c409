// Follows the events or the lines of several nodes as one stream: the last ones of all in order of time, then each new one as it arrives. Nodes
// that join are added with everything that they have. After a link that broke, a node is followed from where it was; what is missing then is said.
import { randomUUID } from 'node:crypto';
import type { NodeRow } from '@shardctl/cluster';
import type { FollowRequest, FrameSink, NodeFeed } from '@shardctl/control';
import { type Clock, deferred, every, ShardctlError } from '@shardctl/core';
import { nameOf } from './cluster-nodes.js';
import type { NodeLinks, OtherNode } from './node-links.js';
import type { NodeEvents } from './node-methods.js';
import { skippedFrame } from './skipped-frame.js';

export interface NodeFeedsOptions {
	links: Pick<NodeLinks, 'request' | 'lastView'>;
	clock: Clock;
	/** Of this node. */
	feed(): NodeFeed | undefined;
}

export interface LiveNode {
	row: NodeRow;
	isSelf: boolean;
}

/** How long the recent ones of a slow node are waited for. */
const recentMs = 2000;
/** How often nodes are looked for while a reader follows all of them. */
const lookMs = 1000;
/** More than a node keeps. */
const everything = 10_000_000;

/** One node that is followed for one reader. */
interface Followed extends LiveNode {
	/** Names the stream to the other node, also when it is followed again over another link. */
	readonly id: string;
	/** How many recent ones are wanted. */
	readonly tail: number;
	/** The number of the last frame that has arrived. */
	last: number;
	/** Whether the recent ones have arrived. */
	begun: boolean;
	/** lost: the link has ended, and not its feed. ended: the node has stopped in order. */
	state: 'followed' | 'lost' | 'ended';
	onFrame(frame: Buffer): void;
	onBegun(): void;
}

export class NodeFeeds {
	readonly #options: NodeFeedsOptions;
	/** By the id of what they follow. */
	readonly #followed = new Map<string, Followed>();

	constructor(options: NodeFeedsOptions) {
		this.#options = options;
	}

	/** Frames of another node arrive. */
	listen(peer: OtherNode): void {
		peer.on('frame', (message) => {
			const followed = this.#followed.get(message.id);
			if (followed) receive(followed, message);
		});
	}

	/**
	 * Resolves when the recent frames were sent; the rest follow until the signal aborts.
	 *
	 * @param nodes The nodes to follow now, read again while it lasts.
	 */
	async follow(
		sink: FrameSink,
		{ tail, ...request }: FollowRequest,
		nodes: () => Promise<LiveNode[]>,
		signal: AbortSignal,
	): Promise<void> {
		const { clock, links } = this.#options;
		const recent: { at: number; frame: Buffer }[] = [];
		let collecting = true;
		const live: Buffer[] = [];
		const followed = new Map<string, Followed>();
		const add = (node: LiveNode, wanted: number): Promise<void> => {
			const { promise, resolve } = deferred();
			const each: Followed = {
				...node,
				id: randomUUID(),
				tail: wanted,
				last: 0,
				begun: false,
				state: 'lost',
				onFrame(frame) {
					if (!collecting) sink.send(frame);
					else if (each.begun) live.push(frame);
					else recent.push({ at: timeOf(frame), frame });
				},
				onBegun: resolve,
			};
			followed.set(node.row.node, each);
			this.#connect(each, request, signal).then(resolve, resolve);
			return promise;
		};
		const first = await nodes();
		if (signal.aborted) return;
		// Of a node that was there before, the reader has not asked for more.
		const known = new Set(links.lastView?.nodes.map(({ node }) => node));
		const begun = Promise.all(first.map((node) => add(node, tail)));
		const late = deferred();
		const timer = clock.setTimeout(() => late.resolve(), recentMs);
		await Promise.race([begun, late.promise]);
		clock.clearTimeout(timer);
		if (signal.aborted) return;
		collecting = false;
		recent.sort((a, b) => a.at - b.at);
		for (const { frame } of tail === 0 ? [] : recent.slice(-tail)) sink.send(frame);
		for (const frame of live) sink.send(frame);
		const look = (now: readonly LiveNode[]) => {
			if (signal.aborted) return;
			for (const node of now) {
				const each = followed.get(node.row.node);
				if (!each) add(node, known.has(node.row.node) ? 0 : everything).catch(() => {});
				else if (each.state === 'lost') this.#connect(each, request, signal).catch(() => {});
			}
			const present = new Set(now.map(({ row }) => row.node));
			for (const [id, { row, state, begun: wasFollowed }] of followed) {
				if (present.has(id) || state === 'followed') continue;
				followed.delete(id);
				known.add(id);
				if (state === 'lost' && wasFollowed) sink.send(Buffer.from(skippedFrame({ count: null, node: nameOf(row) })));
			}
		};
		const stop = every(clock, lookMs, () => {
			nodes().then(look, (error: unknown) => {
				// The only node that is followed is gone; it may be back under its name.
				if (ShardctlError.is(error) && error.code === 'NODE_NOT_FOUND') look([]);
			});
		});
		signal.addEventListener('abort', stop, { once: true });
	}

	/** Resolves when that node no longer sends. Of this node that is never: it resolves when the recent ones were sent. */
	async #connect(each: Followed, request: Omit<FollowRequest, 'tail'>, signal: AbortSignal): Promise<void> {
		each.state = 'followed';
		try {
			if (each.isSelf) {
				await this.#followSelf(each, request, signal);
				return;
			}
			await this.#followOther(each, request, signal);
		} catch {
			// Whether the node is gone is known from the table.
		}
		if (each.state === 'followed') each.state = 'lost';
	}

	async #followSelf(each: Followed, { what, shard }: Omit<FollowRequest, 'tail'>, signal: AbortSignal): Promise<void> {
		const own = this.#options.feed();
		const { tail, onFrame } = each;
		const sink: FrameSink = { send: onFrame, tick: () => {}, end: () => {} };
		if (what === 'events') own?.followEvents(sink, { tail }, signal);
		else await own?.followLogs(sink, { tail, shard }, signal);
		each.begun = true;
	}

	async #followOther(each: Followed, { what, shard }: Omit<FollowRequest, 'tail'>, signal: AbortSignal): Promise<void> {
		const { id, row, last, tail } = each;
		this.#followed.set(id, each);
		const from = { after: last, tail: last === 0 ? tail : 0 };
		try {
			await this.#options.links.request(
				row,
				'follow',
				{ id, what, ...from, ...(shard === undefined ? {} : { shard }) },
				{ signal },
			);
		} finally {
			this.#followed.delete(id);
		}
	}
}

function receive(each: Followed, { n, frame, mark }: NodeEvents['frame']): void {
	if (mark === 'end') each.state = 'ended';
	else if (mark === 'recent') {
		each.begun = true;
		each.onBegun();
	}
	// What was sent over the link before may arrive twice.
	if (frame === null || n <= each.last) return;
	each.last = n;
	each.onFrame(Buffer.from(frame));
}

/** The time in the data of a frame, which is JSON with `at`. */
function timeOf(frame: Buffer): number {
	const data = /^data: (.*)$/m.exec(frame.toString())?.[1];
	try {
		return Number((JSON.parse(data ?? '{}') as { at?: number }).at ?? 0);
	} catch {
		return 0;
	}
}
