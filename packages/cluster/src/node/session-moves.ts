// What this node does for the sessions that move to it or away from it. The scripts decide whether a step counts.
//
//   moving ──prepare (target)──▶ prepared ──hand over (owner)──▶ held by the target
//
// From the hand-over until its answer the owner is silent for the session. Without an answer, the next renewal takes the session back by
// raising the epoch.
import { ShardctlError } from '@shardctl/core';
import type { HeldSession, NodeState } from '../lease/node-state.js';
import type { ClusterView, SessionRow } from '../table/cluster-view.js';
import type { ScriptCaller } from './script-caller.js';
import type { SessionHost } from './session-host.js';

export interface SessionMovesOptions {
	state: NodeState;
	host: SessionHost;
	caller: ScriptCaller;
	/** The session stays here: the host continues. */
	onKept(session: HeldSession): void;
	/** A step has changed the table. */
	onChanged(): void;
	onFailed(error: unknown): void;
}

/** The sessions of a view whose move waits for a step of this node. */
export function movesOf(view: ClusterView | undefined, node: string): SessionRow[] {
	return (view?.sessions ?? []).filter(
		({ phase, owner, target }) => (phase === 'moving' && target === node) || (phase === 'prepared' && owner === node),
	);
}

export class SessionMoves {
	readonly #options: SessionMovesOptions;
	/** Session → the step that this node takes for its move. */
	readonly #steps = new Map<number, AbortController>();

	constructor(options: SessionMovesOptions) {
		this.#options = options;
	}

	follow(view: ClusterView): void {
		for (const { session, phase, epoch } of movesOf(view, this.#options.state.node)) {
			if (phase === 'moving') this.#once(session, (signal) => this.#prepare(session, epoch, signal));
			else if (view.quietMs === 0) this.#once(session, (signal) => this.#handOver(session, epoch, signal));
		}
	}

	/** The session belongs to another node. */
	lost(session: number): void {
		this.#steps.get(session)?.abort(new ShardctlError('FENCED', 'the session belongs to another node'));
	}

	stop(): void {
		for (const step of this.#steps.values()) step.abort(new ShardctlError('MANAGER_STOPPED', 'the node is leaving'));
	}

	#once(session: number, work: (signal: AbortSignal) => Promise<void>): void {
		if (this.#steps.has(session)) return;
		const step = new AbortController();
		this.#steps.set(session, step);
		work(step.signal)
			.catch((error: unknown) => this.#options.onFailed(error))
			.finally(() => this.#steps.delete(session));
	}

	async #prepare(session: number, epoch: number, signal: AbortSignal): Promise<void> {
		const { host, caller, onChanged } = this.#options;
		await host.prepare(session, signal);
		await caller.run(caller.scripts.prepared, session, epoch);
		onChanged();
	}

	async #handOver(session: number, epoch: number, signal: AbortSignal): Promise<void> {
		const { state, host, caller, onChanged } = this.#options;
		const held = state.holding(session);
		if (held?.epoch !== epoch || !state.mayAct(session)) return;
		const record = await host.handOver(held, signal);
		const given = state.giveAway(session);
		// Muted, or no longer the owner: what the host has paused continues when the lease is confirmed.
		if (!given || given.epoch !== epoch) return this.#resume(session, epoch);
		const [kind] = await caller.run(caller.scripts.handOver, session, epoch, record);
		if (kind === 'OK') {
			const gone = state.holding(session)?.epoch === epoch ? state.drop(session) : undefined;
			if (gone) host.disown(gone);
			onChanged();
		} else if (kind !== 'FENCED') {
			// An answer that says that the hand-over has not happened.
			state.keep(session, epoch);
			this.#resume(session, epoch);
		}
	}

	#resume(session: number, epoch: number): void {
		const held = this.#options.state.holding(session);
		if (held?.epoch === epoch) this.#options.onKept(held);
	}
}
