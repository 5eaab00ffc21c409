// One node of a cluster: joins, renews its lease, plans when it is its turn, and passes what it owns to its host. What an answer means for
// the right to act is decided in NodeState alone.
//
//   out ──join──▶ in ──stop──▶ leaving ──▶ out       Whether the node is muted is not a state but a comparison with the clock.
import { randomBytes } from 'node:crypto';
import { type Clock, messageOf, ShardctlError, systemClock, type Timer } from '@shardctl/core';
import { type HeldSession, NodeState, type StateChange } from '../lease/node-state.js';
import type { Timings } from '../lease/timings.js';
import { type PlanInput, planChanges, type TableChange } from '../planner/plan.js';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisPort } from '../redis/redis-port.js';
import type { ClusterView, Member } from '../table/cluster-view.js';
import { type CommonSettings, joinRefusal, settingsOf } from './join-refusal.js';
import { PlanningTurn } from './planning-turn.js';
import { RenewalLoop } from './renewal-loop.js';
import { ScriptCaller } from './script-caller.js';
import type { SessionHost } from './session-host.js';
import { movesOf, SessionMoves } from './session-moves.js';

export interface ClusterNodeOptions {
	redis: RedisPort;
	keys: ClusterKeys;
	timings: Timings;
	host: SessionHost;
	member: Omit<Member, 'draining' | 'reachesDiscord'>;
	/** What all nodes of the cluster must have in common: shard count and sessions. */
	layout: { totalShards: number; sessions: number };
	common?: CommonSettings;
	/** Sessions that may be assigned and not be ready yet: 2 × max_concurrency. */
	assignAhead?: number;
	/** Sessions move without an IDENTIFY: resident mode. */
	movable?: boolean;
	/** Sessions that this node owns and that are not ready yet. */
	starting?(): number;
	/** Whether this node may plan yet, such as only when enough nodes are there. */
	mayPlan?(view: ClusterView): boolean;
	/** See {@link PlanInput}. */
	sessionsEach?(view: ClusterView): NonNullable<PlanInput['sessionsEach']>;
	mayRebalance?(view: ClusterView): boolean;
	/** Whether sessions have a record, which the host gets with them (default: they have). */
	records?: boolean;
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
	/** A renewal was answered: what this node may do was confirmed, or has changed. */
	renewed(): void;
	/** The table was read. */
	viewed(view: ClusterView): void;
}

type Phase = 'out' | 'in' | 'leaving';

export class ClusterNode {
	readonly state: NodeState;
	readonly #options: ClusterNodeOptions;
	readonly #clock: Clock;
	readonly #timings: Timings;
	readonly #caller: ScriptCaller;
	readonly #renewals: RenewalLoop;
	readonly #turn: PlanningTurn;
	readonly #moves: SessionMoves;
	#phase: Phase = 'out';
	#member: Member;
	#muteTimer: Timer | undefined;
	#isMuted = true;
	#registering = false;
	#looking = false;
	/** The version of the table that a renewal returned while the table was read. */
	#laterVersion = 0;
	/** Another node has changed the table since it was read. */
	#hasChanged = false;
	#turnTimer: Timer | undefined;
	#unsubscribe: (() => Promise<void>) | undefined;

	constructor(options: ClusterNodeOptions) {
		const { redis, keys, clock = systemClock, timings, node = randomBytes(8).toString('hex'), member, host } = options;
		this.#options = options;
		this.#clock = clock;
		this.#timings = timings;
		this.#member = { ...member, draining: false, reachesDiscord: true };
		this.state = new NodeState({ node, clock, timings });
		this.#caller = new ScriptCaller({ redis, keys, timings, state: this.state });
		this.#turn = new PlanningTurn({ clock, timings, state: this.state, sessions: options.layout.sessions });
		this.#renewals = new RenewalLoop({
			clock,
			timings,
			send: async () => this.#renewed(await this.#exchange()),
			onUnanswered: (error) => {
				this.state.unanswered();
				if (error !== undefined) this.#failed(error);
			},
		});
		this.#moves = new SessionMoves({
			clock,
			state: this.state,
			host,
			caller: this.#caller,
			onKept: (session) => this.#own(session),
			onChanged: () => this.#renewals.soon(),
			onFailed: (error) => this.#failed(error),
		});
	}

	get node(): string {
		return this.state.node;
	}

	/** As the cluster knows it. */
	get member(): Member {
		return this.#member;
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
			await this.#caller.run(this.#caller.scripts.leave).catch(() => {});
			throw error;
		}
		this.#phase = 'in';
		this.#renewals.start();
		const { redis, keys } = this.#options;
		// Without these messages all of it happens as well, at the next renewal.
		this.#unsubscribe = await redis
			.subscribe(keys.tableChanged, (by) => {
				if (by.toString() === this.node || this.#phase !== 'in') return;
				this.#hasChanged = true;
				this.#renewals.soon();
			})
			.catch(() => undefined);
	}

	/** Publishes that this node drains, or no longer drains, or cannot reach Discord. */
	async update(changes: Partial<Pick<Member, 'draining' | 'reachesDiscord' | 'capacity'>>): Promise<void> {
		this.#member = { ...this.#member, ...changes };
		for (;;) {
			const [kind] = await this.#caller.run(this.#caller.scripts.updateMember, JSON.stringify(this.#member));
			if (kind === 'OK') return this.#announce();
			// A new engine, which has to be learned, or which does not know the node.
			if (kind === 'ENGINE') await this.#exchange();
			else await this.#register();
		}
	}

	/** Reads the cluster as it is now. */
	async read(): Promise<ClusterView> {
		return this.#caller.read();
	}

	/**
	 * Releases every session at once, with the record that the host has for it, and leaves. The caller drains first if it wants to. What
	 * Redis does not receive ends with the lease.
	 */
	async stop(recordOf: (session: number) => string | undefined = () => undefined): Promise<void> {
		if (this.#phase !== 'in') return;
		this.#phase = 'leaving';
		this.#renewals.stop();
		this.#clock.clearTimeout(this.#muteTimer);
		this.#clock.clearTimeout(this.#turnTimer);
		this.#moves.stop();
		for (const { session } of this.state.sessions) {
			await this.release(session, recordOf(session)).catch((error: unknown) => this.#failed(error));
		}
		await this.#caller.run(this.#caller.scripts.leave).catch((error: unknown) => this.#failed(error));
		await this.#unsubscribe?.().catch(() => {});
		this.#announce();
		this.#phase = 'out';
	}

	/**
	 * Changes the table as a person requests. `changes` is called with the table as it is, again where another node was faster. Resolves
	 * with the outcome of each change: `done`, or the reason why not.
	 */
	async change(changes: (view: ClusterView) => readonly TableChange[]): Promise<string[]> {
		for (;;) {
			const view = await this.read();
			const wanted = changes(view);
			if (wanted.length === 0) return [];
			const outcomes = await this.#apply(view, wanted);
			if (outcomes) return outcomes.filter((_, index) => index % 2 === 0);
		}
	}

	/** Ends at once and sends nothing, as a crash does. For tests, and for a process that must end at once. */
	abandon(): void {
		this.#phase = 'out';
		this.#renewals.stop();
		this.#clock.clearTimeout(this.#muteTimer);
		this.#clock.clearTimeout(this.#turnTimer);
	}

	/** Releases one session: it is free for any node. */
	async release(session: number, record = ''): Promise<void> {
		const held = this.state.drop(session);
		if (!held) return;
		this.#options.host.disown(held);
		await this.#caller.run(this.#caller.scripts.release, session, held.epoch, record);
		this.#announce();
	}

	/** Saves what the next owner of a session needs. Rejects with `FENCED` when this node is not its owner (any more). */
	async saveRecord(session: number, record: string): Promise<void> {
		const epoch = this.state.holding(session)?.epoch ?? 0;
		const [kind, owner, ownersEpoch] = await this.#caller.run(this.#caller.scripts.saveRecord, session, epoch, record);
		if (kind === 'OK') return;
		this.#renewals.soon();
		if (kind !== 'FENCED') {
			throw new ShardctlError(
				'REDIS_REFUSED',
				`Redis has not yet confirmed who owns session ${session}: try again after the next renewal`,
				{ details: { reply: kind } },
			);
		}
		throw new ShardctlError(
			'FENCED',
			`refused to save session ${session} as owner with epoch ${epoch}: its owner is ${owner} with epoch ${ownersEpoch}`,
		);
	}

	async #register(): Promise<void> {
		const { layout, movable = true, common } = this.#options;
		const { name, version } = this.#member;
		for (;;) {
			const answer = await this.#caller.run(
				this.#caller.scripts.join,
				name,
				JSON.stringify(layout),
				settingsOf({ movable, timings: this.#timings, common }),
				JSON.stringify(this.#member),
			);
			if (answer[0] === 'OK') return;
			if (answer[0] !== 'ENGINE') throw joinRefusal(answer, { name, version, layout, movable, timings: this.#timings, common });
			// Only a renewal teaches the identity; this one holds nothing.
			await this.#exchange();
		}
	}

	/** One renewal, and what follows from its answer. */
	async #exchange(): Promise<StateChange> {
		const renewal = this.state.beginRenewal();
		const renewing = this.#caller.renew(renewal);
		// What is to be read in any case is read in the same round trip, after the renewal.
		const reading = this.#hasChanged ? this.read() : undefined;
		reading?.catch(() => {});
		this.#hasChanged = false;
		const reply = await renewing;
		const change = this.state.hear(renewal, reply);
		if (reply.kind === 'engine' || change.overtaken) return change;
		for (const lost of change.lost) {
			this.#moves.lost(lost.session);
			this.#options.host.disown(lost);
		}
		for (const granted of change.granted) this.#own(granted);
		if (this.#phase !== 'in') return change;
		if (!reply.registered) this.#registerAgain();
		void this.#look(reply, reading);
		return change;
	}

	/** Redis has lost the node's registration. */
	#registerAgain(): void {
		if (this.#registering) return;
		this.#registering = true;
		void this.#register()
			.catch((error: unknown) => this.#failed(error))
			.finally(() => {
				this.#registering = false;
			});
	}

	#renewed(change: StateChange): void {
		if (this.#phase !== 'in') return;
		if (change.newEngine) this.#renewals.soon();
		this.#watchLease();
		this.#options.on?.renewed?.();
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
		const isOwned = () => this.state.holding(session.session)?.epoch === session.epoch;
		if (this.#options.records === false) {
			this.#options.host.own(session, undefined);
			return;
		}
		// Read after the epoch is taken, never before: the old owner may have written until then.
		void this.read().then(
			({ records }) => {
				if (isOwned()) this.#options.host.own(session, records.get(session.session));
			},
			(error: unknown) => {
				this.#failed(error);
				this.#clock.setTimeout(() => {
					if (this.#phase === 'in' && isOwned()) this.#own(session);
				}, this.#timings.retryMs);
			},
		);
	}

	/** After each renewal: reads the table when there is something to do, plans if it is this node's turn, and follows the moves. */
	async #look(reply: { version: number; quietMs: number }, reading?: Promise<ClusterView>): Promise<void> {
		if (this.#looking) {
			this.#laterVersion = reply.version;
			return;
		}
		const { read, plan } = this.#turn.afterRenewal(reply);
		if (!read && movesOf(this.#turn.view, this.node).length === 0) return this.#awaitTurn();
		this.#looking = true;
		this.#laterVersion = 0;
		try {
			const view = await (reading ?? this.read());
			this.#turn.note(view);
			this.#options.on?.viewed?.(view);
			this.#moves.follow(view);
			if (plan && this.#turn.isMine(view) && this.#options.mayPlan?.(view) !== false) {
				const { stillMs } = this.#turn;
				const changes = await this.#plan(view, stillMs);
				this.#turn.planned(view, stillMs, changes);
			}
		} catch (error) {
			this.#failed(error);
		} finally {
			this.#looking = false;
			if (this.#laterVersion > (this.#turn.view?.version ?? 0)) this.#renewals.soon();
			else this.#awaitTurn();
		}
	}

	/** Renews when there is something to plan, where that is before the next renewal. */
	#awaitTurn(): void {
		this.#clock.clearTimeout(this.#turnTimer);
		const inMs = this.#turn.dueInMs;
		if (inMs === undefined || inMs >= this.#timings.renewMs || this.#phase !== 'in') return;
		this.#turnTimer = this.#clock.setTimeout(() => this.#renewals.soon(), inMs + 1);
	}

	/** Resolves with the number of changes. */
	async #plan(view: ClusterView, stillMs: number): Promise<number> {
		const { layout, assignAhead = 2, movable = true, starting, sessionsEach, mayRebalance } = this.#options;
		const changes = planChanges({
			view,
			sessions: layout.sessions,
			silentSince: (node) => this.state.silentSince(node),
			stillMs,
			assignAhead,
			starting: starting?.() ?? 0,
			movable,
			sessionsEach: sessionsEach?.(view) ?? 1,
			// What a person has moved stays where it is until a node comes or goes.
			mayRebalance: !this.#turn.wereEven && (mayRebalance?.(view) ?? true),
		});
		if (changes.length > 0) await this.#apply(view, changes);
		return changes.length;
	}

	/** Undefined where the table was another by then. */
	async #apply(view: ClusterView, changes: readonly TableChange[]): Promise<string[] | undefined> {
		const sentAfter = this.state.lastRenewal;
		const outcomes = await this.#caller.apply(view.version, this.state.ripe, changes);
		for (const [index, change] of changes.entries()) {
			if (outcomes?.[2 * index] !== 'done') continue;
			this.#options.on?.planned?.(change);
			if ((change.op !== 'assign' && change.op !== 'take') || change.to !== this.node) continue;
			const granted = this.state.hearGrant(change.session, Number(outcomes[2 * index + 1]), sentAfter);
			if (granted) this.#own(granted);
		}
		this.#renewals.soon();
		return outcomes;
	}

	/** The other nodes read the table at once instead of at their next renewal. */
	#announce(): void {
		const { redis, keys } = this.#options;
		redis.publish(keys.tableChanged, this.node).catch(() => {});
	}

	#failed(error: unknown): void {
		const failure = ShardctlError.is(error) ? error : new ShardctlError('INTERNAL', messageOf(error), { cause: error });
		this.#options.on?.failed?.(failure);
	}
}
