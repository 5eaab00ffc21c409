// One session with Discord and the shards that it carries: passes each event to its shards, shares Discord's limits among their
// workers' requests, and resumes an earlier process's session behind what every shard has saved. Which worker receives a shard's
// stream is not decided here.
import {
	type CloseCode,
	type Deferred,
	deferred,
	fatalClose,
	formatIntents,
	type GatewayNotice,
	type GatewaySessionStats,
	type Layout,
	messageOf,
	privilegedIntentBits,
	ShardctlError,
} from '@shardctl/core';
import type { ClientRequest, IdentifyPayload } from '@shardctl/gateway-protocol';
import { allSettled } from '../shard/all-settled.js';
import type { ResidentShard } from '../shard/resident-shard.js';
import type { SavedState } from '../shard/saved-shard.js';
import type { Checkpoint, Refusal, SessionLink } from '../shard/session-link.js';
import type { Dispatch, RawObject } from '../state/raw.js';
import type { Waiting } from '../upstream/request-queue.js';
import type { UpstreamSessions } from '../upstream/upstream-sessions.js';
import type { ConnectionClose, SavedSession, SessionTerms, UpstreamEvents } from '../upstream/upstream-shard.js';
import { type EventHold, HeldEvents } from './held-events.js';
import { IntentUpgrade } from './intent-upgrade.js';
import { ShardSet } from './shard-set.js';

/** What a session uses of its connections to Discord. */
export type Upstream = Pick<
	UpstreamSessions,
	| 'terms'
	| 'refusedWith'
	| 'status'
	| 'connection'
	| 'saved'
	| 'missing'
	| 'start'
	| 'approach'
	| 'resume'
	| 'request'
	| 'showPresence'
	| 'renew'
	| 'cancelRenewal'
	| 'stopReading'
	| 'continueReading'
	| 'stop'
> & { readonly requests: Pick<UpstreamSessions['requests'], 'forget' | 'flush' | 'waiting' | 'dropped' | 'takeAll'> };

/** What a session uses of a shard. */
export type SessionShard = Pick<
	ResidentShard,
	'id' | 'newest' | 'peekSaved' | 'readSaved' | 'restore' | 'beginSession' | 'receive' | 'stats' | 'close' | 'stop' | 'continueOn'
>;

/** Sees the events of a session before its shards do, while sessions replace each other. */
export interface SessionWatch {
	/** Returns whether the event is the watch's own: the shards do not get it. */
	take(dispatch: Dispatch, seq: number): boolean;
	/** A worker's request goes to Discord. */
	onRequest?(request: ClientRequest): void;
	/** Discord has ended the session. */
	onLost?(): void;
	/** Discord refused the session for good. Returns whether that is the watch's affair alone. */
	onRefused?(code: CloseCode): boolean;
}

/** How a shard continues on another session than the one that it was saved with. */
export interface ContinuedShard {
	session: SavedSession;
	/** Position of an event = this + Discord's sequence number of it. */
	base: number;
	/** Position through which the shard has every event of the session. */
	through: number;
	/** Positions behind that of events that the shard has. */
	skip: readonly number[];
}

export interface ResidentSessionOptions<Shard extends SessionShard> {
	/** The shard id that Discord knows. */
	id: number;
	/** The shards that the session carries at first; ascending. */
	shardIds: readonly number[];
	layout: Layout;
	createShard(shardId: number, session: SessionLink): Shard;
	createUpstream(events: UpstreamEvents): Upstream;
	/** Where sessions were replaced: how a shard continues that was saved with this session (default: as it was saved). */
	continued?(shardId: number, savedWith: string): ContinuedShard | undefined;
	/** Discord refused the session for good, with this close code. */
	onRefused(code: CloseCode): void;
	notice(notice: GatewayNotice): void;
}

export class ResidentSession<Shard extends SessionShard = ResidentShard> implements SessionLink {
	readonly #options: ResidentSessionOptions<Shard>;
	readonly #upstream: Upstream;
	readonly #upgrade: IntentUpgrade;
	#set: ShardSet<Shard>;
	/** Set while events wait for the shards of another count. */
	#held: HeldEvents | null = null;
	#watch: SessionWatch | null = null;
	/** Shard → events that it has, which Discord repeats after a resume: through a position, and some behind it. */
	#skip = new Map<number, { through: number; behind: ReadonlySet<number> }>();
	/** Position behind which no event is repeated. */
	#skipThrough = 0;
	readonly #counters = { identifies: 0, resumes: 0, sessionsLost: 0 };
	/** Position of an event = this + Discord's sequence number of it. */
	#base = 0;
	#newest = 0;
	#botId = '';
	#ping: number | null = null;
	/** False for a successor that carries no shard yet, and for a session that was replaced. */
	#isServing = true;
	/** Settled when Discord refuses the session or the session stops; replaced when a refused session is tried again. */
	#refusal: Deferred<CloseCode | undefined> = deferred();
	#closed: Promise<void> = Promise.resolve();
	#isOver = false;

	constructor(options: ResidentSessionOptions<Shard>) {
		this.#options = options;
		this.#set = this.#setOf(
			options.shardIds.map((shardId) => options.createShard(shardId, this)),
			options.layout.totalShards,
		);
		this.#upstream = options.createUpstream({
			onDispatch: (dispatch, seq) => this.#receive(dispatch, seq),
			onReady: () => {
				this.#counters.identifies++;
				if (!this.#isServing) return;
				this.#notice('upstream:ready', 'Discord started a session');
			},
			onResumed: () => {
				this.#counters.resumes++;
				if (!this.#isServing) return;
				this.#notice('upstream:resumed', 'resumed the session with Discord');
			},
			onClosed: (close) =>
				this.#isServing &&
				this.#notice(
					'upstream:disconnected',
					`the connection to Discord closed (${describeClose(close)}); workers stay connected`,
				),
			onSessionLost: () => {
				this.#counters.sessionsLost++;
				this.#watch?.onLost?.();
				if (!this.#isServing) return;
				// A refusal says more, and no other session follows.
				if (this.#upstream.refusedWith !== undefined) return;
				this.#notice('upstream:session-lost', 'Discord ended the session; workers will receive what changed until the next one');
			},
			onRefused: (code) => this.#onRefused(code as CloseCode),
			onRequestsDropped: (opcode) =>
				this.#notice(
					'requests:dropped',
					`workers send more requests than Discord allows: requests (op ${opcode}) over the limit are dropped`,
				),
			onRequestsNormal: (dropped) =>
				this.#notice('requests:normal', `no request waits for Discord's limit any more; ${dropped} were dropped`),
			onOverlapFull: () =>
				this.#notice(
					'upstream:intents',
					'too many events waited for the session with more intents, so it replaced the present one early; some events may arrive twice',
				),
			onPing: (latencyMs) => {
				this.#ping = latencyMs;
			},
		});
		this.#upgrade = new IntentUpgrade({
			upstream: this.#upstream,
			onGranted: (added) =>
				this.#notice('upstream:intents', `a worker requested ${formatIntents(added)}; Discord started a new session with them`),
		});
	}

	get id(): number {
		return this.#options.id;
	}

	/** The shards that the session carries; ascending. */
	get shards(): readonly Shard[] {
		return this.#set.shards;
	}

	get newest(): number {
		return this.#newest;
	}

	get base(): number {
		return this.#base;
	}

	get botId(): string {
		return this.#botId;
	}

	/** The shard count that Discord knows. */
	get of(): number {
		return this.#options.layout.sessions;
	}

	get terms(): SessionTerms | undefined {
		return this.#upstream.terms;
	}

	/** As a later process can resume it. */
	get saved(): SavedSession | null {
		return this.#upstream.saved;
	}

	get isReady(): boolean {
		return this.#upstream.status === 'ready';
	}

	/** Changes with each connection to Discord. */
	get connections(): number {
		return this.#counters.identifies + this.#counters.resumes;
	}

	get requestsWaiting(): number {
		return this.#upstream.requests.waiting;
	}

	/** Shows the session's events to a watch before its shards get them, until {@link unwatch}. */
	watch(watch: SessionWatch): void {
		this.#watch = watch;
	}

	unwatch(): void {
		this.#watch = null;
	}

	get isWatched(): boolean {
		return this.#watch !== null;
	}

	/** From now on events wait, until {@link continueWith}. */
	hold(hold: EventHold): void {
		this.#held = new HeldEvents(hold);
	}

	/** Nothing more is read from the connection to Discord until {@link continueReading}. One that follows it is read, until this is called again. */
	stopReading(): void {
		this.#upstream.stopReading();
	}

	continueReading(): void {
		this.#upstream.continueReading();
	}

	/** Whether no event is left that Discord has sent before a resume and that some shard has already. */
	get isInStep(): boolean {
		return this.#skip.size === 0 || this.#newest >= this.#skipThrough;
	}

	/** What waited is passed on: to the shards as before, or to those of another shard count, which the session carries from now on. */
	continueWith(next?: { shards: readonly Shard[]; totalShards: number }): void {
		if (next) {
			this.#set = this.#setOf(next.shards, next.totalShards);
			this.#skip = new Map();
		}
		const waiting = this.#held?.takeAll() ?? [];
		this.#held = null;
		for (const { dispatch, seq } of waiting) this.#receive(dispatch, seq);
	}

	/** As a successor: starts the session with Discord. Its shards get nothing of it before {@link serve}. */
	start(terms: SessionTerms): void {
		this.#isServing = false;
		this.#upstream.start(terms);
	}

	/** As a successor: this session carries its shards from now on. */
	serve({ base, newest, botId }: { base: number; newest: number; botId: string }): void {
		this.#base = base;
		this.#newest = newest;
		this.#botId = botId;
		this.#isServing = true;
		for (const shard of this.shards) shard.continueOn(this);
	}

	/** Ends the session with Discord; its shards continue on another one. Returns the requests that it did not send. */
	retire(): Waiting[] {
		this.#isOver = true;
		this.#isServing = false;
		this.#watch = null;
		this.#refusal.resolve(undefined);
		return this.#upstream.requests.takeAll();
	}

	/** Ends the connection of a session that was replaced, or that replaced none. */
	async closeUpstream(): Promise<void> {
		this.#isServing = false;
		this.#watch = null;
		await this.#upstream.stop({ keepSession: false });
	}

	checkpoint(): Checkpoint | null {
		const session = this.#upstream.saved;
		return session && { session, of: this.of, base: this.#base };
	}

	refusal(): Promise<CloseCode | undefined> {
		return this.#refusal.promise;
	}

	/**
	 * While another process still has the session: connects to Discord as far as that goes, and reads what is saved so far, so that
	 * {@link restore} takes less time. Without success, {@link restore} does all of it. Settled once nothing is read any more: a store keeps
	 * what it read until it is read again.
	 */
	async approach(): Promise<void> {
		const [snapshot] = await allSettled(this.shards.map((shard) => shard.peekSaved()));
		if (snapshot?.layout.sessions === this.of && !this.#isOver) this.#upstream.approach(snapshot.session);
	}

	/**
	 * Continues where an earlier process ended, if it left a usable state. `withWorkers`: its workers are still running. Rejects where the
	 * store does not answer: what it has is not known.
	 */
	async restore({ withWorkers }: { withWorkers: boolean }): Promise<void> {
		try {
			const saved = await Promise.all(this.shards.map((shard) => shard.readSaved()));
			const resumed = this.shards.map((shard, index) => this.#resumable(shard.id, saved[index]));
			const [first] = resumed.filter((each) => each !== undefined);
			if (!first) return;
			const { session, base } = first;
			if (resumed.some((each) => each?.session.sessionId !== session.sessionId)) {
				throw new ShardctlError('SNAPSHOT_INVALID', 'the shards of the session were not all saved with the same session');
			}
			this.#base = base;
			this.#botId = saved.find((each) => each !== undefined)?.snapshot.botId ?? '';
			for (const [index, shard] of this.shards.entries())
				await shard.restore(saved[index] as SavedState, { withWorkers, session, base });
			// Discord repeats what is behind this position; a shard that has saved more skips it.
			this.#newest = Math.min(...resumed.map((each) => each?.through ?? 0));
			this.#skip = new Map(
				resumed.map((each, index) => [
					this.shards[index]?.id as number,
					{ through: each?.through ?? 0, behind: new Set(each?.skip) },
				]),
			);
			this.#skipThrough = Math.max(...resumed.flatMap((each) => (each ? [each.through, ...each.skip] : [])));
			this.#upstream.resume(session, this.#newest - this.#base);
			this.#notice('snapshot:restored', `resuming after event ${this.#newest - this.#base}`);
		} catch (error) {
			if (isUnanswered(error)) throw error;
			this.#notice('snapshot:unusable', `${messageOf(error)}; starting a new session`);
		}
	}

	/** What was saved of a shard, as it continues now; undefined where it was saved with a session of another shard count. */
	#resumable(shardId: number, saved: SavedState | undefined): ContinuedShard | undefined {
		if (!saved) return undefined;
		const { session, cursor, seq, layout } = saved.snapshot;
		const { through } = saved;
		const continued = this.#options.continued?.(shardId, session.sessionId);
		if (!continued && layout.sessions !== this.of) return undefined;
		if (!continued || continued.session.sessionId === session.sessionId) {
			// What the shard had from the sessions before stays true, however little of this one was saved.
			return { session, base: cursor - seq, through: Math.max(continued?.through ?? 0, through), skip: continued?.skip ?? [] };
		}
		return { ...continued, through: Math.max(continued.through, through) };
	}

	prepare(terms: SessionTerms | null): boolean {
		if (this.#upstream.terms !== undefined) return true;
		if (terms) this.#upstream.start(terms);
		return terms !== null;
	}

	async ensure(terms: SessionTerms, shard: object): Promise<'unchanged' | 'upgraded' | Refusal> {
		const upstream = this.#upstream;
		const missing = upstream.missing(terms.intents);
		if (missing === 0 || upstream.refusedWith !== undefined) {
			if (upstream.refusedWith !== undefined) this.#refusal = deferred();
			upstream.start(terms);
			return 'unchanged';
		}
		const outcome = await this.#upgrade.request(terms, shard);
		if (outcome === 'accepted') return 'upgraded';
		const names = formatIntents(missing);
		if (outcome === 'cancelled') return { close: 4000, detail: `the request for the intents ${names} was withdrawn` };
		return {
			close: outcome.refusedWith as CloseCode,
			detail: `Discord refused the intents ${names} that a worker requested; the session continues without them`,
		};
	}

	showPresence(presence: IdentifyPayload['presence']): void {
		this.#upstream.showPresence(presence);
	}

	request(request: ClientRequest, owner: object | null = null): void {
		this.#watch?.onRequest?.(request);
		this.#upstream.request(request, owner);
	}

	/** Sends the requests that have waited for the right to the session. */
	continueRequests(): void {
		this.#upstream.requests.flush();
	}

	release(owner: object): void {
		this.#upstream.requests.forget(owner);
		this.#upgrade.withdraw(owner);
	}

	stats(): GatewaySessionStats {
		return {
			id: this.id,
			of: this.of,
			shardIds: this.#set.shardIds,
			status: this.#upstream.status,
			...this.#upstream.connection,
			intents: this.#upstream.terms?.intents ?? null,
			waitsForBudget: false,
			ping: this.#ping,
			...this.#counters,
			requestsWaiting: this.#upstream.requests.waiting,
			requestsDropped: this.#upstream.requests.dropped,
		};
	}

	/**
	 * With `keepSession` everything is saved for the process that resumes the session; else the session and its files end. Resolves then:
	 * what is saved does not depend on when Discord confirms the close, for which {@link closed} waits.
	 */
	async stop({ keepSession }: { keepSession: boolean }): Promise<void> {
		this.#isOver = true;
		this.#refusal.resolve(undefined);
		for (const shard of this.shards) shard.close();
		// No event is received from here on.
		this.#closed = this.#upstream.stop({ keepSession });
		if (!keepSession) await this.#closed;
		await Promise.all(this.shards.map((shard) => shard.stop({ keepSession })));
	}

	/** Resolves when the connection of a session that was stopped has ended. */
	get closed(): Promise<void> {
		return this.#closed;
	}

	#onRefused(code: CloseCode): void {
		if (this.#watch?.onRefused?.(code) || !this.#isServing) return;
		const final = fatalClose(code);
		const privileged = (this.#upstream.terms?.intents ?? 0) & privilegedIntentBits;
		const asked = code === 4014 && privileged !== 0 ? ` (the bot asks for ${formatIntents(privileged)})` : '';
		this.#notice('upstream:refused', `Discord refused the session (${code}): ${final?.reason}${asked}; ${final?.remedy}`);
		this.#refusal.resolve(code);
		this.#options.onRefused(code);
	}

	#receive(dispatch: Dispatch, seq: number): void {
		if (this.#held) {
			this.#held.add(dispatch, seq);
			return;
		}
		// Without a watch, what a session still sends that carries no shard is for no one.
		if (this.#watch ? !this.#watch.take(dispatch, seq) : this.#isServing) this.pass(dispatch, seq);
	}

	/** Passes an event on to the shards that it is for, but for those that have it. */
	pass(dispatch: Dispatch, seq: number, { except }: { except?: ReadonlySet<number> } = {}): void {
		if (dispatch.t === 'READY') {
			this.#begin(dispatch.d as RawObject, seq);
			return;
		}
		const position = this.#base + seq;
		if (this.#skip.size > 0 && position > this.#skipThrough) this.#skip = new Map();
		if (except || this.#skip.size > 0) this.#divideBut(dispatch, position, except);
		else this.#set.receive(dispatch, position);
		if (position > this.#newest) this.#newest = position;
	}

	#divideBut(dispatch: Dispatch, position: number, except: ReadonlySet<number> | undefined): void {
		for (const shard of this.shardsOf(dispatch)) {
			const skip = this.#skip.get(shard.id);
			const isRepeated = skip !== undefined && (position <= skip.through || skip.behind.has(position));
			if (!except?.has(shard.id) && !isRepeated) shard.receive(dispatch, position);
		}
	}

	/** The shards that get an event. */
	shardsOf(dispatch: Dispatch): readonly Shard[] {
		return this.#set.of(dispatch);
	}

	#begin(ready: RawObject, seq: number): void {
		this.#skip = new Map();
		// Behind everything that any shard has, so that no position is used twice.
		this.#base = Math.max(this.#newest, ...this.shards.map(({ newest }) => newest));
		this.#newest = this.#base + seq;
		this.#botId = (ready.user as { id: string }).id;
		this.#set.begin(ready, this.#newest, this.#upstream.terms?.intents ?? 0);
	}

	#setOf(shards: readonly Shard[], totalShards: number): ShardSet<Shard> {
		return new ShardSet(shards, { totalShards, session: this.#options.id });
	}

	#notice(kind: GatewayNotice['kind'], message: string): void {
		this.#options.notice({ shardIds: this.#set.shardIds, kind, message });
	}
}

/** A store on another machine cannot be reached at the moment. */
function isUnanswered(error: unknown): boolean {
	return ShardctlError.is(error) && ['CALL_TIMEOUT', 'REDIS_UNAVAILABLE', 'REDIS_REFUSED'].includes(error.code);
}

function describeClose({ code, reason }: ConnectionClose): string {
	return reason === '' ? String(code) : `${code}: ${reason}`;
}
