// Whether this node reads the table, and whether it plans, decided from what it has seen so far. Sends nothing; what a plan contains is
// the planner's subject. No node is elected: all may plan at once, and one compare-and-set wins.
import type { Clock } from '@shardctl/core';
import type { NodeState } from '../lease/node-state.js';
import type { Timings } from '../lease/timings.js';
import { stillBeforeLeavingMs, stillBeforeRebalanceMs } from '../planner/plan.js';
import type { ClusterView } from '../table/cluster-view.js';

export interface PlanningTurnOptions {
	clock: Clock;
	timings: Pick<Timings, 'leaseMs' | 'validMs' | 'renewMs' | 'takeMarginMs'>;
	state: Pick<NodeState, 'node' | 'identity' | 'muted' | 'ripe' | 'silentSince' | 'silentInMs'>;
	/** Of the layout. */
	sessions: number;
}

export class PlanningTurn {
	readonly #options: PlanningTurnOptions;
	#view: ClusterView | undefined;
	/** When it was read. */
	#viewedAt = 0;
	/** The version for which there was nothing (more) to plan. */
	#planned = -1;
	/** Since when there has been something to plan; undefined while there is nothing. */
	#workSince: number | undefined;
	#stillSince = 0;
	#liveNodes = '';
	#rebalanced = false;
	/** Has planned after {@link stillBeforeLeavingMs}. */
	#left = false;
	/** The number of sessions for which there was nothing to even out, since the set of live nodes has changed. */
	#evenWith: number | undefined;

	constructor(options: PlanningTurnOptions) {
		this.#options = options;
	}

	/** The table as it was read last. */
	get view(): ClusterView | undefined {
		return this.#view;
	}

	/** Whether the same nodes were even before, so that a person has moved what is uneven now. */
	get wereEven(): boolean {
		return this.#evenWith !== undefined && this.#evenWith === this.#view?.sessions.length;
	}

	/** How long the set of live nodes, and what they say about themselves, has been the same. */
	get stillMs(): number {
		return this.#options.clock.monotonic() - this.#stillSince;
	}

	/** After a renewal, which returned the table's version: whether the table is to be read, and may be planned from. */
	afterRenewal({ version, quietMs }: { version: number; quietMs: number }): { read: boolean; plan: boolean } {
		const isNew = this.#view?.version !== version || this.#view.identity !== this.#options.state.identity;
		const plan = quietMs === 0 && (isNew || this.#hasWork(version));
		if (!plan) this.#workSince = undefined;
		else this.#workSince ??= this.#options.clock.monotonic();
		return { read: isNew || plan, plan };
	}

	note(view: ClusterView): void {
		this.#view = view;
		this.#viewedAt = this.#options.clock.monotonic();
		const live = JSON.stringify(
			view.nodes.filter(({ leaseMs }) => leaseMs > 0).map(({ node, member }) => [node, member?.draining, member?.reachesDiscord]),
		);
		if (live === this.#liveNodes) return;
		this.#liveNodes = live;
		this.#stillSince = this.#options.clock.monotonic();
		this.#rebalanced = false;
		this.#left = false;
		this.#evenWith = undefined;
	}

	/** The node that joined first plans; each further one a renewal later, in case those before it do not. */
	isMine({ nodes, quietMs }: ClusterView): boolean {
		const { state, timings, clock } = this.#options;
		if (quietMs > 0 || state.muted || !state.ripe) return false;
		// A node that drains may be one whose manager is gone.
		const live = nodes.filter(({ member, leaseMs }) => member && !member.draining && leaseMs > timings.leaseMs - timings.validMs);
		live.sort((a, b) => (a.member?.startedAt ?? 0) - (b.member?.startedAt ?? 0) || (a.node < b.node ? -1 : 1));
		const rank = live.findIndex(({ node }) => node === state.node);
		return rank >= 0 && clock.monotonic() - (this.#workSince ?? 0) >= rank * timings.renewMs;
	}

	/**
	 * In how many ms there is something to plan that no message announces: a session of a silent node can be taken over, or the table says
	 * when; or the nodes were the same for long enough. Undefined where no such moment is known. A renewal at that moment is sooner than the
	 * next one of itself by up to an interval.
	 */
	get dueInMs(): number | undefined {
		const { state, timings, clock } = this.#options;
		const view = this.#view;
		if (!view) return undefined;
		const owners = new Set(view.sessions.map(({ owner }) => owner));
		const sinceMs = clock.monotonic() - this.#viewedAt;
		const waits = view.nodes.flatMap(({ node, leaseMs }) => {
			const silentInMs = owners.has(node) && node !== state.node ? state.silentInMs(node) : undefined;
			if (silentInMs === undefined) return [];
			// Silent for long enough here; Redis refuses until its deadline is past by the margin.
			const refusedForMs = leaseMs + timings.takeMarginMs - sinceMs;
			return silentInMs > 0 ? [silentInMs] : refusedForMs > 0 ? [refusedForMs] : [];
		});
		const stillForMs = stillBeforeRebalanceMs - this.stillMs;
		if (!this.#rebalanced && stillForMs > 0) waits.push(stillForMs);
		return waits.length > 0 ? Math.min(...waits) : undefined;
	}

	/** This node has planned from a view, with this much of {@link stillMs} and so many changes. */
	planned({ version, sessions }: ClusterView, stillMs: number, changes: number): void {
		this.#planned = version;
		if (stillMs >= stillBeforeRebalanceMs) {
			this.#rebalanced = true;
			const isComplete = sessions.length >= this.#options.sessions;
			const isAtRest = sessions.every(({ owner, phase }) => owner !== undefined && phase === 'held');
			if (changes === 0 && isComplete && isAtRest) this.#evenWith = sessions.length;
		}
		if (stillMs >= stillBeforeLeavingMs) this.#left = true;
	}

	/** Whether a plan may find something to change. Where there is nothing to do the table is not read. */
	#hasWork(version: number): boolean {
		const view = this.#view;
		const { state, sessions } = this.#options;
		if (!view || this.#planned !== version) return true;
		if (!this.#rebalanced && this.stillMs >= stillBeforeRebalanceMs) return true;
		if (!this.#left && this.stillMs >= stillBeforeLeavingMs && view.nodes.some(({ member }) => member?.reachesDiscord === false))
			return true;
		const owners = new Set(view.sessions.map(({ owner }) => owner));
		if (owners.has(undefined) || view.sessions.length < sessions) return true;
		for (const { target } of view.sessions) if (target !== undefined) owners.add(target);
		return view.nodes.some(({ node }) => owners.has(node) && node !== state.node && state.silentSince(node) !== undefined);
	}
}
