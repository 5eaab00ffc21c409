// What other nodes may request of this one: registers the handlers on the link of one of them. Only a node with the key of this cluster gets
// this far; see packages/cluster/src/bus.
import type { Fleet, FrameSink, NodeFeed } from '@shardctl/control';
import { aborted, ShardctlError } from '@shardctl/core';
import { answerCall, type LocalCalls } from './cluster-calls.js';
import type { OtherNode } from './node-links.js';
import { type RemoteFleetMethod, remoteFleetMethods } from './node-methods.js';

export interface ServedNode {
	local: Pick<Fleet, RemoteFleetMethod>;
	calls: LocalCalls;
	send(shardId: number | null, message: unknown): Promise<void>;
	drain(draining: boolean): Promise<void>;
	stop(options: { graceMs?: number; reason: string; drain: boolean }): void;
	/** Undefined in a manager without a control API. */
	feed(): NodeFeed | undefined;
}

export function serveNode(peer: OtherNode, node: ServedNode): void {
	const methods = new Map<string, (...args: never[]) => Promise<unknown>>(
		remoteFleetMethods.map((name) => [name, node.local[name].bind(node.local) as (...args: never[]) => Promise<unknown>]),
	);
	peer.handle('ping', () => null);
	peer.handle('fleet', async ({ method, args }) => (await methods.get(method)?.(...(args as never[]))) ?? null);
	peer.handle('call', (call, context) => answerCall(node.calls, call, context.signal));
	peer.handle('send', async ({ shardId, message }) => {
		await node.send(shardId, message);
		return null;
	});
	peer.handle('drain', async ({ draining }) => {
		await node.drain(draining);
		return null;
	});
	peer.handle('stop', ({ graceMs, ...options }) => {
		node.stop({ ...options, ...(graceMs === undefined ? {} : { graceMs }) });
		return null;
	});
	peer.handle('recentEvents', () => [...(node.feed()?.recentEvents() ?? [])]);
	peer.handle('follow', async ({ id, what, tail, shard }, { signal }) => {
		const feed = node.feed();
		if (!feed)
			throw new ShardctlError('WORKER_UNAVAILABLE', 'this node has no control API, so its events and lines cannot be followed');
		const sink = new PeerSink(peer, id);
		if (what === 'events') feed.followEvents(sink, { tail }, signal);
		else await feed.followLogs(sink, { tail, shard }, signal);
		peer.notify('frame', { id, frame: null });
		await aborted(signal);
		return null;
	});
}

/** Sends frames to a follower on another node; what does not fit into the link is skipped and counted, as for a slow reader. */
class PeerSink implements FrameSink {
	readonly #peer: OtherNode;
	readonly #id: number;
	#skipped = 0;

	constructor(peer: OtherNode, id: number) {
		this.#peer = peer;
		this.#id = id;
	}

	send(frame: Buffer): void {
		if (this.#skipped > 0 && this.#notify(`event: skipped\ndata: ${JSON.stringify({ count: this.#skipped })}\n\n`))
			this.#skipped = 0;
		if (!this.#notify(frame.toString())) this.#skipped++;
	}

	tick(): void {}
	end(): void {}

	#notify(frame: string): boolean {
		return !this.#peer.closed && this.#peer.notify('frame', { id: this.#id, frame });
	}
}
