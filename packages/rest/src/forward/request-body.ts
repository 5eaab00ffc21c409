// The body of one request of a worker. It is read whole, so that it can be sent again after Discord has refused it with 429, and so that a
// slow worker holds no connection to Discord. One that is larger than that is passed on while it is read, and is sent once.
import type { IncomingMessage } from 'node:http';
import { pipeline, Transform, type Writable } from 'node:stream';
import { maxRestBodyBytes, type RestFraming } from '@shardctl/core';
import type { ByteBudget } from '../limits/byte-budget.js';

/** The largest body that is read whole: what Discord accepts from bots, unless a guild is boosted. */
export const maxWholeBytes = 25 * 2 ** 20;

export const bodyTooLarge = new Error('the body is too large');
const brokenOff = new Error('the request broke off');

export class RequestBody {
	readonly #budget: ByteBudget;
	#pieces: Buffer[] = [];
	#size = 0;
	/** What is taken of the budget. */
	#taken = 0;
	/** What is not read yet. */
	#rest: IncomingMessage | undefined;
	readonly #framing: RestFraming;

	private constructor(framing: RestFraming, budget: ByteBudget) {
		this.#framing = framing;
		this.#budget = budget;
	}

	/**
	 * Reads the body as far as it fits. Rejects with the signal's reason, and when the request breaks off.
	 * @param onAdmitted There is memory for it: from now on the worker is read from.
	 */
	static async read(
		request: IncomingMessage,
		{
			framing,
			budget,
			signal,
			onAdmitted,
		}: { framing: RestFraming; budget: ByteBudget; signal: AbortSignal; onAdmitted(): void },
	): Promise<RequestBody> {
		const body = new RequestBody(framing, budget);
		if (!framing) return body;
		const length = framing['content-length'];
		if (Number(length ?? 0) > maxWholeBytes) {
			body.#rest = request;
			return body;
		}
		const bytes = length === undefined ? maxWholeBytes : Number(length);
		await budget.take(bytes, signal);
		body.#taken = bytes;
		onAdmitted();
		try {
			await body.#readFrom(request, signal);
		} catch (error) {
			body.release();
			throw error;
		}
		body.#keepOnly(body.#size);
		return body;
	}

	/** Whether it can be sent more than once. */
	get isWhole(): boolean {
		return this.#rest === undefined;
	}

	/** The headers that frame it on the next hop. */
	get headers(): Record<string, string> {
		if (this.#rest) return this.#framing ?? {};
		return this.#framing ? { 'content-length': String(this.#size) } : {};
	}

	/** As JSON, where it is small enough to be read for its limits. */
	json(): unknown {
		if (this.#rest || this.#size === 0 || this.#size > 65_536) return undefined;
		try {
			return JSON.parse(Buffer.concat(this.#pieces).toString()) as unknown;
		} catch {
			return undefined;
		}
	}

	/** Writes it to Discord and ends the request there; `onFailure` when what is read meanwhile breaks off or is too large. */
	sendTo(request: Writable, onFailure: (error: Error) => void): void {
		for (const piece of this.#pieces) request.write(piece);
		if (!this.#rest) {
			request.end();
			return;
		}
		pipeline(this.#rest, limit(this.#size), request, (error) => {
			if (error) onFailure(error);
		});
	}

	/** It is not needed any more. Idempotent. */
	release(): void {
		this.#pieces = [];
		this.#keepOnly(0);
	}

	#keepOnly(bytes: number): void {
		if (this.#taken > bytes) this.#budget.giveBack(this.#taken - bytes);
		this.#taken = Math.min(this.#taken, bytes);
	}

	#readFrom(request: IncomingMessage, signal: AbortSignal): Promise<void> {
		return new Promise((resolve, reject) => {
			const onData = (piece: Buffer) => {
				this.#pieces.push(piece);
				this.#size += piece.length;
				if (this.#size <= maxWholeBytes) return;
				request.pause();
				this.#rest = request;
				settle(resolve);
			};
			const onEnd = () => settle(resolve);
			const onBroken = () => settle(() => reject(brokenOff));
			const onAbort = () => settle(() => reject(signal.reason));
			const settle = (done: () => void) => {
				request.off('data', onData).off('end', onEnd).off('error', onBroken).off('close', onBroken);
				// An error after this is that of the response as well.
				request.on('error', () => {});
				signal.removeEventListener('abort', onAbort);
				done();
			};
			request.on('data', onData).on('end', onEnd).on('error', onBroken).on('close', onBroken);
			signal.addEventListener('abort', onAbort, { once: true });
			if (signal.aborted) onAbort();
		});
	}
}

/** Passes on what is below the limit of a body of which `size` bytes went before. */
function limit(size: number): Transform {
	let total = size;
	return new Transform({
		transform(chunk: Buffer, _encoding, done) {
			total += chunk.length;
			if (total > maxRestBodyBytes) done(bodyTooLarge);
			else done(null, chunk);
		},
	});
}
