// One session of a worker at the local gateway. Its sequence numbers are positions in the shard's log, so that a gateway process
// that starts anew, and hears the same events from Discord again, gives them the same numbers. What can be replayed is therefore
// not kept here: the stream knows.
import { type Dispatch, type EncodedDispatch, GatewaySession, type SessionOptions } from '@shardctl/gateway-protocol';
import type { EncodedData } from '../state/raw.js';

/** What a session asks of its shard's stream. */
export interface SessionStream {
	canResume(session: WorkerSession, seq: number): 'yes' | 'ahead' | 'too old';
	/** Sends again what the client does not have. Answers how many events that were. */
	resume(session: WorkerSession, seq: number): number;
}

/** How often a client whose answers count is asked at most, in ms. */
const rationedAskMs = 1000;

/** Events that all stand at one position: READY with its guilds, or what makes a cache right after a lost session. */
export interface Presentation {
	readonly offset: number;
	readonly events: Iterator<EncodedData>;
}

/**
 * Libraries whose answers to a question for a heartbeat count against what they may send a minute, 110 or 120, and wait when that is
 * used up. discord.py stops reading meanwhile. @discordjs/ws answers at once, always.
 */
const countsAnswers = /discord\.py|pycord|nextcord|disnake|eris|oceanic/i;

export class WorkerSession extends GatewaySession {
	/** Of the worker's process; 0 for a client that did not come by a worker's path. */
	incarnation = 0;
	/** What has to go out before the stream goes on. */
	presentation: Presentation | null = null;
	/** Its presentation waits until the next process would know of it. */
	unsaved = false;
	/** Heartbeats that must come before the last presentation is known to have arrived, or its next part may go out. */
	beatsAwaited = 0;
	/** Where the last presentation stands: a resume from there cannot tell how much of it arrived. Null once that is known. */
	unconfirmedAt: number | null = null;
	/** Of what the client is known to have, the last that was really sent to it: what lies between here and the cursor was not for it. */
	resumableFrom = 0;
	/** It began in an earlier process, which may have sent more than this one knows; until its client resumes. */
	restored = false;
	/** What its client said last, in a RESUME that could not be granted, that it has; null otherwise. */
	claimed: number | null = null;
	readonly #stream: SessionStream;
	/** It must not be asked often how far it is. */
	readonly #countsAnswers: boolean;
	/** Monotonic. */
	#askedAtMs = Number.NEGATIVE_INFINITY;
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

	/** Sends an event that stands at a position. */
	sendAt(offset: number, event: EncodedDispatch): void {
		this.#position = offset;
		this.carrier?.sendFrame(event.frame(offset));
	}

	/** Asks the client how far it is, unless it must not be asked again so soon; `now` asks all the same. Answers whether it did. */
	ask(nowMs: number, { now = false } = {}): boolean {
		if (this.#countsAnswers && !now && nowMs - this.#askedAtMs < rationedAskMs) return false;
		this.#askedAtMs = nowMs;
		this.carrier?.requestHeartbeat();
		return true;
	}

	/** The client of an earlier process had come this far. */
	setPosition(offset: number): void {
		this.#position = offset;
	}

	override canResumeFrom(seq: number): 'yes' | 'ahead' | 'too old' {
		return this.#stream.canResume(this, seq);
	}

	override replayAfter(seq: number): number {
		return this.#stream.resume(this, seq);
	}

	/** RESUMED takes no number of its own: the next event's is given by Discord. */
	override dispatchUnrecorded(event: Dispatch): void {
		this.carrier?.sendFrame(event.frame(this.#position));
	}
}
