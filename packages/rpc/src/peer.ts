// One side of a conversation over a port: it sends requests and settles each exactly once, runs handlers for the other side's
// requests, and passes events. It knows no processes and does not close the channel; the code that made the channel does.
import { type Clock, ShardctlError, systemClock } from '@shardctl/core';
import { onAbort } from './abort-hub.js';
import { cancelled, channelClosed, closedError, timedOut, tooMany, wrongTimeout } from './call-errors.js';
import { decodeThrown } from './error-codec.js';
import { type Frame, firstFrame, frameBytes, isEnvelope, kind } from './frames.js';
import type { HandlerContext } from './handler-context.js';
import { defaultPeerLimits, type PeerLimits } from './limits.js';
import { Outbox } from './outbox.js';
import { type PendingCall, PendingCalls, type Settle } from './pending-calls.js';
import type { Port } from './port.js';
import { type Handler, RequestHandlers } from './request-handlers.js';
import { checked, type MethodMap, type PeerSchemas, type SchemaTables, schemaTables } from './schemas.js';
import { decodeValue } from './value-decoder.js';
import { type EncodedValue, encodeValue, type PreparedValue } from './value-encoder.js';

export interface PeerOptions {
	port: Port;
	/** Number of the process pair that talks. Frames of another epoch are dropped: a dead process is never mistaken for its successor. */
	epoch: number;
	clock?: Clock;
	limits?: Partial<PeerLimits>;
	/**
	 * Sends the first frame of a tick at once and the others together, instead of all together: for a side that asks many others in
	 * one tick, so that the first of them works while the last is still being asked.
	 */
	firstFrameAtOnce?: boolean;
	/**
	 * Called for frames that the protocol or the schemas do not allow (`PROTOCOL_ERROR`). They are counted and otherwise ignored.
	 * `refused`: it was a request with wrong params, to which the error was the reply.
	 */
	onProtocolError?: (error: ShardctlError, frame: { refused: boolean }) => void;
	/** Called with what a listener of an event threw. Without it the error becomes an uncaught exception. */
	onListenerError?: (error: unknown, event: string) => void;
}

export interface RequestOptions {
	/** Deadline in ms (default 30,000). 0 or `Infinity`: none. */
	timeoutMs?: number | undefined;
	/** Cancels the call on both sides. */
	signal?: AbortSignal | undefined;
}

/** Messages without effect, counted since the peer was created. */
export interface PeerCounters {
	/** Messages of another epoch. */
	staleMessages: number;
	malformedFrames: number;
	/** Replies that arrived after their call was settled. */
	lateReplies: number;
	duplicateRequests: number;
	/** Events not sent because the queue was full or the peer closed. */
	droppedEvents: number;
}

const defaultTimeoutMs = 30_000;
/**
 * One side of a conversation. `Local` are the methods that this side handles, `Remote` those it may request; likewise the events.
 *
 * Register handlers and listeners before control returns to the event loop: nothing is delivered earlier.
 *
 * @example
 * const peer = new Peer<WorkerMethods, ManagerMethods, WorkerEvents, ManagerEvents>({ port: ipcPort(process), epoch });
 * peer.handle('ping', () => null);
 * const { slotId } = await peer.request('identify.acquire', { shardId: 0 });
 */
export class Peer<
	Local extends MethodMap<Local>,
	Remote extends MethodMap<Remote>,
	LocalEvents extends object = Record<never, never>,
	RemoteEvents extends object = Record<never, never>,
> {
	readonly counters: Readonly<PeerCounters>;
	readonly #counters: PeerCounters = {
		staleMessages: 0,
		malformedFrames: 0,
		lateReplies: 0,
		duplicateRequests: 0,
		droppedEvents: 0,
	};
	readonly #options: PeerOptions;
	readonly #schemas: SchemaTables;
	readonly #limits: PeerLimits;
	readonly #outbox: Outbox;
	readonly #calls: PendingCalls;
	readonly #handlers: RequestHandlers;
	readonly #listeners = new Map<string, Set<(payload: unknown) => void>>();
	#closedWith: ShardctlError | null = null;

	/** @param options `schemas`: what is accepted from the other side; anything that can be read where it is left out. */
	constructor({ schemas, ...options }: PeerOptions & { schemas?: NoInfer<PeerSchemas<Local, Remote, RemoteEvents>> }) {
		this.#options = options;
		this.#schemas = schemaTables(schemas);
		this.#limits = { ...defaultPeerLimits, ...options.limits };
		this.counters = this.#counters;
		this.#calls = new PendingCalls(options.clock ?? systemClock);
		this.#outbox = new Outbox({
			port: options.port,
			epoch: options.epoch,
			limits: this.#limits,
			firstFrameAtOnce: options.firstFrameAtOnce ?? false,
			onBroken: (cause) => this.close(channelClosed({ cause })),
			onRefused: (frame, error) => this.#onRefused(frame, error),
		});
		this.#handlers = new RequestHandlers({
			outbox: this.#outbox,
			limits: this.#limits,
			schemas: this.#schemas.params,
			onUnread: () => this.#protocolError('it sends requests and does not read the replies'),
			onDuplicate: () => this.#counters.duplicateRequests++,
			onUnreadable: (what, cause) => this.#protocolError(what, cause, { refused: true }),
		});
		options.port.onMessage((message) => this.#onMessage(message));
		options.port.onClose(() => this.close());
	}

	/** Calls of this side that wait for a reply. */
	get pendingCount(): number {
		return this.#calls.size;
	}

	/** Handlers of this side that have not finished. */
	get runningCount(): number {
		return this.#handlers.runningCount;
	}

	get closed(): boolean {
		return this.#closedWith !== null;
	}

	/** Registers the handler of `method`. A later handler replaces an earlier one. */
	handle<M extends keyof Local & string>(
		method: M,
		handler: (params: Local[M]['params'], context: HandlerContext) => Local[M]['result'] | Promise<Local[M]['result']>,
	): void {
		this.#handlers.set(method, handler as Handler);
	}

	/** Listens to an event of the other side. Returns a function that removes the listener. */
	on<E extends keyof RemoteEvents & string>(event: E, listener: (payload: RemoteEvents[E]) => void): () => void {
		let listeners = this.#listeners.get(event);
		if (!listeners) {
			listeners = new Set();
			this.#listeners.set(event, listeners);
		}
		const added = listener as (payload: unknown) => void;
		listeners.add(added);
		return () => listeners.delete(added);
	}

	/**
	 * Sends a request. Params are encoded now; changing them afterwards has no effect.
	 *
	 * Rejects with what the handler threw, or with a ShardctlError: `CALL_TIMEOUT`, `CALL_CANCELLED` (the signal's reason is the
	 * cause), `CALL_LIMIT`, `CHANNEL_CLOSED` (or what {@link close} was given), `METHOD_NOT_FOUND`, `NOT_SERIALIZABLE`,
	 * `MESSAGE_TOO_LARGE`, `REMOTE_ERROR` (the handler threw what is not an Error), `PROTOCOL_ERROR`.
	 */
	request<M extends keyof Remote & string>(
		method: M,
		params: Remote[M]['params'] | PreparedValue,
		options: RequestOptions = {},
	): Promise<Remote[M]['result']> {
		return new Promise((resolve, reject) => this.ask(method, params, options, { resolve, reject }));
	}

	/**
	 * As {@link request}, but calls one method of `settle`, exactly once and maybe before it returns: one promise per peer would be a
	 * good part of the cost of a small call to many peers. Neither method may throw.
	 */
	ask<M extends keyof Remote & string>(
		method: M,
		params: Remote[M]['params'] | PreparedValue,
		{ signal, timeoutMs = defaultTimeoutMs }: RequestOptions,
		settle: Settle<Remote[M]['result']>,
	): void {
		let encoded: EncodedValue;
		try {
			this.#refuse(method, timeoutMs, signal);
			encoded = encodeValue(params, this.#limits);
			// Reading the params may have run user code that closed this peer.
			if (this.#closedWith) throw closedError(this.#closedWith, method);
		} catch (error) {
			settle.reject(error);
			return;
		}
		// Before it is sent: the port may break, or be closed by its owner, while it sends.
		const call = this.#calls.add({ method, timeoutMs, settle: settle as Settle<unknown>, onExpired: this.#onExpired });
		if (signal) call.unlink = onAbort(signal, () => this.#giveUp(call, 'CALL_CANCELLED', cancelled(method, signal)));
		call.frame = encoded.tagged
			? [kind.request, call.id, method, encoded.wire, 1]
			: [kind.request, call.id, method, encoded.wire];
		call.sizeBytes = encoded.sizeBytes + frameBytes;
		if (!this.#outbox.add(call)) this.#calls.reject(call.id, this.#tooManyCalls(method));
	}

	/**
	 * Sends an event, which has no reply. Returns false when it was not sent, because the queue is full or the peer is closed;
	 * that is counted. Throws `NOT_SERIALIZABLE` or `MESSAGE_TOO_LARGE`.
	 */
	notify<E extends keyof LocalEvents & string>(event: E, payload: LocalEvents[E]): boolean {
		const { wire, tagged, sizeBytes } = encodeValue(payload, this.#limits);
		const frame: Frame = tagged ? [kind.event, event, wire, 1] : [kind.event, event, wire];
		const sent = this.#outbox.push(frame, sizeBytes + frameBytes) !== null;
		if (!sent) this.#counters.droppedEvents++;
		return sent;
	}

	/** Resolves once all frames so far have been handed to the channel, or the peer is closed. Await it before `process.exit`. */
	flushed(): Promise<void> {
		return this.#outbox.flushed();
	}

	/**
	 * Closes the peer: each pending request rejects (with `CHANNEL_CLOSED` by default), the signals of running handlers abort, and
	 * nothing more is sent or received. The channel itself stays open. Idempotent.
	 */
	close(error: ShardctlError = channelClosed()): void {
		if (this.#closedWith) return;
		this.#closedWith = error;
		this.#outbox.close();
		this.#calls.rejectAll((method) => closedError(error, method));
		this.#handlers.abortAll(error);
		this.#listeners.clear();
	}

	/** Throws when a call cannot be tried at all. */
	#refuse(method: string, timeoutMs: number, signal: AbortSignal | undefined): void {
		if (this.#closedWith) throw closedError(this.#closedWith, method);
		if (signal?.aborted) throw cancelled(method, signal);
		if (!(timeoutMs >= 0)) throw wrongTimeout(timeoutMs);
		if (this.#calls.size >= this.#limits.maxPendingCalls) throw this.#tooManyCalls(method);
	}

	readonly #onExpired = (call: PendingCall): void => {
		this.#giveUp(call, 'CALL_TIMEOUT', timedOut(call.method, call.timeoutMs));
	};

	/** The caller no longer waits: the other side is notified, unless the request has not left yet. */
	#giveUp(call: PendingCall, code: 'CALL_CANCELLED' | 'CALL_TIMEOUT', error: ShardctlError): void {
		if (!this.#calls.reject(call.id, error)) return;
		if (!this.#outbox.drop(call)) this.#outbox.push([kind.cancel, call.id, code], frameBytes, true);
	}

	/** The only entry for messages: whatever the other side sent, nothing is thrown into the channel's listener. */
	#onMessage(message: unknown): void {
		if (this.#closedWith) return;
		if (!isEnvelope(message)) {
			this.#protocolError('a message is not an envelope of frames');
			return;
		}
		if (message[1] !== this.#options.epoch) {
			this.#counters.staleMessages++;
			return;
		}
		// Replies that are ready at once leave at once, in one message.
		this.#outbox.cork();
		try {
			for (let index = firstFrame; index < message.length && !this.closed; index++) this.#onFrame(message[index]);
		} finally {
			this.#outbox.uncork();
		}
	}

	#onFrame(frame: unknown): void {
		if (!Array.isArray(frame)) {
			this.#protocolError('a frame is not a list');
			return;
		}
		const [what, key, third, fourth, fifth] = frame as unknown[];
		if (what === kind.event) {
			if (typeof key === 'string') this.#onEvent(key, third, fourth === 1);
			else this.#protocolError('an event has no name');
			return;
		}
		if (!Number.isSafeInteger(key)) {
			this.#protocolError('a frame has no id');
			return;
		}
		const id = key as number;
		switch (what) {
			case kind.request:
				if (typeof third === 'string') this.#handlers.run(id, third, fourth, fifth === 1);
				else this.#protocolError('a request names no method');
				return;
			case kind.result:
				this.#onResult(id, third, fourth === 1);
				return;
			case kind.failure:
				this.#onFailure(id, third);
				return;
			case kind.cancel:
				this.#handlers.cancel(id, third);
				return;
			default:
				this.#protocolError('a frame is of no known kind');
		}
	}

	#onResult(id: number, wire: unknown, tagged: boolean): void {
		const call = this.#calls.take(id);
		if (!call) {
			this.#counters.lateReplies++;
			return;
		}
		let value: unknown;
		try {
			const { method } = call;
			value = checked(decodeValue(wire, tagged), this.#schemas.results.get(method), { what: 'result', name: method });
		} catch (error) {
			call.settle.reject(error);
			this.#protocolError(`the result of "${call.method}" cannot be read`, error);
			return;
		}
		call.settle.resolve(value);
	}

	#onFailure(id: number, wire: unknown): void {
		const call = this.#calls.take(id);
		if (!call) {
			this.#counters.lateReplies++;
			return;
		}
		let thrown: unknown;
		try {
			thrown = decodeThrown(wire);
		} catch (error) {
			call.settle.reject(error);
			this.#protocolError('a failure cannot be read', error);
			return;
		}
		call.settle.reject(thrown);
	}

	#onEvent(event: string, wire: unknown, tagged: boolean): void {
		const listeners = this.#listeners.get(event) ?? noListeners;
		if (listeners === noListeners && !this.#schemas.events.has(event)) return;
		let payload: unknown;
		try {
			payload = checked(decodeValue(wire, tagged), this.#schemas.events.get(event), { what: 'payload', name: event });
		} catch (error) {
			this.#protocolError(`the payload of "${event}" cannot be read`, error);
			return;
		}
		for (const listener of listeners) {
			try {
				listener(payload);
			} catch (error) {
				this.#listenerError(error, event);
			}
		}
	}

	/** The channel cannot carry a frame that was within the limits: its text is longer than the estimate, and than a string can be. */
	#onRefused([what, key]: Frame, cause: unknown): void {
		const error = new ShardctlError('MESSAGE_TOO_LARGE', 'the channel cannot carry a message of this size', { cause });
		if (what === kind.request) this.#calls.reject(key as number, error);
		else if (what === kind.result) this.#handlers.fail(key as number, error);
		else if (what === kind.event) this.#counters.droppedEvents++;
	}

	#protocolError(what: string, cause?: unknown, frame = { refused: false }): void {
		this.#counters.malformedFrames++;
		const { onProtocolError } = this.#options;
		if (!onProtocolError) return;
		try {
			const isOurs = ShardctlError.is(cause) && cause.code === 'PROTOCOL_ERROR';
			const error = isOurs ? cause : new ShardctlError('PROTOCOL_ERROR', what, cause === undefined ? {} : { cause });
			onProtocolError(error, frame);
		} catch (error) {
			throwOutside(error);
		}
	}

	#listenerError(error: unknown, event: string): void {
		const { onListenerError } = this.#options;
		if (!onListenerError) {
			throwOutside(error);
			return;
		}
		try {
			onListenerError(error, event);
		} catch (again) {
			throwOutside(again);
		}
	}

	#tooManyCalls(method: string): ShardctlError {
		return tooMany(`${this.#calls.size} calls wait for a reply and ${this.#outbox.waitingFrames} frames wait to be sent`, method);
	}
}

const noListeners: ReadonlySet<(payload: unknown) => void> = new Set();
/** An error of a listener becomes an uncaught exception, as in Node, and does not stop the frames behind it. */
function throwOutside(error: unknown): void {
	queueMicrotask(() => {
		throw error;
	});
}
