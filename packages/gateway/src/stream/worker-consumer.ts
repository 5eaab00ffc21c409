// One session of a worker as a consumer of its shard's stream: what it is shown first, from where it can resume, and what it wants.
// Whether it is its turn at all is the seat's decision.
import type { Clock } from '@shardctl/core';
import { dispatchOf, type LogEntry } from '../buffer/event-log.js';
import { passesIntents } from '../downstream/event-filter.js';
import type { WorkerSession } from '../downstream/worker-session.js';
import type { SavedWorker } from '../snapshots/shard-saver.js';
import type { AnswerRoutes } from './answer-routes.js';
import type { StreamConsumer } from './consumer.js';
import { Presentation, type PresentationOptions } from './presentation.js';

export interface WorkerConsumerOptions {
	incarnation: number;
	clock: Clock;
	answers: AnswerRoutes;
}

export class WorkerConsumer implements StreamConsumer {
	readonly session: WorkerSession;
	readonly incarnation: number;
	readonly #options: WorkerConsumerOptions;
	/** Made once: it is compared with the saved one several times a second. */
	readonly #savedIdentify: SavedWorker['identify'];
	#presentation: Presentation | null = null;
	#resumableFrom = 0;
	/** What its client said that it has, in a RESUME that could not be granted. */
	#claimed: number | null = null;

	constructor(session: WorkerSession, options: WorkerConsumerOptions) {
		this.session = session;
		this.incarnation = options.incarnation;
		this.#options = options;
		this.#savedIdentify = { ...session.identify, token: '' };
	}

	get accepting(): boolean {
		return this.session.connected;
	}

	get claimed(): number | null {
		return this.#claimed;
	}

	/** Whether it was sent all that it is to be shown before events flow. */
	get isPresented(): boolean {
		return this.#presentation?.isSent ?? true;
	}

	/** Whether a heartbeat of the client is missing, for all that it was shown to be confirmed or to continue. */
	get awaitsHeartbeat(): boolean {
		return this.#presentation?.awaitsHeartbeat ?? false;
	}

	/** For the process after this one. */
	get checkpoint(): Omit<SavedWorker, 'handledThrough'> {
		return {
			sessionId: this.session.id,
			incarnation: this.incarnation,
			identify: this.#savedIdentify,
			unconfirmedAt: this.#unconfirmedAt,
			resumableFrom: this.#resumableFrom,
		};
	}

	get #unconfirmedAt(): number | null {
		return this.#presentation?.isConfirmed === false ? this.#presentation.offset : null;
	}

	wants(entry: LogEntry): boolean {
		if (!passesIntents(entry, this.session.intents)) return false;
		if (entry.event.type !== 'GUILD_MEMBERS_CHUNK') return true;
		// Answers to the request of one session do not go to another.
		return this.#options.answers.leadsTo(this.session, (dispatchOf(entry).d as { nonce?: string }).nonce);
	}

	deliver(entry: LogEntry): void {
		this.session.sendAt(entry.offset, entry.event);
	}

	probe(options?: { now?: boolean }): boolean {
		return this.session.ask(this.#options.clock.monotonic(), options);
	}

	/** Continues a session that began in an earlier process. */
	restore({ unconfirmedAt, resumableFrom }: Pick<SavedWorker, 'unconfirmedAt' | 'resumableFrom'>, position: number): void {
		this.#presentation = unconfirmedAt === null ? null : Presentation.interrupted(unconfirmedAt);
		this.#resumableFrom = resumableFrom;
		this.session.setPosition(position);
	}

	/** From now on this is what it is shown before events flow. */
	present(options: PresentationOptions): Presentation {
		this.#presentation = new Presentation(options);
		this.#resumableFrom = options.offset;
		return this.#presentation;
	}

	/** Sends the next part of the presentation if it is its turn. */
	continuePresentation(): void {
		if (this.#presentation?.sendNext(this.session)) this.probe({ now: true });
	}

	/** Its client has sent a heartbeat. Returns whether that was the last that its presentation had to wait for. */
	heartbeat(): boolean {
		const presentation = this.#presentation;
		if (!presentation || presentation.isConfirmed) return false;
		presentation.heartbeat();
		if (presentation.isConfirmed) return true;
		// Of the two heartbeats that confirm it, the second is asked for at once.
		if (presentation.isSent && presentation.awaitsHeartbeat) this.probe({ now: true });
		return false;
	}

	/** The client has everything through `seq`. */
	noteConfirmed(seq: number): void {
		this.#resumableFrom = Math.max(this.#resumableFrom, seq);
	}

	/** Whether the client can resume from what it says that it has. If not, that is remembered, so that nothing behind it is lost. */
	canResume(seq: number): boolean {
		if (seq < this.#resumableFrom) return false;
		if (seq !== this.#unconfirmedAt && this.isPresented) return true;
		this.#claimed = seq;
		return false;
	}

	/** The client resumes, with everything through `seq`. */
	resumed(seq: number): void {
		this.#resumableFrom = seq;
		this.session.setPosition(Math.max(seq, this.session.seq));
	}
}
