// The reports of a worker's process that is not Node's and has no message channel. That it is ready, connected and alive is what its gateway
// process sees of its sessions; memory and processor time are the operating system's figures. A program that speaks the line protocol
// (line-channel.ts) answers calls as well.
import {
	type Clock,
	messageOf,
	orAborted,
	ShardctlError,
	type ShardSample,
	type Timer,
	type WorkerConnection,
	type WorkerMethods,
	type WorkerSample,
} from '@shardctl/core';
import { decodeValue, PreparedValue, type RequestOptions, type Settle } from '@shardctl/rpc';
import type { ChildHandle, ChildLink, ExitReport } from '@shardctl/supervisor';
import type { Logger } from 'pino';
import { exitError } from '../children/child-rules.js';
import type { ReportListener, ReportSource } from '../children/report-source.js';
import { type FromProgram, LineChannel } from './line-channel.js';
import { processFigures } from './process-figures.js';

/** A process that dies closes its sessions first; its exit follows within this time and says more. */
const exitFollowsMs = 200;
/** Calls of one program at the same time, each way. */
const maxCalls = 1000;

/** What the gateway process of a worker sees of the worker's present process. */
export interface LocalGatewayView {
	/** Resolves when each connection of the process has answered; waits while it has none. Rejects only with the signal's reason. */
	ping(signal: AbortSignal): Promise<void>;
	/** Of its shards. Rejects while the gateway process does not answer. */
	figures(): Promise<ShardSample[]>;
	/** Whether silence of the process means nothing now: there is no gateway process, or it is kept without sessions. */
	isExcused(): boolean;
}

export interface ForeignSourceOptions {
	child: Pick<ChildHandle, 'pid' | 'lines' | 'signal'>;
	worker: { id: number; label: string; shardIds: readonly number[]; totalShards: number };
	clock: Clock;
	logger: Pick<Logger, 'warn'>;
	view: LocalGatewayView;
	/** 0: never. */
	sampleIntervalMs: number;
	/** A call of the program into the fleet. */
	call(request: Extract<FromProgram, { type: 'call' }>, signal: AbortSignal): Promise<unknown>;
}

export class ForeignSource implements ReportSource {
	readonly link: ChildLink;
	readonly #options: ForeignSourceOptions;
	readonly #listener: ReportListener;
	readonly #over = new AbortController();
	readonly #startedAt: number;
	readonly #lines: LineChannel | null;
	/** What the program said of itself; null before that. */
	#hello: Extract<FromProgram, { type: 'hello' }> | null = null;
	/** Calls that wait for the program's reply. */
	readonly #calls = new Map<number, Settle<unknown>>();
	#lastCallId = 0;
	/** Calls of the program that run. */
	#served = 0;
	/** Shards whose session has lost its connection, until that is reported. */
	readonly #lost = new Map<number, Timer>();
	#sampleTimer: Timer | undefined;
	#lastSample: { at: number; cpuSeconds: number } | null = null;
	#pings = 0;

	constructor(options: ForeignSourceOptions, listener: ReportListener) {
		const { child, clock, view, worker, logger } = options;
		this.#options = options;
		this.#listener = listener;
		this.#startedAt = clock.monotonic();
		this.#lines = child.lines
			? new LineChannel({
					stream: child.lines,
					onMessage: (message) => this.#take(message),
					onBroken: (error) => {
						logger.warn(`${worker.label}: ${error.message}`);
						this.#rejectCalls(error);
					},
				})
			: null;
		this.#tell({ type: 'hello', worker: worker.id, shards: worker.shardIds, totalShards: worker.totalShards });
		this.#sampleLater();
		this.link = {
			ping: (signal) => this.#ping(signal),
			isExcused: () => view.isExcused(),
			shutdown: async (reason) => {
				if (this.#hello?.shutdown && this.#tell({ type: 'shutdown', reason })) return;
				child.signal('SIGTERM');
			},
			closed: (report) => this.#close(report),
		};
	}

	get pendingCount(): number {
		return this.#calls.size + this.#pings;
	}

	ask<M extends keyof WorkerMethods & string>(
		method: M,
		params: WorkerMethods[M]['params'] | PreparedValue,
		options: RequestOptions,
		settle: Settle<WorkerMethods[M]['result']>,
	): void {
		this.#answer(method, params, options).then(
			(value) => settle.resolve(value as WorkerMethods[M]['result']),
			(reason: unknown) => settle.reject(reason),
		);
	}

	send(): Promise<void> {
		return Promise.reject(this.#unsupported('it gets no messages of process.on("message")'));
	}

	/** Only workers of direct mode have leases of their own. */
	renewLease(): void {}

	noteConnection({ shardId, status, closeCode }: WorkerConnection): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#lost.get(shardId));
		this.#lost.delete(shardId);
		switch (status) {
			case 'identifying':
				this.#listener.identifying(shardId);
				break;
			case 'ready':
			case 'resumed':
				this.#listener.status({ shardId, status });
				if (this.#lastSample === null) this.#report().catch(() => {});
				break;
			case 'gone':
				this.#lost.set(
					shardId,
					clock.setTimeout(() => {
						this.#lost.delete(shardId);
						this.#listener.status({ shardId, status: 'reconnecting' });
					}, exitFollowsMs),
				);
				break;
			case 'refused':
				this.#listener.status({ shardId, status: 'disconnected', ...(closeCode === undefined ? {} : { closeCode }) });
				break;
		}
	}

	async #answer(method: keyof WorkerMethods, params: unknown, { timeoutMs = 30_000, signal }: RequestOptions): Promise<unknown> {
		const { clock, worker } = this.#options;
		const late = new AbortController();
		const timer =
			timeoutMs > 0 && Number.isFinite(timeoutMs)
				? clock.setTimeout(
						() => late.abort(new ShardctlError('CALL_TIMEOUT', `${worker.label} did not answer within ${timeoutMs} ms`)),
						timeoutMs,
					)
				: undefined;
		const end = AbortSignal.any([late.signal, this.#over.signal, ...(signal ? [signal] : [])]);
		try {
			return await orAborted(this.#perform(method, params, end), end);
		} finally {
			clock.clearTimeout(timer);
		}
	}

	async #perform(method: keyof WorkerMethods, params: unknown, signal: AbortSignal): Promise<unknown> {
		switch (method) {
			case 'ping':
				return this.#ping(signal);
			case 'sample':
				return this.#sample();
			case 'call':
				return this.#call(plain(params) as WorkerMethods['call']['params'], signal);
			case 'eval':
			case 'fetchClientValue':
				throw this.#unsupported('it cannot run JavaScript; use call() with a handler of the program');
			case 'inspector.close':
			case 'shutdown':
				return null;
		}
	}

	async #ping(signal: AbortSignal): Promise<void> {
		this.#pings++;
		try {
			await this.#options.view.ping(signal);
		} finally {
			this.#pings--;
		}
	}

	#call({ name, args }: WorkerMethods['call']['params'], signal: AbortSignal): Promise<unknown> {
		if (!this.#hello) throw this.#unsupported('it does not speak the line protocol, by which a program answers calls');
		const { handlers } = this.#hello;
		if (handlers && !handlers.includes(name)) {
			const known = handlers.length === 0 ? 'none' : handlers.join(', ');
			throw new ShardctlError('METHOD_NOT_FOUND', `the program has no handler "${name}"; it has: ${known}`);
		}
		if (this.#calls.size >= maxCalls) throw new ShardctlError('CALL_LIMIT', `${maxCalls} calls wait for the program`);
		const id = ++this.#lastCallId;
		const reply = new Promise<unknown>((resolve, reject) => {
			this.#calls.set(id, { resolve, reject });
			signal.addEventListener('abort', () => this.#calls.delete(id), { once: true });
		});
		try {
			// There are lines where there was a hello.
			this.#lines?.send({ type: 'call', id, name, args });
		} catch (error) {
			this.#calls.delete(id);
			throw error;
		}
		return reply;
	}

	#take(message: FromProgram): void {
		switch (message.type) {
			case 'hello':
				this.#hello = message;
				break;
			case 'reply': {
				const { id, result, error } = message;
				const call = this.#calls.get(id);
				this.#calls.delete(id);
				// The program's own code of an error is its own: a caller finds it in the details.
				if (error) call?.reject(new ShardctlError('REMOTE_ERROR', error.message, { details: { code: error.code } }));
				else call?.resolve(result ?? null);
				break;
			}
			case 'call':
				this.#serve(message).catch(() => {});
				break;
			case 'attached':
				this.#listener.attached(message.library);
				break;
			case 'problem':
				this.#listener.problem({ code: 'UNSUPPORTED_LIBRARY', message: message.message, fatal: message.fatal });
				break;
		}
	}

	async #serve(message: Extract<FromProgram, { type: 'call' }>): Promise<void> {
		const { id } = message;
		try {
			if (this.#served >= maxCalls) throw new ShardctlError('CALL_LIMIT', `${maxCalls} calls of the program run`);
			this.#served++;
			try {
				const result = await this.#options.call(message, this.#over.signal);
				this.#lines?.send({ type: 'reply', id, result: result === undefined ? null : result });
			} finally {
				this.#served--;
			}
		} catch (error) {
			const code = ShardctlError.is(error) ? error.code : 'INTERNAL';
			this.#tell({ type: 'reply', id, error: { message: messageOf(error), code } });
		}
	}

	/** Sends what nothing waits for; returns whether it could be sent. */
	#tell(message: Parameters<LineChannel['send']>[0]): boolean {
		try {
			this.#lines?.send(message);
			return this.#lines !== null;
		} catch {
			return false;
		}
	}

	#sampleLater(): void {
		const { clock, sampleIntervalMs } = this.#options;
		if (sampleIntervalMs <= 0) return;
		this.#sampleTimer = clock.setTimeout(() => {
			this.#report()
				.finally(() => {
					if (!this.#over.signal.aborted) this.#sampleLater();
				})
				.catch(() => {});
		}, sampleIntervalMs);
	}

	/** Without figures it reports again at the next interval. */
	async #report(): Promise<void> {
		const sample = await this.#sample().catch(() => undefined);
		if (sample && !this.#over.signal.aborted) this.#listener.sample(sample);
	}

	async #sample(): Promise<WorkerSample> {
		const { child, clock, view, worker } = this.#options;
		const [shards, figures] = await Promise.all([view.figures().catch(() => []), processFigures(child.pid as number)]);
		if (!figures) throw new ShardctlError('WORKER_UNAVAILABLE', `the system has no figures of ${worker.label}`);
		const now = clock.monotonic();
		const before = this.#lastSample ?? { at: this.#startedAt, cpuSeconds: 0 };
		// A descendant that has ended takes its share along, unless it was waited for.
		const used = Math.max(0, figures.cpuSeconds - before.cpuSeconds);
		this.#lastSample = { at: now, cpuSeconds: figures.cpuSeconds };
		return {
			shards,
			...figures,
			heapUsedBytes: null,
			loopDelayP99Ms: null,
			cpuPercent: Math.round((used / Math.max(1, now - before.at)) * 1_000_000) / 10,
			uptimeMs: Math.round(now - this.#startedAt),
		};
	}

	#unsupported(why: string): ShardctlError {
		const { id: workerId, label, shardIds } = this.#options.worker;
		return new ShardctlError('NOT_NODE', `${label} is not a Node.js process: ${why}`, { details: { workerId, shardIds } });
	}

	#rejectCalls(error: ShardctlError): void {
		for (const call of this.#calls.values()) call.reject(error);
		this.#calls.clear();
	}

	#close(report: ExitReport): void {
		const { clock, worker } = this.#options;
		const error = exitError(worker.label, report);
		this.#over.abort(error);
		this.#rejectCalls(error);
		clock.clearTimeout(this.#sampleTimer);
		for (const timer of this.#lost.values()) clock.clearTimeout(timer);
		this.#lines?.close();
		this.#listener.closed();
	}
}

function plain(params: unknown): unknown {
	if (!(params instanceof PreparedValue)) return params;
	const { wire, tagged } = params.encoded;
	return decodeValue(wire, tagged);
}
