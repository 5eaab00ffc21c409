// One gateway session: the numbering of its events, what can be replayed, and the connection that carries it at the moment.
// It outlives connections. Invariant: at most one connection, and `seq` is the number of the newest event.
import type { Clock } from '@shardctl/core';
import type { IdentifyPayload, PresencePayload } from './client-payloads.js';
import type { Dispatch } from './dispatch.js';
import { ReplayBuffer, type ReplayLimits } from './replay-buffer.js';

/** What a session needs of the connection that carries it. */
export interface SessionCarrier {
	readonly id: number;
	sendFrame(frame: string): void;
	/** Asks the client for a heartbeat at once. */
	requestHeartbeat(): void;
	/** Closes with a code; what becomes of the session follows from the table of close codes. */
	close(code: number, detail?: string): void;
	/** The session has moved to another connection, or has ended: this one must close. */
	sessionLost(reason: 'replaced' | 'ended'): void;
}

export interface SessionOptions {
	id: string;
	/** As the client sent it; `undefined` for an unsharded session. */
	shard: readonly [number, number] | undefined;
	identify: IdentifyPayload;
	clock: Clock;
	replay?: ReplayLimits;
}

export class GatewaySession {
	readonly id: string;
	readonly shard: readonly [number, number] | undefined;
	readonly shardId: number;
	readonly shardCount: number;
	readonly intents: number;
	readonly largeThreshold: number;
	readonly identify: IdentifyPayload;
	readonly startedAtMs: number;
	/** The bot's presence as this session set it last; from IDENTIFY at first. */
	presence: PresencePayload | undefined;
	readonly #clock: Clock;
	readonly #replay: ReplayBuffer;
	#seq = 0;
	#carrier: SessionCarrier | undefined;

	constructor({ id, shard, identify, clock, replay }: SessionOptions) {
		this.id = id;
		this.shard = shard;
		this.shardId = shard?.[0] ?? 0;
		this.shardCount = shard?.[1] ?? 1;
		this.intents = identify.intents;
		this.largeThreshold = identify.large_threshold ?? 50;
		this.identify = identify;
		this.startedAtMs = clock.now();
		this.presence = identify.presence ?? undefined;
		this.#clock = clock;
		this.#replay = new ReplayBuffer(replay);
	}

	/** `[shard_id, num_shards]`; `[0, 1]` for an unsharded session. */
	get slot(): readonly [number, number] {
		return [this.shardId, this.shardCount];
	}

	get seq(): number {
		return this.#seq;
	}

	get connected(): boolean {
		return this.#carrier !== undefined;
	}

	get carrier(): SessionCarrier | undefined {
		return this.#carrier;
	}

	get replayableEvents(): number {
		return this.#replay.size;
	}

	/** Sends an event now, or keeps it for a resume. */
	dispatch(event: Dispatch): void {
		this.#seq++;
		this.#replay.push(event, this.#clock.monotonic());
		this.#carrier?.sendFrame(event.frame(this.#seq));
	}

	/** Sends an event that belongs to this connection only, such as RESUMED: it takes a number and is never replayed. */
	dispatchUnrecorded(event: Dispatch): void {
		this.#seq++;
		this.#replay.push(null, this.#clock.monotonic());
		this.#carrier?.sendFrame(event.frame(this.#seq));
	}

	/** Whether a resume from `seq` is possible: not ahead of us, and not older than what is kept. */
	canResumeFrom(seq: number): 'yes' | 'ahead' | 'too old' {
		if (seq > this.#seq) return 'ahead';
		return this.#replay.after(seq) === undefined ? 'too old' : 'yes';
	}

	/** Moves the session to this connection; the one before, if any, is detached. */
	attach(carrier: SessionCarrier): void {
		const before = this.#carrier;
		this.#carrier = carrier;
		if (before && before !== carrier) before.sessionLost('replaced');
	}

	/** Sends what was missed after `seq`. Returns how many events that were. */
	replayAfter(seq: number): number {
		const missed = this.#replay.after(seq) ?? [];
		for (const entry of missed) this.#carrier?.sendFrame(entry.dispatch.frame(entry.seq));
		return missed.length;
	}

	/** The connection is gone; a connection that lost the session before changes nothing. */
	detach(carrier: SessionCarrier): boolean {
		if (this.#carrier !== carrier) return false;
		this.#carrier = undefined;
		return true;
	}

	/** The session is over: frees what a resume would need, and the connection that still carries it must close. */
	dispose(): void {
		const carrier = this.#carrier;
		this.#carrier = undefined;
		this.#replay.clear();
		carrier?.sessionLost('ended');
	}
}
