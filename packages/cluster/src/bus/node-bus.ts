// Calls between nodes: an inbox (a channel of Redis) for each node, links between two of them, and rpc's Peer on each link. A node calls
// over the links that it has opened, and serves those that others have opened. Only sealed messages that are addressed to this node count.
import { randomBytes } from 'node:crypto';
import { type Clock, type Deferred, deferred, ShardctlError, systemClock, type Timer } from '@shardctl/core';
import { type MethodMap, Peer, type PeerSchemas } from '@shardctl/rpc';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisPort } from '../redis/redis-port.js';
import { Link } from './link.js';
import { type LinkMessage, readMessage, writeMessage } from './link-wire.js';
import type { MessageSeal } from './message-seal.js';

/** No events. */
type None = Record<never, never>;

/** A conversation between two nodes: each calls the same methods of the other, and sends it the same events. */
export type NodePeer<Methods extends MethodMap<Methods>, Events extends object = None> = Peer<Methods, Methods, Events, Events>;

export interface NodeBusOptions<Methods extends MethodMap<Methods>, Events extends object = None> {
	redis: RedisPort;
	keys: ClusterKeys;
	/** This incarnation. */
	node: string;
	seal: MessageSeal;
	/** Registers the handlers for what the other node calls. */
	serve(peer: NodePeer<Methods, Events>, node: string): void;
	/** What is accepted from other nodes (default: anything that can be read). */
	schemas?: PeerSchemas<Methods, Methods, Events>;
	clock?: Clock;
	/** How long a node may take to answer the opening of a link (default 2000). */
	openMs?: number;
}

/** Messages that were not accepted, by reason. */
export interface BusCounters {
	/** Not sealed with this cluster's key: forged, or of another application. */
	forged: number;
	/** For another node, or of no link that there is: recorded and sent again, or late. */
	misplaced: number;
}

interface Opened<Methods extends MethodMap<Methods>, Events extends object> {
	link: Link;
	peer: NodePeer<Methods, Events>;
}

interface Opening<Methods extends MethodMap<Methods>, Events extends object> {
	a: string;
	done: Deferred<NodePeer<Methods, Events>>;
	timer: Timer;
}

export class NodeBus<Methods extends MethodMap<Methods>, Events extends object = None> {
	readonly counters: Readonly<BusCounters>;
	readonly #counters: BusCounters = { forged: 0, misplaced: 0 };
	readonly #options: NodeBusOptions<Methods, Events>;
	readonly #clock: Clock;
	readonly #opening = new Map<string, Opening<Methods, Events>>();
	/** Node → the link that this node has opened to it. */
	readonly #outgoing = new Map<string, Opened<Methods, Events>>();
	/** Node → the link that it has opened to this one. */
	readonly #incoming = new Map<string, Opened<Methods, Events>>();
	/** Node → what this node has answered to its last hello. A recorded hello gets no further than this. */
	readonly #welcomed = new Map<string, { a: string; b: string }>();
	#unsubscribe: (() => Promise<void>) | undefined;

	constructor(options: NodeBusOptions<Methods, Events>) {
		this.#options = options;
		this.#clock = options.clock ?? systemClock;
		this.counters = this.#counters;
	}

	/** Rejects where Redis cannot be reached. */
	async start(): Promise<void> {
		const { redis, keys, node } = this.#options;
		this.#unsubscribe = await redis.subscribe(
			keys.inbox(node),
			(message) => this.#onMessage(message),
			// Messages may have been lost: no call that waits can be sure of its answer.
			() => this.#endAll(),
		);
	}

	/**
	 * The conversation with another node. Rejects with `CHANNEL_CLOSED` where it does not listen, with `CALL_TIMEOUT` where it does not
	 * answer. Calls settle with `CHANNEL_CLOSED` when the link ends; the next call of this method opens another.
	 */
	async peer(node: string): Promise<NodePeer<Methods, Events>> {
		const opened = this.#outgoing.get(node);
		if (opened) return opened.peer;
		const opening = this.#opening.get(node);
		if (opening) return opening.done.promise;
		return this.#open(node);
	}

	/** The node is gone: what waits for it settles now. */
	drop(node: string): void {
		this.#fail(node, new ShardctlError('CHANNEL_CLOSED', `node ${node} has left the cluster`));
		this.#outgoing.get(node)?.link.end();
		this.#incoming.get(node)?.link.end();
		this.#welcomed.delete(node);
	}

	async close(): Promise<void> {
		this.#endAll();
		await this.#unsubscribe?.();
	}

	async #open(node: string): Promise<NodePeer<Methods, Events>> {
		const a = nonce();
		const done = deferred<NodePeer<Methods, Events>>();
		const { openMs = 2000 } = this.#options;
		const timer = this.#clock.setTimeout(
			() => this.#fail(node, new ShardctlError('CALL_TIMEOUT', `node ${node} did not answer within ${openMs} ms`)),
			openMs,
		);
		this.#opening.set(node, { a, done, timer });
		this.#publish({ kind: 'hello', from: this.#options.node, to: node, a }).then(
			(heard) => {
				if (!heard) this.#fail(node, new ShardctlError('CHANNEL_CLOSED', `node ${node} does not listen`));
			},
			(error: unknown) => this.#fail(node, error),
		);
		return done.promise;
	}

	#fail(node: string, error: unknown): void {
		const opening = this.#opening.get(node);
		if (!opening) return;
		this.#opening.delete(node);
		this.#clock.clearTimeout(opening.timer);
		opening.done.reject(error);
	}

	#onMessage(data: Buffer): void {
		const text = this.#options.seal.open(data);
		if (text === undefined) {
			this.#counters.forged++;
			return;
		}
		const message = readMessage(text);
		if (message?.to !== this.#options.node || !this.#accept(message)) this.#counters.misplaced++;
	}

	/** False for a message that fits nothing here. */
	#accept(message: LinkMessage): boolean {
		const { from } = message;
		switch (message.kind) {
			case 'hello': {
				const b = nonce();
				this.#welcomed.set(from, { a: message.a, b });
				this.#publish({ kind: 'welcome', from: this.#options.node, to: from, a: message.a, b }).catch(() => {});
				return true;
			}
			case 'welcome': {
				const opening = this.#opening.get(from);
				if (opening?.a !== message.a) return false;
				this.#opening.delete(from);
				this.#clock.clearTimeout(opening.timer);
				opening.done.resolve(this.#begin(from, message, this.#outgoing).peer);
				return true;
			}
			case 'data': {
				const link = this.#linkOf(from, message) ?? this.#beginIncoming(from, message);
				if (link) return link.receive(message);
				// It was ended here, because messages may have been lost, before the other node knew.
				this.#publish({ kind: 'end', from: this.#options.node, to: from, a: message.a, b: message.b }).catch(() => {});
				return false;
			}
			case 'end':
				this.#linkOf(from, message)?.ended();
				return true;
		}
	}

	#linkOf(from: string, message: { a: string; b: string }): Link | undefined {
		for (const links of [this.#outgoing, this.#incoming]) {
			const link = links.get(from)?.link;
			if (link?.isOf(message)) return link;
		}
		return undefined;
	}

	/** The first message that proves that the sender has the answer to its hello. */
	#beginIncoming(from: string, message: { a: string; b: string }): Link | undefined {
		const welcomed = this.#welcomed.get(from);
		if (welcomed?.a !== message.a || welcomed.b !== message.b) return undefined;
		this.#welcomed.delete(from);
		this.#incoming.get(from)?.link.end();
		return this.#begin(from, message, this.#incoming).link;
	}

	#begin(node: string, { a, b }: { a: string; b: string }, links: Map<string, Opened<Methods, Events>>): Opened<Methods, Events> {
		const link = new Link({
			self: this.#options.node,
			other: node,
			a,
			b,
			publish: (message) => this.#publish(message),
			onEnd: () => {
				if (links.get(node)?.link === link) links.delete(node);
			},
		});
		const { schemas, serve } = this.#options;
		const peer: NodePeer<Methods, Events> = new Peer({
			port: link,
			epoch: 0,
			clock: this.#clock,
			onProtocolError: () => {},
			...(schemas ? { schemas } : {}),
		});
		serve(peer, node);
		const opened = { link, peer };
		links.set(node, opened);
		return opened;
	}

	#endAll(): void {
		const error = new ShardctlError('CHANNEL_CLOSED', 'the connection to Redis broke, and messages between nodes with it');
		// A copy, as each removes itself.
		for (const node of Array.from(this.#opening.keys())) this.#fail(node, error);
		for (const { link } of [...this.#outgoing.values(), ...this.#incoming.values()]) link.end();
		this.#welcomed.clear();
	}

	async #publish(message: LinkMessage): Promise<boolean> {
		const { redis, keys, seal } = this.#options;
		return (await redis.publish(keys.inbox(message.to), seal.seal(writeMessage(message)))) > 0;
	}
}

function nonce(): string {
	return randomBytes(12).toString('base64url');
}
