// Follows the events or the lines of several nodes as one stream: the last ones of all in order of time, then each new one as it arrives. Nodes
// that join are added, and a node that is lost for a moment is followed again.
import type { NodeRow } from '@shardctl/cluster';
import type { FollowRequest, FrameSink, NodeFeed } from '@shardctl/control';
import { type Clock, deferred, every } from '@shardctl/core';
import type { NodeLinks, OtherNode } from './node-links.js';

export interface NodeFeedsOptions {
	links: NodeLinks;
	clock: Clock;
	/** Of this node. */
	feed(): NodeFeed | undefined;
}

/** How long the recent ones of a slow node are waited for. */
const recentMs = 2000;
/** How often nodes are looked for while someone follows all of them. */
const lookMs = 1000;

export class NodeFeeds {
	readonly #options: NodeFeedsOptions;
	#lastId = 0;
	readonly #followers = new Map<number, (frame: string | null) => void>();

	constructor(options: NodeFeedsOptions) {
		this.#options = options;
	}

	/** Frames of another node arrive. */
	listen(peer: OtherNode): void {
		peer.on('frame', ({ id, frame }) => this.#followers.get(id)?.(frame));
	}

	/**
	 * Resolves when the recent frames were sent; the rest follow until the signal aborts.
	 *
	 * @param nodes The nodes to follow now, read again while it lasts.
	 */
	async follow(
		sink: FrameSink,
		{ tail, ...request }: FollowRequest,
		nodes: () => Promise<{ row: NodeRow; isSelf: boolean }[]>,
		signal: AbortSignal,
	): Promise<void> {
		const { clock } = this.#options;
		const recent: { at: number; frame: Buffer }[] = [];
		let collecting = true;
		const live: Buffer[] = [];
		const followed = new Set<string>();
		const begin = (row: NodeRow, isSelf: boolean, wanted: number) => {
			followed.add(row.node);
			let begun = false;
			return new Promise<void>((resolve) => {
				const onFrame = (frame: Buffer | null) => {
					if (frame === null) {
						begun = true;
						resolve();
					} else if (!collecting) sink.send(frame);
					else if (begun) live.push(frame);
					else recent.push({ at: timeOf(frame), frame });
				};
				const lost = () => {
					followed.delete(row.node);
					resolve();
				};
				this.#followOne({ row, isSelf, request: { ...request, tail: wanted }, onFrame }, signal).then(lost, lost);
			});
		};
		const first = await nodes();
		if (signal.aborted) return;
		const begun = Promise.all(first.map(({ row, isSelf }) => begin(row, isSelf, tail)));
		const late = deferred();
		const timer = clock.setTimeout(() => late.resolve(), recentMs);
		await Promise.race([begun, late.promise]);
		clock.clearTimeout(timer);
		if (signal.aborted) return;
		collecting = false;
		recent.sort((a, b) => a.at - b.at);
		for (const { frame } of tail === 0 ? [] : recent.slice(-tail)) sink.send(frame);
		for (const frame of live) sink.send(frame);
		const stop = every(clock, lookMs, () => {
			nodes().then(
				(now) => {
					// One that has just joined has no past; one that is back has, which was sent before.
					for (const { row, isSelf } of now)
						if (!followed.has(row.node) && !signal.aborted) begin(row, isSelf, 0).catch(() => {});
				},
				() => {},
			);
		});
		signal.addEventListener('abort', stop, { once: true });
	}

	/** Resolves or rejects when that node no longer sends. `onFrame` gets null when all recent frames were sent. */
	async #followOne(
		{
			row,
			isSelf,
			request: { what, tail, shard },
			onFrame,
		}: { row: NodeRow; isSelf: boolean; request: FollowRequest; onFrame(frame: Buffer | null): void },
		signal: AbortSignal,
	): Promise<void> {
		const { links, feed } = this.#options;
		if (isSelf) {
			const own = feed();
			const sink: FrameSink = { send: onFrame, tick: () => {}, end: () => {} };
			if (what === 'events') own?.followEvents(sink, { tail }, signal);
			else await own?.followLogs(sink, { tail, shard }, signal);
			onFrame(null);
			// It lasts as long as this manager.
			return new Promise(() => {});
		}
		const id = ++this.#lastId;
		this.#followers.set(id, (frame) => onFrame(frame === null ? null : Buffer.from(frame)));
		try {
			await links.request(row, 'follow', { id, what, tail, ...(shard === undefined ? {} : { shard }) }, { signal });
		} finally {
			this.#followers.delete(id);
		}
	}
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
