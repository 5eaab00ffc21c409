// One session with Discord and the shards that come through it: each event goes to the shards that it is for, what workers ask shares
// Discord's budget, and the process after this one resumes behind what every shard has saved. Not in here: who gets a shard's stream.
import {
	type Clock,
	deferred,
	type GatewayInfo,
	type GatewayNotice,
	type GatewaySessionStats,
	messageOf,
	ShardctlError,
	type UpstreamCompression,
} from '@shardctl/core';
import type { ClientRequest, IdentifyPayload } from '@shardctl/gateway-protocol';
import { ResidentShard, type ResidentShardOptions, type SavedShard } from '../shard/resident-shard.js';
import type { Dispatch, RawObject } from '../state/raw.js';
import { type RenewalOutcome, UpstreamSessions } from '../upstream/upstream-sessions.js';
import type { SavedSession, SessionTerms } from '../upstream/upstream-shard.js';
import { readyOfShard, shardOfEvent } from './event-routing.js';
import { IntentsWish } from './intent-upgrade.js';

export interface ResidentSessionOptions {
	/** Its number: the shard id of Discord's side. */
	id: number;
	/** How many sessions the bot has in all: the shard count of Discord's side. */
	sessions: number;
	/** The shards that come through it. */
	shardIds: readonly number[];
	shardOptions(shardId: number): Omit<ResidentShardOptions, 'shardId' | 'totalShards' | 'session' | 'clock' | 'notice'>;
	/** The shard count of the workers' side: a whole multiple of `sessions`. */
	totalShards: number;
	token: string;
	gateway: GatewayInfo;
	compression: UpstreamCompression;
	clock: Clock;
	waitForIdentify(signal: AbortSignal): Promise<void>;
	onIdentified(): void;
	notice(notice: GatewayNotice): void;
}

export class ResidentSession {
	readonly shards: readonly ResidentShard[];
	readonly #options: ResidentSessionOptions;
	readonly #upstream: UpstreamSessions;
	readonly #wish: IntentsWish;
	/** Where there is but one, nothing has to be divided. */
	readonly #onlyShard: ResidentShard | undefined;
	readonly #byId: ReadonlyMap<number, ResidentShard>;
	readonly #counters = { identifies: 0, resumes: 0, sessionsLost: 0 };
	/** Position of an event = this + Discord's number of it. */
	#base = 0;
	/** Position through which every event is with its shard. */
	#newest = 0;
	#botId = '';
	#ping: number | null = null;
	#refused = deferred();

	constructor(options: ResidentSessionOptions) {
		const { id, sessions, shardIds, totalShards, token, gateway, compression, clock } = options;
		this.#options = options;
		const notice = (kind: GatewayNotice['kind'], message: string) => options.notice({ shardIds, kind, message });
		this.shards = shardIds.map(
			(shardId) =>
				new ResidentShard({
					...options.shardOptions(shardId),
					shardId,
					totalShards,
					session: this,
					clock,
					notice: (kind, message) => options.notice({ shardIds: [shardId], kind, message }),
				}),
		);
		this.#onlyShard = this.shards.length === 1 ? this.shards[0] : undefined;
		this.#byId = new Map(this.shards.map((shard) => [shard.id, shard]));
		this.#upstream = new UpstreamSessions({
			shardId: id,
			totalShards: sessions,
			token,
			gateway,
			compression,
			clock,
			waitForIdentify: (signal) => options.waitForIdentify(signal),
			onDispatch: (dispatch, seq) => this.#receive(dispatch, seq),
			onReady: () => {
				this.#counters.identifies++;
				options.onIdentified();
				notice('upstream:ready', 'Discord has started a session');
			},
			onResumed: () => {
				this.#counters.resumes++;
				notice('upstream:resumed', 'the session with Discord goes on');
			},
			onClosed: (code) =>
				notice('upstream:disconnected', `the connection to Discord closed (${code}); workers are not concerned`),
			onSessionLost: () => {
				this.#counters.sessionsLost++;
				notice('upstream:session-lost', 'Discord has ended the session; a new one will be compared with what workers know');
			},
			onRefused: () => this.#refused.resolve(),
			onRequestsDropped: (opcode) =>
				notice('requests:dropped', `workers ask more than Discord takes: requests (op ${opcode}) that do not fit are dropped`),
			onPing: (latencyMs) => {
				this.#ping = latencyMs;
			},
		});
		this.#wish = new IntentsWish({
			upstream: this.#upstream,
			onGranted: (missing) =>
				notice('upstream:intents', `a worker asked for more intents (${missing}): Discord has started a new session with them`),
		});
	}

	/** Its number: the shard id of Discord's side. */
	get id(): number {
		return this.#options.id;
	}

	/** How many sessions the bot has in all. */
	get sessions(): number {
		return this.#options.sessions;
	}

	/** Position of an event = this + Discord's number of it. */
	get base(): number {
		return this.#base;
	}

	/** Position through which every event is with its shard. */
	get newest(): number {
		return this.#newest;
	}

	get botId(): string {
		return this.#botId;
	}

	/** The session as the next process can resume it; null while there is none. */
	get saved(): SavedSession | null {
		return this.#upstream.saved;
	}

	/** The close code with which Discord refused the session for good. */
	get refusedWith(): number | undefined {
		return this.#upstream.refusedWith;
	}

	/** Resolves when Discord has refused the session, or nobody waits for it any more. */
	whenRefused(): Promise<void> {
		return this.#refused.promise;
	}

	/** Goes on where an earlier process ended, if that left something to go on with. `withWorkers`: its workers live on. */
	async restore({ withWorkers }: { withWorkers: boolean }): Promise<void> {
		try {
			const found = await Promise.all(this.shards.map((shard) => shard.readSaved()));
			const saved = found.filter((each) => each !== undefined);
			const [first] = saved;
			if (!first) return;
			const { session, cursor, seq, botId } = first.snapshot;
			if (saved.length < this.shards.length || saved.some(({ snapshot }) => snapshot.session.sessionId !== session.sessionId)) {
				throw new ShardctlError('SNAPSHOT_INVALID', 'its shards were not all saved with the same session');
			}
			this.#base = cursor - seq;
			this.#botId = botId;
			for (const [index, shard] of this.shards.entries()) await shard.restore(saved[index] as SavedShard, { withWorkers });
			// A shard that has more skips what comes again.
			this.#newest = Math.min(...saved.map(({ through }) => through));
			this.#upstream.resume(session, this.#newest - this.#base);
			this.#notice('snapshot:restored', `going on behind event ${this.#newest - this.#base}`);
		} catch (error) {
			this.#notice('snapshot:unusable', `${messageOf(error)}; the session starts anew`);
		}
	}

	/** Which of these intents the session does not have; 0 before there is one. */
	missing(intents: number): number {
		return this.#upstream.missing(intents);
	}

	/** Starts the session where there is none. One that was refused is tried again: whoever comes says that the reason is mended. */
	start(terms: SessionTerms): void {
		if (this.#upstream.refusedWith !== undefined) this.#refused = deferred();
		this.#upstream.start(terms);
	}

	/** Wants a session with more intents. Meanwhile all events flow on; if Discord refuses, nothing has changed. */
	askForMore(terms: SessionTerms, asker: ResidentShard): Promise<RenewalOutcome> {
		return this.#wish.ask(terms, asker);
	}

	/** The worker of a shard that asked for more intents is out. */
	callOff(asker: ResidentShard): void {
		this.#wish.callOff(asker);
	}

	/** The bot has one presence a session: the one that any of its shards asked for last. */
	showPresence(presence: IdentifyPayload['presence']): void {
		this.#upstream.showPresence(presence);
	}

	/** Asks Discord within its budget, which all shards share. `owner`: who waits for an answer. */
	request(request: ClientRequest, owner: object | null = null): void {
		this.#upstream.request(request, owner);
	}

	/** Whoever asked is gone. */
	forget(owner: object): void {
		this.#upstream.requests.forget(owner);
	}

	stats(): GatewaySessionStats {
		const { id, shardIds } = this.#options;
		return {
			id,
			shardIds: [...shardIds],
			status: this.#upstream.status,
			ping: this.#ping,
			...this.#counters,
			requestsWaiting: this.#upstream.requests.waiting,
			requestsDropped: this.#upstream.requests.dropped,
		};
	}

	/** With `keepSession` everything is left for the next process; else the session ends and nothing stays. */
	async stop({ keepSession }: { keepSession: boolean }): Promise<void> {
		this.#refused.resolve();
		for (const shard of this.shards) shard.close();
		await this.#upstream.stop({ keepSession });
		await Promise.all(this.shards.map((shard) => shard.stop({ keepSession })));
	}

	#receive(dispatch: Dispatch, seq: number): void {
		if (dispatch.t === 'READY') {
			this.#begin(dispatch.d as RawObject, seq);
			return;
		}
		const offset = this.#base + seq;
		if (this.#onlyShard) this.#onlyShard.receive(dispatch, offset);
		else this.#divide(dispatch, offset);
		if (offset > this.#newest) this.#newest = offset;
	}

	#divide(dispatch: Dispatch, offset: number): void {
		const { id: session, totalShards } = this.#options;
		const shardId = shardOfEvent(dispatch, { session, totalShards });
		if (shardId !== undefined) this.#byId.get(shardId)?.receive(dispatch, offset);
		else for (const shard of this.shards) shard.receive(dispatch, offset);
	}

	#begin(ready: RawObject, seq: number): void {
		// Behind all that any shard has, so that no position is given twice.
		this.#base = Math.max(this.#newest, ...this.shards.map(({ stream }) => stream.newest));
		this.#newest = this.#base + seq;
		this.#botId = (ready.user as { id: string }).id;
		const intents = this.#upstream.terms?.intents ?? 0;
		for (const shard of this.shards) {
			const own = this.#onlyShard ? ready : readyOfShard(ready, shard.id, this.#options.totalShards);
			shard.beginSession(own, this.#newest, intents);
		}
	}

	#notice(kind: GatewayNotice['kind'], message: string): void {
		this.#options.notice({ shardIds: this.#options.shardIds, kind, message });
	}
}
