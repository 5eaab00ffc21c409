// The sessions that this node carries: opens and closes them as the cluster decides, passes their leases on, and reports what came and went.
// How one session is carried is the affair of modes/carried-session; which sessions there are, that of packages/cluster.
import type { ClusterNode, ClusterView, HeldSession, SessionHost } from '@shardctl/cluster';
import type { SessionArrival } from '@shardctl/control';
import type { Clock, GatewayClusterConfig, SessionLease } from '@shardctl/core';
import type { EmitFleetEvent } from '../events.js';
import type { Carried } from '../modes/carried.js';
import type { SessionToCarry } from '../modes/carried-session.js';
import type { SessionPlan } from '../plan/plan-session.js';
import type { DiscordReach } from './discord-reach.js';

export interface CarriedSessionsOptions {
	clock: Clock;
	/** Of this node, once it has joined. */
	node: { readonly node: string; readonly state: Pick<ClusterNode['state'], 'holding' | 'mayAct' | 'leaseMs' | 'identity'> };
	/** Its shards and workers. */
	planOf(session: number): SessionPlan;
	/** The sessions with Discord that carry these shards now. */
	sessionsOf(shardIds: readonly number[]): number[];
	/** Starts the processes of a session. */
	carry(session: SessionToCarry): Carried;
	/** The place of a gateway process in the cluster. */
	gatewayConfig(session: number, lease: SessionLease | null): GatewayClusterConfig;
	reach: Pick<DiscordReach, 'note' | 'forget'>;
	emit: EmitFleetEvent;
	/** The processes of these shards could not be ended in order. */
	onCloseFailed(shardIds: readonly number[], error: unknown): void;
}

export class CarriedSessions implements Pick<SessionHost, 'own' | 'disown' | 'prepare' | 'handOver'> {
	readonly #options: CarriedSessionsOptions;
	readonly #carried = new Map<number, Carried>();
	/** Sessions whose processes are ending. */
	readonly #closing = new Set<Promise<void>>();
	/** Sessions that were prepared here, and are not this node's yet. */
	readonly #prepared = new Set<number>();
	/** Sessions that this node is about to hand over. */
	readonly #handing = new Set<number>();
	#view: ClusterView | undefined;

	constructor(options: CarriedSessionsOptions) {
		this.#options = options;
	}

	get all(): Carried[] {
		return [...this.#carried.values()];
	}

	/** Owned, and not ready yet. */
	get starting(): number {
		return [...this.#carried].filter(([session, { isReady }]) => this.#isHeld(session) && !isReady).length;
	}

	isReady(session: number): boolean {
		return this.#carried.get(session)?.isReady ?? false;
	}

	own({ session }: HeldSession): void {
		const present = this.#carried.get(session);
		const carried = present ?? this.#open(session);
		if (this.#prepared.delete(session)) this.#reportReady(session, carried, 'moved');
		else if (!present) this.#reportReady(session, carried, this.#hadOwner(session) ? 'taken-over' : 'started');
		this.#handing.delete(session);
		carried.resume();
		const lease = this.#leaseOf(session);
		if (lease) carried.lease(lease);
	}

	disown({ session }: HeldSession): void {
		this.#close(session, this.#handing.delete(session) ? 'moved' : 'lost');
	}

	async prepare(session: number, signal: AbortSignal): Promise<void> {
		if (!this.#isHeld(session)) this.#prepared.add(session);
		await (this.#carried.get(session) ?? this.#open(session)).whenPrepared(signal);
	}

	async handOver({ session }: HeldSession): Promise<string> {
		this.#handing.add(session);
		await this.#carried.get(session)?.pause();
		return '';
	}

	/** The table was read: closes what was prepared for a move to this node that was called off, or that got another target. */
	note(view: ClusterView): void {
		this.#view = view;
		const { node } = this.#options.node;
		for (const session of this.#carried.keys()) {
			if (this.#isHeld(session)) continue;
			const row = view.sessions.find((each) => each.session === session);
			if (row?.target !== node && row?.owner !== node) this.#close(session);
		}
	}

	/** The lease was renewed, or has ended. */
	passLeases(): void {
		for (const [session, carried] of this.#carried) {
			const lease = this.#leaseOf(session);
			if (lease) carried.lease(lease);
		}
	}

	/** Stops every stream; resolves when each is saved, or could not be. */
	async pause(): Promise<void> {
		await Promise.all(this.all.map((carried) => carried.pause().catch(() => {})));
	}

	/** Ends everything; resolves when nothing is left of it. */
	async close(): Promise<void> {
		for (const session of this.#carried.keys()) this.#close(session, 'released');
		await Promise.all(this.#closing);
	}

	#isHeld(session: number): boolean {
		return this.#options.node.state.holding(session) !== undefined;
	}

	/** As far as this node has seen: Discord has a session then, unless it has ended it. */
	#hadOwner(session: number): boolean {
		return (this.#view?.sessions.find((row) => row.session === session)?.epoch ?? 0) > 0;
	}

	#leaseOf(session: number): SessionLease | null {
		const { state } = this.#options.node;
		const held = state.holding(session);
		if (!held) return null;
		const untilMs = state.mayAct(session) ? Number(process.hrtime.bigint()) / 1e6 + state.leaseMs : 0;
		return { epoch: held.epoch, identity: state.identity, untilMs };
	}

	#open(session: number): Carried {
		const { carry, planOf, gatewayConfig, reach } = this.#options;
		const carried: Carried = carry({
			session,
			...planOf(session),
			isTakenOver: this.#isHeld(session) && this.#hadOwner(session),
			gateway: () => gatewayConfig(session, this.#leaseOf(session)),
			onConnection: (state) => {
				if (this.#carried.get(session) === carried) reach.note(session, state);
			},
		});
		this.#carried.set(session, carried);
		return carried;
	}

	/** From the moment at which it is this node's. */
	#reportReady(session: number, carried: Carried, how: SessionArrival): void {
		const { clock, planOf, sessionsOf, emit } = this.#options;
		const since = clock.monotonic();
		const report = () => {
			if (this.#carried.get(session) !== carried) return;
			const tookMs = Math.round(clock.monotonic() - since);
			const { shardIds } = planOf(session);
			emit('cluster:session-ready', { sessions: sessionsOf(shardIds), shardIds, how, tookMs });
		};
		carried.whenReady().then(report, () => {});
	}

	/** `how`: undefined for a session that was prepared here and never this node's. */
	#close(session: number, how?: 'moved' | 'lost' | 'released'): void {
		const carried = this.#carried.get(session);
		if (!carried) return;
		const { clock, planOf, sessionsOf, reach, emit, onCloseFailed } = this.#options;
		this.#carried.delete(session);
		this.#prepared.delete(session);
		const since = clock.monotonic();
		const { shardIds } = planOf(session);
		reach.forget(session);
		const closing: Promise<void> = carried
			.close()
			.catch((error: unknown) => onCloseFailed(shardIds, error))
			.then(() => {
				const tookMs = Math.round(clock.monotonic() - since);
				if (how) emit('cluster:session-gone', { sessions: sessionsOf(shardIds), shardIds, how, tookMs });
			})
			.finally(() => this.#closing.delete(closing));
		this.#closing.add(closing);
	}
}
