// What other nodes may request of this one: registers the handlers on the link of one of them. Only a node with the key of this cluster gets
// this far; see packages/cluster/src/bus.
import type { Fleet, FleetEvent } from '@shardctl/control';
import { answerCall, type LocalCalls } from './cluster-calls.js';
import type { ClusterDeploys } from './cluster-deploys.js';
import type { FollowedStreams } from './followed-streams.js';
import type { OtherNode } from './node-links.js';
import { type RemoteFleetMethod, remoteFleetMethods } from './node-methods.js';

export interface ServedNode {
	local: Pick<Fleet, RemoteFleetMethod>;
	calls: LocalCalls;
	send(shardId: number | null, message: unknown): Promise<void>;
	drain(draining: boolean): Promise<void>;
	stop(options: { graceMs?: number; reason: string; drain: boolean }): void;
	deploys(): Pick<ClusterDeploys, 'state' | 'cancelHere' | 'outcomeHere'>;
	/** None in a manager without a control API. */
	recentEvents(): readonly FleetEvent[];
	/** Of events and lines. */
	streams: FollowedStreams;
}

export function serveNode(peer: OtherNode, node: ServedNode): void {
	const methods = new Map<string, (...args: never[]) => Promise<unknown>>(
		remoteFleetMethods.map((name) => [name, node.local[name].bind(node.local) as (...args: never[]) => Promise<unknown>]),
	);
	peer.handle('ping', () => null);
	peer.handle('fleet', async ({ method, args }) => (await methods.get(method)?.(...(args as never[]))) ?? null);
	peer.handle('call', (call, context) => answerCall(node.calls, call, context.signal));
	peer.handle('deploy', async (question) => {
		const deploys = node.deploys();
		switch (question.ask) {
			case 'state':
				return deploys.state;
			case 'cancel':
				return deploys.cancelHere(question.id, { onlyQueued: question.onlyQueued ?? false });
			case 'outcome':
				return deploys.outcomeHere(question.id);
		}
	});
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
	peer.handle('recentEvents', () => [...node.recentEvents()]);
	peer.handle('follow', async (request, { signal }) => {
		await node.streams.serve(peer, request, signal);
		return null;
	});
}
