// One node of a cluster: joins, renews its lease, plans when it is its turn, and passes what it owns to its host. It sends the scripts;
// what their answers mean for the right to act is decided in NodeState alone.
//
//   out ──join──▶ in ──stop──▶ leaving ──▶ out       Whether the node is muted is not a state but a comparison with the clock.
import { randomBytes } from 'node:crypto';
import { type Clock, messageOf, ShardctlError, systemClock, type Timer } from '@shardctl/core';
import { type HeldSession, NodeState, type Renewal, type StateChange } from '../lease/node-state.js';
import { commonArguments, renewalArguments, renewalReply } from '../lease/renewal-wire.js';
import type { Timings } from '../lease/timings.js';
import { planChanges, stillBeforeRebalanceMs, type TableChange } from '../planner/plan.js';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisArgument, RedisPort, RedisScript } from '../redis/redis-port.js';
import { type OwnershipScripts, ownershipScripts } from '../scripts/ownership-scripts.js';
import { type ClusterView, clusterView, type Member, type SessionRow } from '../table/cluster-view.js';
import type { SessionHost } from './session-host.js';

export interface ClusterNodeOptions {
	redis: RedisPort;
	keys: ClusterKeys;
	timings: Timings;
	host: SessionHost;
	member: Omit<Member, 'draining' | 'reachesDiscord'>;
	/** What all nodes of the cluster must have in common: shard count and sessions. */
	layout: { totalShards: number; sessions: number };
	/** Sessions that may be assigned and not be ready yet: 2 × max_concurrency. */
	assignAhead?: number;
	/** Sessions move without an IDENTIFY: resident mode. */
	movable?: boolean;
	/** Sessions that this node owns and that are not ready yet. */
	starting?(): number;
	clock?: Clock;
	/** Names this incarnation; random by default. */
	node?: string;
	on?: Partial<ClusterNodeEvents>;
}

export interface ClusterNodeEvents {
	/** A call to Redis failed. Renewals are repeated by themselves. */
	failed(error: ShardctlError): void;
	/** The table was changed by this node's plan. */
	planned(change: TableChange): void;
}

type Phase = 'out' | 'in' | 'leaving';

/** Renewals without an answer at a time; older ones are given up. */
const mostInFlight = 16;

export class ClusterNode {
	readonly state: NodeState;
	readonly #options: ClusterNodeOptions;
	readonly #clock: Clock;
	readonly #timings: Timings;
	readonly #keys: string[];
	readonly #scripts: OwnershipScripts;
	#phase: Phase = 'out';
	#member: Member;
	#renewTimer: Timer | undefined;
	#muteTimer: Timer | undefined;
	#isMuted = true;
	#inFlight = 0;
	#view: ClusterView | undefined;
	/** The version for which there was nothing (more) to plan. */
	#planned = -1;
	/** Since when there has been something to plan; undefined while there is nothing. */
	#workSince: number | undefined;
	#registering = false;
	#planning = false;
	#stillSince = 0;
	#liveNodes = '';
	#rebalanced = false;
	/** Session → what this node does for its move. */
	readonly #moves = new Map<number, AbortController>();

	constructor(options: ClusterNodeOptions) {
		const { keys, clock = systemClock, timings, node = randomBytes(8).toString('hex'), member } = options;
		this.#options = options;
		this.#clock = clock;
		this.#timings = timings;
		this.#keys = [keys.engine, keys.nodes, keys.table, keys.members, keys.records];
		this.#scripts = ownershipScripts();
		this.#member = { ...member, draining: false, reachesDiscord: true };
		this.state = new NodeState({ node, clock, timings });
	}

	get node(): string {
		return this.state.node;
	}

	/** For the data path; see {@link NodeState.mayAct}. */
	mayAct(session: number): boolean {
		return this.#phase !== 'out' && this.state.mayAct(session);
	}

	/**
	 * Joins the cluster. Rejects with `REDIS_UNAVAILABLE`, `NODE_NAME_TAKEN` or `CLUSTER_MISMATCH`; then nothing is left of the node.
	 */
	async start(): Promise<void> {
		try {
			await this.#register();
		} catch (error) {
			await this.#run(this.#scripts.leave, [this.node]).catch(() => {});
			throw error;
		}
		this.#phase = 'in';
		this.#renew();
	}

	/** Says that this node drains, or no longer drains, or cannot reach Discord. */
	async update(changes: Partial<Pick<Member, 'draining' | 'reachesDiscord' | 'capacity'>>): Promise<void> {
		this.#member = { ...this.#member, ...changes };
		for (;;) {
			const [kind] = (await this.#run(this.#scripts.updateMember, [this.node, JSON.stringify(this.#member)])) as string[];
			if (kind === 'OK') return;
			// A new engine, which has to be learned, or which does not know the node.
			if (kind === 'ENGINE') await this.#exchange(this.state.beginRenewal());
			else await this.#register();
		}
	}

	/** Reads the cluster as it is now. */
	async read(): Promise<ClusterView> {
		return clusterView(await this.#options.redis.script(this.#scripts.read, this.#keys, []));
	}

	/**
	 * Lets every session go at once, with the record that the host has for it, and leaves. Draining first is the caller's part. What
	 * cannot be said to Redis is left to the lease.
	 */
	async stop(recordOf: (session: number) => string | undefined = () => undefined): Promise<void> {
		if (this.#phase !== 'in') return;
		this.#phase = 'leaving';
		this.#clock.clearTimeout(this.#renewTimer);
		this.#clock.clearTimeout(this.#muteTimer);
		for (const move of this.#moves.values()) move.abort(new ShardctlError('MANAGER_STOPPED', 'the node is leaving'));
		for (const { session } of this.state.sessions) {
			await this.release(session, recordOf(session)).catch((error: unknown) => this.#failed(error));
		}
		await this.#run(this.#scripts.leave, [this.node]).catch((error: unknown) => this.#failed(error));
		this.#phase = 'out';
	}

	/** Ends without a word, as a crash does. For tests, and for a process that must end at once. */
	abandon(): void {
		this.#phase = 'out';
		this.#clock.clearTimeout(this.#renewTimer);
		this.#clock.clearTimeout(this.#muteTimer);
	}

	/** Lets one session go: it is free for any node. */
	async release(session: number, record = ''): Promise<void> {
		const held = this.state.drop(session);
		if (!held) return;
		this.#options.host.disown(held);
		await this.#run(this.#scripts.release, [this.node, session, held.epoch, record]);
	}

	/** Saves what the next owner of a session needs. Rejects with `FENCED` when this node is not its owner (any more). */
	async saveRecord(session: number, record: string): Promise<void> {
		const held = this.state.holding(session);
		const [kind, owner, epoch] = (await this.#run(this.#scripts.saveRecord, [
			this.node,
			session,
			held?.epoch ?? 0,
			record,
		])) as string[];
		if (kind === 'OK') return;
		this.#renewSoon();
		if (kind !== 'FENCED') {
			throw new ShardctlError(
				'REDIS_REFUSED',
				`Redis has not yet confirmed who owns session ${session}: try again after the next renewal`,
				{ details: { reply: kind } },
			);
		}
		throw new ShardctlError(
			'FENCED',
			`refused to save session ${session} as owner with epoch ${held?.epoch ?? 0}: its owner is ${owner} with epoch ${epoch}`,
		);
	}

	async #register(): Promise<void> {
		const { layout } = this.#options;
		const { leaseMs, quietMs } = this.#timings;
		const args = [
			this.node,
			this.#member.name,
			JSON.stringify(layout),
			JSON.stringify({ leaseMs, quietMs }),
			JSON.stringify(this.#member),
		];
		for (;;) {
			const answer = (await this.#run(this.#scripts.join, args)) as string[];
			const [kind, detail] = answer as [string, string];
			if (kind === 'OK') return;
			if (kind === 'ENGINE') {
				// Only a renewal teaches the identity; this one holds nothing.
				await this.#exchange(this.state.beginRenewal());
				continue;
			}
			throw this.#refusedToJoin(kind, detail, answer[2]);
		}
	}

	#refusedToJoin(kind: string, detail: string, member: string | undefined): ShardctlError {
		const { layout } = this.#options;
		if (kind === 'NAME') {
			const { pid, startedAt } = JSON.parse(member ?? '{}') as Partial<Member>;
			return new ShardctlError(
				'NODE_NAME_TAKEN',
				`a node named "${this.#member.name}" is in this cluster (process ${pid}, since ${new Date(startedAt ?? 0).toISOString()}): ` +
					`choose another --node, or wait ${Math.ceil(this.#timings.leaseMs / 1000)} s if that process has just ended`,
				{ details: { name: this.#member.name, node: detail, pid } },
			);
		}
		const mine = kind === 'LAYOUT' ? layout : { leaseMs: this.#timings.leaseMs, quietMs: this.#timings.quietMs };
		return new ShardctlError(
			'CLUSTER_MISMATCH',
			`the nodes of this cluster run with ${detail}, and this one was started with ${JSON.stringify(mine)}: ` +
				`start it with the same ${kind === 'LAYOUT' ? 'shards and sessions; "shardctl reshard" changes them for all nodes' : '--lease'}`,
			{ details: { cluster: detail, node: mine } },
		);
	}

	// ---- renewals

	/** Sends one renewal now, and sets the timer for the next: soon while there is no answer. */
	#renew(): void {
		if (this.#phase !== 'in') return;
		this.#clock.clearTimeout(this.#renewTimer);
		let answered = false;
		if (this.#inFlight < mostInFlight) {
			this.#inFlight++;
			void this.#exchange(this.state.beginRenewal())
				.then(
					(change) => {
						answered = true;
						this.#renewed(change);
					},
					(error: unknown) => {
						this.state.unanswered();
						this.#failed(error);
					},
				)
				.finally(() => {
					this.#inFlight--;
				});
		}
		const { renewMs, retryMs } = this.#timings;
		this.#renewTimer = this.#clock.setTimeout(() => {
			if (answered) {
				this.#renewTimer = this.#clock.setTimeout(() => this.#renew(), renewMs - retryMs);
				return;
			}
			this.state.unanswered();
			this.#renew();
		}, retryMs);
	}

	#renewSoon(): void {
		if (this.#phase !== 'in') return;
		this.#clock.clearTimeout(this.#renewTimer);
		this.#renewTimer = this.#clock.setTimeout(() => this.#renew(), 0);
	}

	async #exchange(renewal: Renewal): Promise<StateChange> {
		const args = [...this.#common(renewal.identity), ...renewalArguments(this.node, renewal)];
		// After its validity an answer is worth nothing.
		const answer = await this.#options.redis.script(this.#scripts.renew, this.#keys, args, { timeoutMs: this.#timings.validMs });
		const reply = renewalReply(answer);
		const change = this.state.hear(renewal, reply);
		if (reply.kind === 'engine') return change;
		if (!change.overtaken) {
			for (const lost of change.lost) this.#disown(lost);
			for (const granted of change.granted) this.#own(granted);
			if (!reply.registered && this.#phase === 'in' && !this.#registering) {
				this.#registering = true;
				void this.#register()
					.catch((error: unknown) => this.#failed(error))
					.finally(() => {
						this.#registering = false;
					});
			}
			if (this.#phase === 'in') void this.#look(reply.version, reply.quietMs);
		}
		return change;
	}

	#renewed(change: StateChange): void {
		if (this.#phase !== 'in') return;
		if (change.newEngine) this.#renewSoon();
		this.#watchLease();
	}

	/** Reports the end of the lease to the host. The data path does not wait for it. */
	#watchLease(): void {
		this.#clock.clearTimeout(this.#muteTimer);
		const left = this.state.leaseMs;
		if (left > 0) this.#muteTimer = this.#clock.setTimeout(() => this.#watchLease(), left);
		if ((left === 0) === this.#isMuted) return;
		this.#isMuted = left === 0;
		if (this.#isMuted) this.#options.host.muted();
		else this.#options.host.unmuted();
	}

	#own(session: HeldSession): void {
		// Read after the epoch is taken, never before: the old owner may have written until then.
		void this.read().then(
			({ records }) => {
				if (this.state.holding(session.session)?.epoch === session.epoch) {
					this.#options.host.own(session, records.get(session.session));
				}
			},
			(error: unknown) => {
				this.#failed(error);
				this.#clock.setTimeout(() => {
					if (this.#phase === 'in' && this.state.holding(session.session)?.epoch === session.epoch) this.#own(session);
				}, this.#timings.retryMs);
			},
		);
	}

	#disown(session: HeldSession): void {
		this.#moves.get(session.session)?.abort(new ShardctlError('FENCED', 'the session belongs to another node'));
		this.#options.host.disown(session);
	}

	// ---- planning

	/** After each renewal: reads the table when there is something to do, plans if it is this node's turn, and follows the moves. */
	async #look(version: number, quietMs: number): Promise<void> {
		if (this.#planning) return;
		const isNew = this.#view?.version !== version || this.#view.identity !== this.state.identity;
		const hasMove = this.#movesOf(this.#view).length > 0;
		const mayPlan = quietMs === 0 && (isNew || this.#hasWork(version));
		if (!mayPlan) this.#workSince = undefined;
		else this.#workSince ??= this.#clock.monotonic();
		if (!isNew && !hasMove && !mayPlan) return;
		this.#planning = true;
		try {
			const view = await this.read();
			this.#view = view;
			this.#noteNodes(view);
			this.#followMoves(view);
			if (mayPlan && view.quietMs === 0 && this.#isMyTurn(view)) {
				await this.#plan(view);
				this.#planned = view.version;
			}
		} catch (error) {
			this.#failed(error);
		} finally {
			this.#planning = false;
		}
	}

	/** Whether a plan may find something to change. Where nothing is to be done the table is not read. */
	#hasWork(version: number): boolean {
		const view = this.#view;
		if (!view || this.#planned !== version) return true;
		if (!this.#rebalanced && this.#stillMs >= stillBeforeRebalanceMs) return true;
		const owners = new Set(view.sessions.map(({ owner }) => owner));
		if (owners.has(undefined) || view.sessions.length < this.#options.layout.sessions) return true;
		for (const { target } of view.sessions) if (target !== undefined) owners.add(target);
		return view.nodes.some(({ node }) => owners.has(node) && node !== this.node && this.state.silentSince(node) !== undefined);
	}

	get #stillMs(): number {
		return this.#clock.monotonic() - this.#stillSince;
	}

	#noteNodes(view: ClusterView): void {
		const live = JSON.stringify(
			view.nodes.filter(({ leaseMs }) => leaseMs > 0).map(({ node, member }) => [node, member?.draining]),
		);
		if (live === this.#liveNodes) return;
		this.#liveNodes = live;
		this.#stillSince = this.#clock.monotonic();
		this.#rebalanced = false;
	}

	/**
	 * The node that has been here longest plans; each further one a renewal later, in case those before it do not. None is elected: all may
	 * plan at once.
	 */
	#isMyTurn({ nodes }: ClusterView): boolean {
		if (this.state.muted || !this.state.ripe) return false;
		const { leaseMs, validMs, renewMs } = this.#timings;
		const live = nodes.filter((row) => row.member && row.leaseMs > leaseMs - validMs);
		live.sort((a, b) => (a.member?.startedAt ?? 0) - (b.member?.startedAt ?? 0) || (a.node < b.node ? -1 : 1));
		const rank = live.findIndex(({ node }) => node === this.node);
		return rank >= 0 && this.#clock.monotonic() - (this.#workSince ?? 0) >= rank * renewMs;
	}

	async #plan(view: ClusterView): Promise<void> {
		const { layout, assignAhead = 2, movable = true, starting } = this.#options;
		if (this.#stillMs >= stillBeforeRebalanceMs) this.#rebalanced = true;
		const changes = planChanges({
			view,
			sessions: layout.sessions,
			silentSince: (node) => this.state.silentSince(node),
			stillMs: this.#stillMs,
			assignAhead,
			starting: starting?.() ?? 0,
			movable,
		});
		if (changes.length === 0) return;
		const sentAfter = this.state.lastRenewal;
		const args = [view.version, this.state.ripe ? 1 : 0, this.#timings.takeMarginMs, JSON.stringify(changes)];
		const [kind, , outcomes] = (await this.#run(this.#scripts.apply, args)) as [string, unknown, string[]];
		if (kind !== 'OK') return this.#renewSoon();
		for (const [index, change] of changes.entries()) {
			if (outcomes[2 * index] !== 'done') continue;
			this.#options.on?.planned?.(change);
			if ((change.op !== 'assign' && change.op !== 'take') || change.to !== this.node) continue;
			const granted = this.state.hearGrant(change.session, Number(outcomes[2 * index + 1]), sentAfter);
			if (granted) this.#own(granted);
		}
		this.#renewSoon();
	}

	// ---- moves

	#movesOf(view: ClusterView | undefined): SessionRow[] {
		return (view?.sessions ?? []).filter(
			({ phase, owner, target }) => (phase === 'moving' && target === this.node) || (phase === 'prepared' && owner === this.node),
		);
	}

	#followMoves(view: ClusterView): void {
		for (const { session, phase, epoch } of this.#movesOf(view)) {
			if (phase === 'moving') this.#once(session, (signal) => this.#prepare(session, epoch, signal));
			else if (view.quietMs === 0) this.#once(session, (signal) => this.#handOver(session, epoch, signal));
		}
	}

	#once(session: number, work: (signal: AbortSignal) => Promise<void>): void {
		if (this.#moves.has(session)) return;
		const move = new AbortController();
		this.#moves.set(session, move);
		work(move.signal)
			.catch((error: unknown) => this.#failed(error))
			.finally(() => this.#moves.delete(session));
	}

	async #prepare(session: number, epoch: number, signal: AbortSignal): Promise<void> {
		await this.#options.host.prepare(session, signal);
		await this.#run(this.#scripts.prepared, [this.node, session, epoch]);
		this.#renewSoon();
	}

	async #handOver(session: number, epoch: number, signal: AbortSignal): Promise<void> {
		const held = this.state.holding(session);
		if (held?.epoch !== epoch || !this.state.mayAct(session)) return;
		const record = await this.#options.host.handOver(held, signal);
		const given = this.state.giveAway(session);
		// Muted, or no longer the owner: what the host has paused continues when the lease is confirmed.
		if (!given || given.epoch !== epoch) return this.#resume(session, epoch);
		const [kind] = (await this.#run(this.#scripts.handOver, [this.node, session, epoch, record])) as string[];
		if (kind === 'OK') {
			const gone = this.state.holding(session)?.epoch === epoch ? this.state.drop(session) : undefined;
			if (gone) this.#options.host.disown(gone);
			this.#renewSoon();
		} else if (kind !== 'FENCED') {
			// An answer that says it has not happened.
			this.state.keep(session, epoch);
			this.#resume(session, epoch);
		}
	}

	#resume(session: number, epoch: number): void {
		const held = this.state.holding(session);
		if (held?.epoch === epoch) this.#own(held);
	}

	// ---- Redis

	#common(identity: string): RedisArgument[] {
		return commonArguments(identity, this.#timings, randomBytes(8).toString('hex'));
	}

	#run(script: RedisScript, args: readonly RedisArgument[]): Promise<unknown> {
		return this.#options.redis.script(script, this.#keys, [...this.#common(this.state.identity), ...args], {
			timeoutMs: this.#timings.validMs,
		});
	}

	#failed(error: unknown): void {
		const failure = ShardctlError.is(error) ? error : new ShardctlError('INTERNAL', messageOf(error), { cause: error });
		this.#options.on?.failed?.(failure);
	}
}
