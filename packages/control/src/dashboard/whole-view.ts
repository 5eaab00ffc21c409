// What the dashboard shows as "the fleet": of a node of a cluster, all nodes together, with their events and the moves between them; without
// a cluster, and before this node has joined it, what this machine runs.
import type { DashboardCluster, ManagerStats } from '@shardctl/core';
import type { FleetCluster, ServedFleet } from '../fleet/cluster.js';
import type { FleetEvent } from '../fleet/fleet-events.js';
import type { FrameSink } from '../fleet/frame-sink.js';

export class WholeView {
	readonly #fleet: ServedFleet;

	constructor(fleet: ServedFleet) {
		this.#fleet = fleet;
	}

	/** The name of this node; undefined without a cluster. */
	get node(): string | undefined {
		return this.#fleet.cluster?.node;
	}

	async getStats(): Promise<ManagerStats> {
		const cluster = this.#joined;
		// While it joins, it may not know the others yet.
		return cluster ? cluster.whole.getStats().catch(() => this.#fleet.getStats()) : this.#fleet.getStats();
	}

	/** The nodes, and what moves between them. Undefined while there is no cluster. Rejects while Redis does not answer. */
	async readCluster(): Promise<DashboardCluster | undefined> {
		const cluster = this.#joined;
		if (!cluster) return undefined;
		const [{ nodes }, places] = await Promise.all([cluster.nodes(), cluster.placement()]);
		const moves = places.flatMap(({ session, shardIds, node, phase, target }) =>
			target === null || phase === 'held' ? [] : [{ session, shardIds, from: node, to: target, phase }],
		);
		return { node: cluster.node, nodes, moves };
	}

	/** The last events of the other nodes that respond, oldest first. */
	async earlierEvents(): Promise<FleetEvent[]> {
		const cluster = this.#joined;
		return cluster ? (await cluster.recentEvents()).filter(({ node }) => node !== cluster.node) : [];
	}

	/** Calls `onEvent` with each event of another node until the signal aborts; `false` while there are no others. */
	async followEvents(onEvent: (event: FleetEvent) => void, signal: AbortSignal): Promise<boolean> {
		const cluster = this.#joined;
		if (!cluster) return false;
		const sink: FrameSink = {
			send(frame) {
				const event = eventOf(frame);
				if (event && event.node !== cluster.node) onEvent(event);
			},
			tick() {},
			end() {},
		};
		await cluster.follow(sink, { what: 'events', tail: 0 }, signal);
		return true;
	}

	get #joined(): FleetCluster | undefined {
		const { cluster } = this.#fleet;
		return cluster?.joined ? cluster : undefined;
	}
}

/** The event in a frame of another node; undefined for a frame that is none. */
function eventOf(frame: Buffer): FleetEvent | undefined {
	const data = /^data: (.*)$/m.exec(frame.toString('utf8'))?.[1];
	try {
		const event = JSON.parse(data ?? '') as Partial<FleetEvent>;
		return typeof event.seq === 'number' && typeof event.type === 'string' ? (event as FleetEvent) : undefined;
	} catch {
		return undefined;
	}
}
