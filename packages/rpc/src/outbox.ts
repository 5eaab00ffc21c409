// Sends frames: those of one tick as one message, and none while the channel is congested. It bounds what waits, and knows
// nothing of calls; its owner decides what a frame that could not be sent means.
import { type Envelope, envelope, type Frame, firstFrame } from './frames.js';
import type { PeerLimits } from './limits.js';
import type { Port } from './port.js';

/** A frame on its way. It can be taken back until it has left. */
export interface OutboxEntry {
	/** Undefined once it has left: the entry of a request is kept until the reply, and thousands may wait. */
	frame: Frame | undefined;
	readonly sizeBytes: number;
	state: 'waiting' | 'left' | 'dropped';
}

export interface OutboxOptions {
	port: Port;
	epoch: number;
	limits: Pick<PeerLimits, 'maxQueuedFrames' | 'maxQueuedBytes'>;
	/** The first frame of a tick leaves at once, and the others together at its end (default: all of them together). */
	firstFrameAtOnce?: boolean;
	/** The channel is broken; nothing more will be sent. */
	onBroken: (error: Error) => void;
	/** The channel cannot carry this frame; the frames after it are sent. */
	onRefused: (frame: Frame, error: unknown) => void;
}

/** Enough frames that a message costs little beside them, and little enough that the other side starts early (measured: test/bench). */
const batchBytes = 32 * 1024;

export class Outbox {
	readonly #options: OutboxOptions;
	#queue: OutboxEntry[] = [];
	#waitingFrames = 0;
	#waitingBytes = 0;
	/** Messages handed to the port whose `done` was not called yet. */
	#unconfirmed = 0;
	/** Between `cork` and `uncork`, which is at most one turn of the event loop. */
	#corked = false;
	/**
	 * idle: nothing waits. scheduled: a flush runs at the end of this tick, or at `uncork`. flushing: the flush is
	 * under way and takes what is added.
	 * congested: the port said to wait; the flush runs when all that it took is confirmed. closed: for good.
	 */
	#state: 'idle' | 'scheduled' | 'flushing' | 'congested' | 'closed' = 'idle';
	#whenFlushed: (() => void)[] = [];

	constructor(options: OutboxOptions) {
		this.#options = options;
	}

	/** Read it again after every call into the port or the owner: they may have closed this outbox. */
	get closed(): boolean {
		return this.#state === 'closed';
	}

	get waitingFrames(): number {
		return this.#waitingFrames;
	}

	/**
	 * Queues a frame for the end of this tick. Null when the queue is full. `always` is for what must not be refused: it has room until twice
	 * as much waits, which is only so where the other side sends and does not read.
	 */
	push(frame: Frame, sizeBytes: number, always = false): OutboxEntry | null {
		const entry: OutboxEntry = { frame, sizeBytes, state: 'waiting' };
		return this.add(entry, always) ? entry : null;
	}

	/** As {@link push}, with an entry that the caller has made. False when the queue is full. */
	add(entry: OutboxEntry, always = false): boolean {
		const { sizeBytes } = entry;
		const { maxQueuedFrames, maxQueuedBytes } = this.#options.limits;
		const factor = always ? 2 : 1;
		const full = this.#waitingFrames >= factor * maxQueuedFrames || this.#waitingBytes + sizeBytes > factor * maxQueuedBytes;
		if (this.#state === 'closed' || (full && this.#waitingFrames > 0)) return false;
		this.#queue.push(entry);
		this.#waitingFrames++;
		this.#waitingBytes += sizeBytes;
		if (this.#state === 'idle') {
			this.#state = 'scheduled';
			if (this.#corked) return true;
			// Before any I/O, and after the promise callbacks that are due: all frames of this tick leave together.
			process.nextTick(this.#onTickEnd);
			if (this.#options.firstFrameAtOnce) {
				this.#flush();
				// The flush at the end of this tick is still due, so the next frame waits for it.
				if (this.#isIdle()) this.#state = 'scheduled';
			}
		} else if (this.#state === 'scheduled' && this.#waitingBytes >= batchBytes) {
			// A message is full. Sending it now lets the other side work while this one is still encoding.
			this.#flush();
		}
		return true;
	}

	/** Holds back frames that are pushed from now on until {@link uncork} (the names are those of Node's writable streams). */
	cork(): void {
		this.#corked = true;
	}

	/** Sends the frames that were held back. */
	uncork(): void {
		this.#corked = false;
		this.#onTickEnd();
	}

	/** Takes a frame back. False when it has left already. */
	drop(entry: OutboxEntry): boolean {
		if (entry.state !== 'waiting') return entry.state === 'dropped';
		this.#take(entry, 'dropped');
		return true;
	}

	/** Resolves once everything queued so far has been handed to the channel, or the outbox is closed. */
	flushed(): Promise<void> {
		if (this.#isFlushed()) return Promise.resolve();
		return new Promise((resolve) => this.#whenFlushed.push(resolve));
	}

	/** Closes the outbox; frames that still wait are discarded. */
	close(): void {
		this.#state = 'closed';
		this.#queue = [];
		this.#waitingFrames = 0;
		this.#waitingBytes = 0;
		this.#announceFlushed();
	}

	#isIdle(): boolean {
		return this.#state === 'idle';
	}

	#isFlushed(): boolean {
		return this.#state === 'closed' || (this.#waitingFrames === 0 && this.#unconfirmed === 0);
	}

	#announceFlushed(): void {
		if (this.#whenFlushed.length === 0 || !this.#isFlushed()) return;
		for (const resolve of this.#whenFlushed.splice(0)) resolve();
	}

	#take(entry: OutboxEntry, state: 'left' | 'dropped'): void {
		entry.state = state;
		entry.frame = undefined;
		this.#waitingFrames--;
		this.#waitingBytes -= entry.sizeBytes;
	}

	readonly #onTickEnd = (): void => {
		// A full message may have been sent before, and the channel may be congested since.
		if (this.#state === 'scheduled') this.#flush();
	};

	#flush(): void {
		this.#state = 'flushing';
		const queue = this.#queue;
		let next = 0;
		let accepted = true;
		while (accepted && next < queue.length && !this.closed) {
			const message = envelope(this.#options.epoch);
			for (let bytes = 0; next < queue.length && bytes < batchBytes; next++) {
				const entry = queue[next] as OutboxEntry;
				if (entry.state !== 'waiting') continue;
				bytes += entry.sizeBytes;
				message.push(entry.frame);
				this.#take(entry, 'left');
			}
			accepted = message.length === firstFrame || this.#send(message);
		}
		if (this.closed) return;
		this.#queue = next < queue.length ? queue.slice(next) : [];
		this.#state = accepted ? 'idle' : 'congested';
		this.#announceFlushed();
	}

	/** Sends one message. A message that the channel cannot carry is sent again frame by frame, so that only the frame at fault fails. */
	#send(message: Envelope): boolean {
		this.#unconfirmed++;
		try {
			return this.#options.port.send(message, this.#onDone);
		} catch (error) {
			this.#unconfirmed--;
			const frames = message.slice(firstFrame) as Frame[];
			if (frames.length === 1) this.#options.onRefused(frames[0] as Frame, error);
			else for (const frame of frames) this.#send([...envelope(this.#options.epoch), frame]);
			return true;
		}
	}

	readonly #onDone = (error: Error | null): void => {
		this.#unconfirmed--;
		if (this.#state === 'closed') return;
		if (error) {
			this.#options.onBroken(error);
			return;
		}
		if (this.#state === 'congested' && this.#unconfirmed === 0) this.#flush();
		else this.#announceFlushed();
	};
}
