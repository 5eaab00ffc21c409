// What other nodes follow of this one. Each reader has a stream of numbered frames, of which the last ones are kept: after a link that broke it
// gets the frames that it has missed, or how many there were where they are no longer kept.
import type { FrameSink, NodeFeed } from '@shardctl/control';
import { aborted, type Clock, ShardctlError, type Timer } from '@shardctl/core';
import type { OtherNode } from './node-links.js';
import type { NodeEvents, NodeMethods } from './node-methods.js';
import { skippedFrame } from './skipped-frame.js';

export interface FollowedStreamsOptions {
	clock: Clock;
	/** The name of this node. */
	node: string;
	/** Undefined in a manager without a control API. */
	feed(): NodeFeed | undefined;
}

type Request = NodeMethods['follow']['params'];

/** What is kept of frames that were sent, in characters. */
const keptLength = 2 ** 20;
/** What may wait for a slow or broken link besides. */
const waitingLength = 16 * 2 ** 20;
/** How long a reader whose link has broken may take to return. */
const returnMs = 5 * 60_000;

interface Served {
	readonly stream: FollowedStream;
	/** Ends what the feed sends to it. */
	readonly gone: AbortController;
	/** While its link is broken. */
	timer?: Timer | undefined;
}

export class FollowedStreams {
	readonly #options: FollowedStreamsOptions;
	/** By the id that the reader has chosen. */
	readonly #streams = new Map<string, Served>();

	constructor(options: FollowedStreamsOptions) {
		this.#options = options;
	}

	/** How many readers there are, with those that may return. */
	get count(): number {
		return this.#streams.size;
	}

	/** Sends frames to a reader until the signal aborts. */
	async serve(peer: OtherNode, request: Request, signal: AbortSignal): Promise<void> {
		const { clock } = this.#options;
		const { id, after } = request;
		const served = this.#streams.get(id) ?? (await this.#begin(request));
		const { stream } = served;
		if (!signal.aborted) {
			clock.clearTimeout(served.timer);
			stream.connect(peer, after);
		}
		await aborted(signal).catch(() => {});
		// It continues over another link, or this node stops.
		if (!stream.disconnect(peer) || this.#streams.get(id) !== served) return;
		const isCancelled = ShardctlError.is(signal.reason) && signal.reason.code === 'CALL_CANCELLED';
		clock.clearTimeout(served.timer);
		if (isCancelled) this.#end(id);
		else served.timer = clock.setTimeout(() => this.#end(id), returnMs);
	}

	/** This node stops: every reader gets the frames that are still due, and that these were the last. */
	async close(): Promise<void> {
		const streams = [...this.#streams];
		for (const [id, { stream }] of streams) {
			stream.finish();
			this.#end(id);
		}
		await Promise.all(streams.map(([, { stream }]) => stream.flushed()));
	}

	async #begin({ id, what, tail, shard, after }: Request): Promise<Served> {
		const feed = this.#options.feed();
		if (!feed) {
			throw new ShardctlError('WORKER_UNAVAILABLE', 'this node has no control API, so its events and lines cannot be followed');
		}
		const { node } = this.#options;
		const served: Served = { stream: new FollowedStream({ id, node, after }), gone: new AbortController() };
		this.#streams.set(id, served);
		const { stream, gone } = served;
		// The reader was away for longer than its stream was kept.
		if (after > 0) stream.push(skippedFrame({ count: null, node }));
		if (what === 'events') feed.followEvents(stream, { tail }, gone.signal);
		else await feed.followLogs(stream, { tail, shard }, gone.signal);
		stream.recentSent();
		return served;
	}

	#end(id: string): void {
		const served = this.#streams.get(id);
		this.#streams.delete(id);
		this.#options.clock.clearTimeout(served?.timer);
		served?.gone.abort();
	}
}

/** The frames for one reader, in order, numbered from 1. */
export class FollowedStream implements FrameSink {
	readonly #id: string;
	readonly #node: string;
	readonly #kept: string[] = [];
	/** The number of the first one that is kept. */
	#first: number;
	#keptLength = 0;
	/** The number of the one that is sent next; below {@link #first} where that is no longer kept. */
	#next: number;
	/** Where the recent frames end, until the reader was told so. */
	#recentEnd: number | undefined;
	#peer: OtherNode | undefined;
	/** For the link to take more. */
	#waits = false;
	#finished = false;

	/** @param after The number of the last frame that the reader has; 0 for a new one. */
	constructor({ id, node, after }: { id: string; node: string; after: number }) {
		this.#id = id;
		this.#node = node;
		this.#first = after + 1;
		this.#next = after + 1;
	}

	send(frame: Buffer): void {
		this.push(frame.toString());
	}

	push(frame: string): void {
		this.#kept.push(frame);
		this.#keptLength += frame.length;
		this.#pump();
		// Without a link, what was sent last may not have arrived.
		while (this.#keptLength > (this.#peer && this.#first < this.#next ? keptLength : keptLength + waitingLength)) {
			this.#keptLength -= (this.#kept.shift() as string).length;
			this.#first++;
		}
	}

	/** What follows is new. */
	recentSent(): void {
		this.#recentEnd = this.#last;
		this.#pump();
	}

	/** Sends what follows the frame of this number, over this link from now on. */
	connect(peer: OtherNode, after: number): void {
		this.#peer = peer;
		this.#waits = false;
		this.#next = Math.min(after, this.#last) + 1;
		this.#pump();
	}

	/** False where it is connected over another link. */
	disconnect(peer: OtherNode): boolean {
		if (this.#peer !== undefined && this.#peer !== peer) return false;
		this.#peer = undefined;
		return true;
	}

	/** Nothing follows. */
	finish(): void {
		this.#finished = true;
		this.#pump();
	}

	/** Resolves when what was sent has left this process. */
	async flushed(): Promise<void> {
		await this.#peer?.flushed();
	}

	tick(): void {}
	end(): void {}

	get #last(): number {
		return this.#first + this.#kept.length - 1;
	}

	/** As much as the link takes now. */
	#pump(): void {
		let more = true;
		while (more) more = !this.#waits && this.#sendNext();
	}

	/** False where there is nothing to send, or the link takes no more. */
	#sendNext(): boolean {
		const missing = this.#first - this.#next;
		if (missing > 0) {
			if (!this.#notify({ n: this.#first - 1, frame: skippedFrame({ count: missing, node: this.#node }) })) return false;
			this.#next = this.#first;
		}
		if (this.#recentEnd !== undefined && this.#next > this.#recentEnd) {
			if (!this.#notify({ n: this.#next - 1, frame: null, mark: 'recent' })) return false;
			this.#recentEnd = undefined;
		}
		if (this.#next > this.#last) {
			if (this.#finished && this.#notify({ n: this.#last, frame: null, mark: 'end' })) this.#finished = false;
			return false;
		}
		if (!this.#notify({ n: this.#next, frame: this.#kept[this.#next - this.#first] as string })) return false;
		this.#next++;
		return true;
	}

	#notify(frame: Omit<NodeEvents['frame'], 'id'>): boolean {
		const peer = this.#peer;
		if (!peer || peer.closed) return false;
		if (peer.notify('frame', { id: this.#id, ...frame })) return true;
		this.#waits = true;
		peer
			.flushed()
			.then(() => {
				if (this.#peer !== peer) return;
				this.#waits = false;
				this.#pump();
			})
			.catch(() => {});
		return false;
	}
}
