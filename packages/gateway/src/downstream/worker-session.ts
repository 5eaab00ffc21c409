// One session of a worker at the local gateway. Its sequence numbers are positions in the shard's log, so that a gateway process that is
// restarted, and receives the same events from Discord again, gives them the same numbers. What can be replayed is therefore not kept
// here, and neither is how far its client is: the stream has both.
import { type Dispatch, type EncodedDispatch, GatewaySession, type SessionOptions } from '@shardctl/gateway-protocol';

/** What a session needs of its shard's stream. */
export interface SessionStream {
	canResume(session: WorkerSession, seq: number): 'yes' | 'ahead' | 'too old';
	/** Sends again what the client does not have; returns how many events. */
	resume(session: WorkerSession, seq: number): number;
}

/** The shortest time between two questions to a client whose answers count, in ms. */
const rationedAskMs = 1000;

/**
 * Libraries that count the heartbeats which they are asked for against what they may send a minute, 110 or 120, and wait when that is used
 * up. discord.py stops reading meanwhile. @discordjs/ws always answers at once.
 */
const countsAnswers = /discord\.py|pycord|nextcord|disnake|eris|oceanic/i;

/**
 * discord.js queues what arrives before all of its shards are ready, and handles it among what arrives afterwards. It cannot be distinguished
 * from other users of its library for connections, which do not mind.
 */
const swapsEarlyEvents = /@discordjs\/ws/i;

export class WorkerSession extends GatewaySession {
	readonly #stream: SessionStream;
	/** It must not be asked for a heartbeat often. */
	readonly #countsAnswers: boolean;
	/** Monotonic. */
	#askedAtMs = Number.NEGATIVE_INFINITY;
	#heardAtMs = Number.NEGATIVE_INFINITY;
	#roundTripMs: number | null = null;
	#position = 0;

	constructor(options: SessionOptions, stream: SessionStream) {
		super(options);
		this.#stream = stream;
		this.#countsAnswers = countsAnswers.test(String(options.identify.properties.browser ?? ''));
	}

	/** The position of the newest event that was sent. */
	override get seq(): number {
		return this.#position;
	}

	/** From a request for a heartbeat to the heartbeat; null before the first. */
	get roundTripMs(): number | null {
		return this.#roundTripMs;
	}

	/** Its client has sent a heartbeat. */
	noteHeartbeat(nowMs: number): void {
		if (this.#askedAtMs > this.#heardAtMs) this.#roundTripMs = Math.round(nowMs - this.#askedAtMs);
		this.#heardAtMs = nowMs;
	}

	/** Whether its client handles events out of order that arrive before all of its shards are ready. */
	get swapsEarlyEvents(): boolean {
		return swapsEarlyEvents.test(String(this.identify.properties.browser ?? ''));
	}

	/** Whether its client has just sent a heartbeat; if not, it is asked for one. */
	isHeard(nowMs: number): boolean {
		if (nowMs - this.#heardAtMs < rationedAskMs) return true;
		this.ask(nowMs);
		return false;
	}

	/** Sends the event at a position. */
	sendAt(offset: number, event: EncodedDispatch): void {
		this.#position = offset;
		this.carrier?.sendFrame(event.frame(offset));
	}

	/** Asks the client for a heartbeat, unless it must not be asked again so soon; `now` asks all the same. Returns whether it did. */
	ask(nowMs: number, { now = false } = {}): boolean {
		if (this.#countsAnswers && !now && nowMs - this.#askedAtMs < rationedAskMs) return false;
		this.#askedAtMs = nowMs;
		this.carrier?.requestHeartbeat();
		return true;
	}

	/** The client is at this position, though nothing was sent to it here. */
	setPosition(offset: number): void {
		this.#position = offset;
	}

	override canResumeFrom(seq: number): 'yes' | 'ahead' | 'too old' {
		return this.#stream.canResume(this, seq);
	}

	override replayAfter(seq: number): number {
		return this.#stream.resume(this, seq);
	}

	/** RESUMED takes no number of its own: the next event has the number that its position gives it. */
	override dispatchUnrecorded(event: Dispatch): void {
		this.carrier?.sendFrame(event.frame(this.#position));
	}
}
