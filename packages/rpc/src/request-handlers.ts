// The handlers of one side: runs one for each request of the other side, and sends what it returns or throws. A handler runs in the
// call that received the request, so that replies which are ready at once leave in one message.
import { type ErrorCode, ShardctlError } from '@shardctl/core';
import { methodNotFound, tooMany } from './call-errors.js';
import { encodeThrown } from './error-codec.js';
import { type Frame, frameBytes, kind } from './frames.js';
import { type HandlerContext, LazyHandlerContext } from './handler-context.js';
import type { PeerLimits } from './limits.js';
import type { Outbox } from './outbox.js';
import { checked, type SchemaTables } from './schemas.js';
import { decodeValue } from './value-decoder.js';
import { type EncodedValue, encodeValue } from './value-encoder.js';

export type Handler = (params: unknown, context: HandlerContext) => unknown;

export interface RequestHandlersOptions {
	outbox: Pick<Outbox, 'push'>;
	limits: PeerLimits;
	schemas: SchemaTables['params'];
	/** A request arrived twice; the second is ignored. */
	onDuplicate(): void;
	/** The other side sends requests and does not read the replies, of which no more can be kept. */
	onUnread(): void;
	/** The params of a request are not what the protocol allows, which was the reply to it. */
	onUnreadable(what: string, cause: unknown): void;
}

export class RequestHandlers {
	readonly #options: RequestHandlersOptions;
	readonly #handlers = new Map<string, Handler>();
	readonly #running = new Map<number, LazyHandlerContext>();
	/** Ids of one sender only grow, and the channel keeps their order: an id that is not greater is a duplicate. */
	#lastRemoteId = 0;
	#closed = false;

	constructor(options: RequestHandlersOptions) {
		this.#options = options;
	}

	/** Handlers that have not finished. */
	get runningCount(): number {
		return this.#running.size;
	}

	set(method: string, handler: Handler): void {
		this.#handlers.set(method, handler);
	}

	/** Aborts the signals of running handlers. Nothing is sent any more. */
	abortAll(error: ShardctlError): void {
		this.#closed = true;
		for (const context of this.#running.values()) context.abort(error);
		this.#running.clear();
	}

	/** Runs the handler of a request. */
	run(id: number, method: string, wire: unknown, tagged: boolean): void {
		if (id <= this.#lastRemoteId) {
			this.#options.onDuplicate();
			return;
		}
		this.#lastRemoteId = id;
		const handler = this.#handlers.get(method);
		if (!handler) {
			this.fail(id, methodNotFound(method));
			return;
		}
		if (this.#running.size >= this.#options.limits.maxRunningHandlers) {
			this.fail(id, tooMany(`${this.#running.size} handlers are running on the other side already`, method));
			return;
		}
		let params: unknown;
		try {
			params = checked(decodeValue(wire, tagged), this.#options.schemas.get(method), { what: 'params', name: method });
		} catch (error) {
			this.fail(id, error);
			this.#options.onUnreadable(`the params of "${method}" cannot be read`, error);
			return;
		}
		const context = new LazyHandlerContext();
		let result: unknown;
		try {
			result = handler(params, context);
		} catch (thrown) {
			this.fail(id, thrown);
			return;
		}
		if (!isThenable(result)) {
			this.#answer(id, result);
			return;
		}
		this.#running.set(id, context);
		Promise.resolve(result).then(
			(value) => this.#finish(id, context) && this.#answer(id, value),
			(thrown: unknown) => this.#finish(id, context) && this.fail(id, thrown),
		);
	}

	/** A handler has finished. False when its caller no longer waits. */
	#finish(id: number, context: LazyHandlerContext): boolean {
		return this.#running.delete(id) && !context.aborted;
	}

	#answer(id: number, value: unknown): void {
		let encoded: EncodedValue;
		try {
			encoded = encodeValue(value, this.#options.limits);
		} catch (error) {
			this.fail(id, error);
			return;
		}
		const frame: Frame = encoded.tagged ? [kind.result, id, encoded.wire, 1] : [kind.result, id, encoded.wire];
		if (this.#options.outbox.push(frame, encoded.sizeBytes + frameBytes)) return;
		// A small failure always fits: without it the caller would wait until its deadline.
		if (!this.#closed) this.fail(id, tooMany('the channel is congested and the queue of replies is full'));
	}

	/** Sends an error as the reply; it is sent also when the queue is full, up to a second bound. */
	fail(id: number, thrown: unknown): void {
		const { wire, sizeBytes } = encodeThrown(thrown, this.#options.limits);
		if (this.#options.outbox.push([kind.failure, id, wire], sizeBytes + frameBytes, true)) return;
		if (!this.#closed) this.#options.onUnread();
	}

	/** The caller of a request no longer waits. */
	cancel(id: number, reason: unknown): void {
		const code: ErrorCode = reason === 'CALL_TIMEOUT' ? 'CALL_TIMEOUT' : 'CALL_CANCELLED';
		const text = code === 'CALL_TIMEOUT' ? "the caller's deadline has passed" : 'the caller cancelled the call';
		// A handler that ignores its signal still counts as running until it finishes.
		this.#running.get(id)?.abort(new ShardctlError(code, text));
	}
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
	return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
