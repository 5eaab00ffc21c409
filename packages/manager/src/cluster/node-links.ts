// The connections of this manager to the managers of the other nodes: requests by the name of a node, and the cluster as it was when it was
// last read. A node that is gone settles what waits for it: at once where Redis no longer passes its messages on, else with its lease.
import type { ClusterKeys, ClusterNode, ClusterView, IoredisPort, NodeBus, NodePeer, NodeRow, Timings } from '@shardctl/cluster';
import { botKey, type Clock, every, type Layout, messageOf, orAborted, ShardctlError } from '@shardctl/core';
import type { PreparedValue, RequestOptions } from '@shardctl/rpc';
import { type NodeEvents, type NodeMethods, nodeSchemas } from './node-methods.js';

export type OtherNode = NodePeer<NodeMethods, NodeEvents>;

/** What a node that has joined has to talk to the others. */
export interface ClusterDoor {
	readonly node: ClusterNode;
	readonly redis: IoredisPort;
	readonly keys: ClusterKeys;
	readonly timings: Timings;
	readonly layout: Layout;
}

export interface NodeLinksOptions {
	token: string;
	/** Of the cluster; the token where there is none. */
	secret: string | undefined;
	clock: Clock;
	/** Registers the handlers for what the other node calls. */
	serve(peer: OtherNode): void;
	/** Resolves when the last messages to other nodes were sent. */
	closing?(): Promise<void>;
}

/** A view that is at most this old is good enough to choose the nodes of a call. */
const freshMs = 1000;
/** How often a node that should respond is looked at. */
const watchMs = 500;

export class NodeLinks {
	readonly #options: NodeLinksOptions;
	#door: ClusterDoor | undefined;
	#bus: NodeBus<NodeMethods, NodeEvents> | undefined;
	#view: { view: ClusterView; at: number } | undefined;
	/** Node → number of requests that wait for it. */
	readonly #waiting = new Map<string, number>();
	/** Nodes whose answer to a ping has not arrived. */
	readonly #pinged = new Set<string>();
	#stopWatching: (() => void) | undefined;

	constructor(options: NodeLinksOptions) {
		this.#options = options;
	}

	/** Before the node joins: others may call it from then on. */
	async open(door: ClusterDoor): Promise<void> {
		const { MessageSeal, NodeBus } = await import('@shardctl/cluster');
		const { token, secret = token, clock, serve } = this.#options;
		const { redis, keys, node } = door;
		const bus = new NodeBus<NodeMethods, NodeEvents>({
			redis,
			keys,
			node: node.node,
			seal: new MessageSeal({ secret, applicationId: botKey(token) }),
			clock,
			schemas: nodeSchemas,
			serve,
		});
		await bus.start();
		this.#door = door;
		this.#bus = bus;
	}

	/** What waits for other nodes rejects. */
	async close(): Promise<void> {
		this.#stopWatching?.();
		await this.#options.closing?.();
		await this.#bus?.close().catch(() => {});
		this.#bus = undefined;
	}

	/** Whether other nodes can be reached: from before this one joins until it has left. */
	get isOpen(): boolean {
		return this.#bus !== undefined;
	}

	/** Throws `WORKER_UNAVAILABLE` before this node has joined. */
	get door(): ClusterDoor {
		if (this.#door && this.#bus) return this.#door;
		throw new ShardctlError(
			'WORKER_UNAVAILABLE',
			'this node has not joined the cluster yet: follow it with "shardctl events -f"',
		);
	}

	/** The cluster was read. */
	note(view: ClusterView): void {
		this.#view = { view, at: this.#options.clock.monotonic() };
	}

	/** As it is now. */
	async read(): Promise<ClusterView> {
		const view = await this.door.node.read();
		this.note(view);
		return view;
	}

	/** As it was a moment ago: who owns what is right then, or a call is refused by who no longer does. While Redis is away, as it was last. */
	async view(): Promise<ClusterView> {
		const known = this.#view;
		if (known && this.#options.clock.monotonic() - known.at < freshMs) return known.view;
		return (await this.look()).view;
	}

	/** As it is now, or with the reason why not as it was when it was last read. Rejects where it was never read. */
	async look(): Promise<{ view: ClusterView; problem: string | undefined }> {
		try {
			return { view: await this.read(), problem: undefined };
		} catch (error) {
			const known = this.#view;
			if (!known) throw error;
			// Not asked again at once: what was known is what there is.
			known.at = this.#options.clock.monotonic();
			return { view: known.view, problem: messageOf(error) };
		}
	}

	/** As it was last read, without asking Redis; undefined before that. */
	get lastView(): ClusterView | undefined {
		return this.#view?.view;
	}

	/**
	 * A request to another node. Rejects with what its handler threw, and with `CHANNEL_CLOSED` where it does not listen or its lease has
	 * ended. Without a deadline it waits as long as the node lives.
	 */
	async request<M extends keyof NodeMethods & string>(
		row: NodeRow,
		method: M,
		params: NodeMethods[M]['params'] | PreparedValue,
		{ signal, timeoutMs = 0 }: RequestOptions = {},
	): Promise<NodeMethods[M]['result']> {
		void this.door;
		const { node } = row;
		this.#waiting.set(node, (this.#waiting.get(node) ?? 0) + 1);
		this.#stopWatching ??= every(this.#options.clock, watchMs, () => this.#watch());
		let peer: OtherNode | undefined;
		try {
			const opening = (this.#bus as NodeBus<NodeMethods, NodeEvents>).peer(node);
			peer = await (signal ? orAborted(opening, signal) : opening);
			return await peer.request(method, params, { signal, timeoutMs });
		} catch (error) {
			// The same code may be about a worker over there.
			throw peer?.closed === false ? error : nodeFailure(error, row);
		} finally {
			this.#settled(node);
		}
	}

	#settled(node: string): void {
		const left = (this.#waiting.get(node) ?? 1) - 1;
		if (left > 0) this.#waiting.set(node, left);
		else this.#waiting.delete(node);
		if (this.#waiting.size > 0) return;
		this.#stopWatching?.();
		this.#stopWatching = undefined;
	}

	/** Only while something waits: an idle node costs nothing. */
	#watch(): void {
		const bus = this.#bus;
		if (!bus) return;
		// The requests that wait settle with it.
		for (const node of this.#waiting.keys()) this.#ping(bus, node).catch(() => {});
		this.read().then(
			({ nodes }) => {
				const live = new Set(nodes.filter(({ leaseMs }) => leaseMs > 0).map(({ node }) => node));
				for (const node of this.#waiting.keys()) if (!live.has(node)) bus.drop(node);
			},
			// Redis does not answer: it is known what that means when it does.
			() => {},
		);
	}

	/** What is sent to a node that does not listen ends the link, and with it what waits. */
	async #ping(bus: NodeBus<NodeMethods, NodeEvents>, node: string): Promise<void> {
		if (this.#pinged.has(node)) return;
		this.#pinged.add(node);
		try {
			await (await bus.peer(node)).request('ping', null, { timeoutMs: 0 });
		} finally {
			this.#pinged.delete(node);
		}
	}
}

/** What a person can do something with: the name of the node. */
function nodeFailure(error: unknown, { node, member }: NodeRow): unknown {
	if (!ShardctlError.is(error) || error.code !== 'CHANNEL_CLOSED') return error;
	const name = member?.name ?? node;
	return new ShardctlError('CHANNEL_CLOSED', `node "${name}" no longer responds: it has stopped, or cannot be reached`, {
		cause: error,
		details: { node: name },
	});
}
