// How often a node of a cluster has joined, was muted, and got sessions, and how long that took in all: read from its events.
import type { FleetEventBody } from './fleet-events.js';

export interface NodeStep {
	count: number;
	/** Of all of them together. */
	ms: number;
}

export class NodeSteps {
	readonly #totals = new Map<string, NodeStep>();

	/** By `joined`, `left`, `muted`, `session_started`, `session_moved` and `session_taken_over`; empty without a cluster. */
	get totals(): ReadonlyMap<string, NodeStep> {
		return this.#totals;
	}

	note(event: FleetEventBody): void {
		if (event.type === 'cluster:joined') this.#add('joined', event.tookMs);
		else if (event.type === 'cluster:left') this.#add('left', event.tookMs);
		else if (event.type === 'cluster:confirmed') this.#add('muted', event.mutedMs);
		else if (event.type === 'cluster:session-ready') this.#add(`session_${event.how.replace('-', '_')}`, event.tookMs);
	}

	#add(step: string, tookMs: number): void {
		const { count, ms } = this.#totals.get(step) ?? { count: 0, ms: 0 };
		this.#totals.set(step, { count: count + 1, ms: ms + tookMs });
	}
}
