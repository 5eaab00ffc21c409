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
import type { ResidentShard } from '../shard/resident-shard.js';
import type { SavedState } from '../shard/saved-shard.js';
import type { Checkpoint, Refusal, SessionLink } from '../shard/session-link.js';
import type { Dispatch, RawObject } from '../state/raw.js';
import type { UpstreamSessions } from '../upstream/upstream-sessions.js';
import type { ConnectionClose, SessionTerms, UpstreamEvents } from '../upstream/upstream-shard.js';
import { readyOfShard, shardOfEvent } from './event-routing.js';
import { IntentUpgrade } from './intent-upgrade.js';

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
	| 'resume'
	| 'request'
	| 'showPresence'
	| 'renew'
	| 'cancelRenewal'
	| 'stop'
> & { readonly requests: Pick<UpstreamSessions['requests'], 'forget' | 'flush' | 'waiting' | 'dropped'> };

/** What a session uses of a shard. */
export type SessionShard = Pick<
	ResidentShard,
	'id' | 'newest' | 'readSaved' | 'restore' | 'beginSession' | 'receive' | 'stats' | 'close' | 'stop'
>;

export interface ResidentSessionOptions<Shard extends SessionShard> {
	/** The shard id that Discord knows. */
	id: number;
	/** The shards that the session carries; ascending. */
	shardIds: readonly number[];
	layout: Layout;
	createShard(shardId: number, session: SessionLink): Shard;
	createUpstream(events: UpstreamEvents): Upstream;
	/** Discord refused the session for good, with this close code. */
	onRefused(code: CloseCode): void;
	notice(notice: GatewayNotice): void;
}

export class ResidentSession<Shard extends SessionShard = ResidentShard> implements SessionLink {
	readonly shards: readonly Shard[];
	readonly #options: ResidentSessionOptions<Shard>;
	readonly #upstream: Upstream;
	readonly #upgrade: IntentUpgrade;
	/** Set where the session carries one shard: nothing has to be divided then. */
	readonly #onlyShard: Shard | undefined;
	readonly #byId: ReadonlyMap<number, Shard>;
	readonly #counters = { identifies: 0, resumes: 0, sessionsLost: 0 };
	/** Position of an event = this + Discord's sequence number of it. */
	#base = 0;
	#newest = 0;
	#botId = '';
	#ping: number | null = null;
	/** Settled when Discord refuses the session or the session stops; replaced when a refused session is tried again. */
	#refusal: Deferred<CloseCode | undefined> = deferred();

	constructor(options: ResidentSessionOptions<Shard>) {
		this.#options = options;
		this.shards = options.shardIds.map((shardId) => options.createShard(shardId, this));
		this.#onlyShard = this.shards.length === 1 ? this.shards[0] : undefined;
		this.#byId = new Map(this.shards.map((shard) => [shard.id, shard]));
		this.#upstream = options.createUpstream({
			onDispatch: (dispatch, seq) => this.#receive(dispatch, seq),
			onReady: () => {
				this.#counters.identifies++;
				this.#notice('upstream:ready', 'Discord started a session');
			},
			onResumed: () => {
				this.#counters.resumes++;
				this.#notice('upstream:resumed', 'resumed the session with Discord');
			},
			onClosed: (close) =>
				this.#notice(
					'upstream:disconnected',
					`the connection to Discord closed (${describeClose(close)}); workers stay connected`,
				),
			onSessionLost: () => {
				this.#counters.sessionsLost++;
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

	get newest(): number {
		return this.#newest;
	}

	get botId(): string {
		return this.#botId;
	}

	checkpoint(): Checkpoint | null {
		const session = this.#upstream.saved;
		return session && { session, base: this.#base };
	}

	refusal(): Promise<CloseCode | undefined> {
		return this.#refusal.promise;
	}

	/** Continues where an earlier process ended, if it left a usable state. `withWorkers`: its workers are still running. */
	async restore({ withWorkers }: { withWorkers: boolean }): Promise<void> {
		try {
			const found = await Promise.all(this.shards.map((shard) => shard.readSaved()));
			const saved = found.filter((each) => each !== undefined);
			const [first] = saved;
			if (!first) return;
			const { session, cursor, seq, botId } = first.snapshot;
			if (saved.length < this.shards.length || saved.some(({ snapshot }) => snapshot.session.sessionId !== session.sessionId)) {
				throw new ShardctlError('SNAPSHOT_INVALID', 'the shards of the session were not all saved with the same session');
			}
			this.#base = cursor - seq;
			this.#botId = botId;
			for (const [index, shard] of this.shards.entries()) await shard.restore(saved[index] as SavedState, { withWorkers });
			// Discord repeats what is behind this position; a shard that has saved more skips it.
			this.#newest = Math.min(...saved.map(({ through }) => through));
			this.#upstream.resume(session, this.#newest - this.#base);
			this.#notice('snapshot:restored', `resuming after event ${this.#newest - this.#base}`);
		} catch (error) {
			this.#notice('snapshot:unusable', `${messageOf(error)}; starting a new session`);
		}
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
		const { id, shardIds } = this.#options;
		return {
			id,
			shardIds: [...shardIds],
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

	/** With `keepSession` everything is saved for the process that resumes the session; else the session and its files end. */
	async stop({ keepSession }: { keepSession: boolean }): Promise<void> {
		this.#refusal.resolve(undefined);
		for (const shard of this.shards) shard.close();
		await this.#upstream.stop({ keepSession });
		await Promise.all(this.shards.map((shard) => shard.stop({ keepSession })));
	}

	#onRefused(code: CloseCode): void {
		const final = fatalClose(code);
		const privileged = (this.#upstream.terms?.intents ?? 0) & privilegedIntentBits;
		const asked = code === 4014 && privileged !== 0 ? ` (the bot asks for ${formatIntents(privileged)})` : '';
		this.#notice('upstream:refused', `Discord refused the session (${code}): ${final?.reason}${asked}; ${final?.remedy}`);
		this.#refusal.resolve(code);
		this.#options.onRefused(code);
	}

	#receive(dispatch: Dispatch, seq: number): void {
		if (dispatch.t === 'READY') {
			this.#begin(dispatch.d as RawObject, seq);
			return;
		}
		const position = this.#base + seq;
		if (this.#onlyShard) this.#onlyShard.receive(dispatch, position);
		else this.#divide(dispatch, position);
		if (position > this.#newest) this.#newest = position;
	}

	#divide(dispatch: Dispatch, position: number): void {
		const { id: session, layout } = this.#options;
		const shardId = shardOfEvent(dispatch, { session, totalShards: layout.totalShards });
		if (shardId !== undefined) this.#byId.get(shardId)?.receive(dispatch, position);
		else for (const shard of this.shards) shard.receive(dispatch, position);
	}

	#begin(ready: RawObject, seq: number): void {
		// Behind everything that any shard has, so that no position is used twice.
		this.#base = Math.max(this.#newest, ...this.shards.map(({ newest }) => newest));
		this.#newest = this.#base + seq;
		this.#botId = (ready.user as { id: string }).id;
		const intents = this.#upstream.terms?.intents ?? 0;
		for (const shard of this.shards) {
			const own = this.#onlyShard ? ready : readyOfShard(ready, shard.id, this.#options.layout.totalShards);
			shard.beginSession(own, this.#newest, intents);
		}
	}

	#notice(kind: GatewayNotice['kind'], message: string): void {
		this.#options.notice({ shardIds: this.#options.shardIds, kind, message });
	}
}

function describeClose({ code, reason }: ConnectionClose): string {
	return reason === '' ? String(code) : `${code}: ${reason}`;
}
