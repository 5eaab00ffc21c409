// What this node does for the sessions that move to it or away from it. The scripts decide whether a step counts.
//
//   moving ──prepare (target)──▶ prepared ──hand over (owner)──▶ held by the target
//
// From the hand-over until its answer the owner is silent for the session. Without an answer, the next renewal takes the session back by
// raising the epoch.
//
// Of many sessions that leave, none is handed over while others are being prepared, whose processes start, and each is given a head start
// on the next: what pauses a session then has the processors to itself.
import { type Clock, ShardctlError, sleep } from '@shardctl/core';
import type { HeldSession, NodeState } from '../lease/node-state.js';
import type { ClusterView, SessionRow } from '../table/cluster-view.js';
import type { ScriptCaller } from './script-caller.js';
import type { SessionHost } from './session-host.js';

export interface SessionMovesOptions {
	clock: Clock;
	state: NodeState;
	host: SessionHost;
	caller: ScriptCaller;
	/** The session stays here: the host continues. */
	onKept(session: HeldSession): void;
	/** A step has changed the table; the other nodes know of it. */
	onChanged(): void;
	onFailed(error: unknown): void;
}

/** The sessions of a view whose move waits for a step of this node. */
export function movesOf(view: ClusterView | undefined, node: string): SessionRow[] {
	return (view?.sessions ?? []).filter(
		({ phase, owner, target }) => (phase === 'moving' && target === node) || (phase === 'prepared' && owner === node),
	);
}

/** How long a prepared session waits for others that are being prepared: one of them may never be. */
const patienceMs = 5000;
/** A hand-over that takes longer, such as for a worker that does not confirm, does not hold up the next. */
const headStartMs = 500;

export class SessionMoves {
	readonly #options: SessionMovesOptions;
	/** Session → the step that this node takes for its move. */
	readonly #steps = new Map<number, AbortController>();
	/** As it was read last. */
	#view: ClusterView | undefined;
	/** Since when sessions are prepared for their hand-over. Monotonic. */
	#preparedSince: number | undefined;
	/** Resolves when the next hand-over may begin. */
	#turn: Promise<unknown> = Promise.resolve();
	readonly #stopped = new AbortController();

	constructor(options: SessionMovesOptions) {
		this.#options = options;
	}

	follow(view: ClusterView): void {
		this.#view = view;
		const moves = movesOf(view, this.#options.state.node);
		const prepared = moves.filter(({ phase }) => phase === 'prepared');
		if (prepared.length === 0) this.#preparedSince = undefined;
		else this.#preparedSince ??= this.#options.clock.monotonic();
		for (const { session, phase, epoch } of moves) {
			if (phase === 'moving') this.#once(session, (signal) => this.#prepare(session, epoch, signal));
		}
		if (view.quietMs > 0 || this.#waitsForOthers(view)) return;
		for (const { session, epoch } of prepared) this.#once(session, (signal) => this.#inTurn(session, epoch, signal));
	}

	/** Whether more sessions of this node will be prepared soon. Of a node that does not reach Discord, none is served meanwhile. */
	#waitsForOthers({ sessions, nodes }: ClusterView): boolean {
		const { state, clock } = this.#options;
		if (!sessions.some(({ phase, owner }) => phase === 'moving' && owner === state.node)) return false;
		if (nodes.find(({ node }) => node === state.node)?.member?.reachesDiscord === false) return false;
		return clock.monotonic() - (this.#preparedSince ?? 0) < patienceMs;
	}

	/** A hand-over, when it is its turn. */
	#inTurn(session: number, epoch: number, signal: AbortSignal): Promise<void> {
		const { clock, state } = this.#options;
		const turn = this.#turn;
		const done = turn.then(async () => {
			// It may have been called off meanwhile.
			const moves = movesOf(this.#view, state.node);
			if (!moves.some((row) => row.session === session && row.epoch === epoch && row.phase === 'prepared')) return;
			signal.throwIfAborted();
			await this.#handOver(session, epoch, signal);
		});
		this.#turn = Promise.race([
			done.catch(() => {}),
			turn.then(() => sleep(clock, headStartMs, this.#stopped.signal)).catch(() => {}),
		]);
		return done;
	}

	/** The session belongs to another node. */
	lost(session: number): void {
		this.#steps.get(session)?.abort(new ShardctlError('FENCED', 'the session belongs to another node'));
	}

	stop(): void {
		this.#stopped.abort(new ShardctlError('MANAGER_STOPPED', 'the node is leaving'));
		for (const step of this.#steps.values()) step.abort(new ShardctlError('MANAGER_STOPPED', 'the node is leaving'));
	}

	#once(session: number, work: (signal: AbortSignal) => Promise<void>): void {
		if (this.#steps.has(session)) return;
		const step = new AbortController();
		this.#steps.set(session, step);
		work(step.signal)
			.catch((error: unknown) => {
				// Ended on purpose: the node leaves, or has lost the session.
				if (!step.signal.aborted) this.#options.onFailed(error);
			})
			.finally(() => this.#steps.delete(session));
	}

	async #prepare(session: number, epoch: number, signal: AbortSignal): Promise<void> {
		const { host, caller, onChanged } = this.#options;
		await host.prepare(session, signal);
		await caller.run(caller.scripts.prepared, session, epoch, caller.channel);
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
		const [kind] = await caller.run(caller.scripts.handOver, session, epoch, record, caller.channel);
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
