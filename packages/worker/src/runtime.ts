// The object that makes a process a worker: it serves the manager's requests, and owns the attached clients, the handlers and the
// end of the process. The register module creates it; the public API finds it on globalThis, so that a bot with its own copy of the
// package uses the same runtime.
import {
	type BotProblem,
	type ManagerMethods,
	type QueueConnectionStatus,
	type QueueWorkerFigures,
	ShardctlError,
	type ShardReport,
	type ShardSample,
	type ThreadEnd,
	type WorkerConfig,
	type WorkerSample,
} from '@shardctl/core';
import { Attachments } from './attachments.js';
import { bootQuiet, isOnThisMachine } from './boot-quiet.js';
import type { ClientAdapter, WorkerAccess } from './client-adapter.js';
import { IdentifyGate } from './identify-gate.js';
import { LeaseEnd } from './lease-end.js';
import { type ManagerPeer, openManagerLink } from './manager-link.js';
import { ownToken } from './own-token.js';
import { readPath } from './property-path.js';
import { Sampler } from './sampler.js';
import { ScriptRunner } from './script-runner.js';
import { Shutdown, type ShutdownHandler } from './shutdown.js';
import { processUsage, threadUsage } from './usage.js';

/** How long a worker whose manager has died may take for its logout before it exits. */
const orphanGraceMs = 4000;

/** A function that the bot registered for `call`s. */
export type Handler = (...args: never[]) => unknown;

export interface WorkerRuntimeOptions {
	config: WorkerConfig;
	/** The token of the fleet. */
	token: string | undefined;
	/** Where the worker is a thread of a process that runs several. */
	thread?: ThreadEnd | undefined;
}

export class WorkerRuntime {
	readonly config: WorkerConfig;
	/** What adapters get to prepare a client. */
	readonly access: WorkerAccess;
	readonly #peer: ManagerPeer;
	readonly #attachments = new Attachments();
	readonly #handlers = new Map<string, Handler>();
	readonly #gate: IdentifyGate;
	readonly #scripts: ScriptRunner;
	readonly #sampler: Sampler;
	readonly #lease = new LeaseEnd({
		end: () => {
			console.error('the lease of this node was not renewed, so other nodes start its shards: this worker ends');
			process.exit(1);
		},
	});
	#isOrphan = false;
	#ending = false;
	#hasMetClient = false;
	#onClientMet = () => {};
	/** Of the bot's connection to the event queue. */
	#queueFigures: (() => QueueWorkerFigures) | undefined;
	readonly #shutdown = new Shutdown({
		settle: () => this.#attachments.settleAll(),
		logOut: async () => {
			if (!this.#isOrphan || !this.config.sessionStays) await this.#attachments.destroyAll();
		},
		signals: process,
	});

	constructor({ config, token, thread }: WorkerRuntimeOptions) {
		this.config = config;
		this.#scripts = new ScriptRunner(config.botFile);
		this.#sampler = new Sampler(() => this.sampleShards(), thread ? threadUsage(thread) : processUsage);
		// Without a manager this process is not supervised, so its session must end.
		this.#peer = openManagerLink({ config, thread, onClosed: () => void this.#endAsOrphan() });
		this.#gate = new IdentifyGate(
			{
				acquire: (shardId, signal) =>
					this.request('identify.acquire', { shardId }, { timeoutMs: Number.POSITIVE_INFINITY, ...(signal ? { signal } : {}) }),
				report: (event, slotId) => this.#peer.notify(`identify.${event}`, { slotId }),
			},
			config.shardIds,
			isOnThisMachine(config.gateway.url) ? bootQuiet : undefined,
		);
		const { shardIds, totalShards, api, gateway } = config;
		this.access = {
			shardIds,
			totalShards,
			api,
			gateway,
			identify: this.#gate,
			isOwnToken: ownToken(config.simulator === undefined ? token : undefined),
		};
		this.#serve();
		if (config.statsIntervalMs > 0) setInterval(() => this.#pushSample(), config.statsIntervalMs).unref();
	}

	/** Sends a request to the manager; keeps the process alive until the reply arrives. */
	async request<M extends keyof ManagerMethods & string>(
		method: M,
		params: ManagerMethods[M]['params'],
		options: { timeoutMs?: number; signal?: AbortSignal } = {},
	): Promise<ManagerMethods[M]['result']> {
		const keepAlive = setInterval(() => {}, 2 ** 30);
		try {
			return await this.#peer.request(method, params, options);
		} finally {
			clearInterval(keepAlive);
		}
	}

	/** The client that scripts run on; undefined before the bot has attached one. */
	get client(): unknown {
		return this.#attachments.current?.client;
	}

	/** Whether an object is an attached client, or the gateway manager of one. */
	isAttached(client: object): boolean {
		return this.#attachments.has(client);
	}

	/**
	 * Attaches a client: prepares it, and reports its shards to the manager. No effect on one that is attached already. Where the adapter
	 * does not support the client's version of its library, the worker ends.
	 */
	attach<Client>(client: Client, adapter: ClientAdapter<Client>): void {
		if (!this.#attachments.add(client, adapter)) return;
		this.noteClient();
		try {
			adapter.prepare?.(client, this.access);
		} catch (error) {
			if (!ShardctlError.is(error) || error.code !== 'UNSUPPORTED_LIBRARY') throw error;
			// An exception here could be caught, or end the process before the report has left.
			this.report({ code: 'UNSUPPORTED_LIBRARY', message: error.message, fatal: true });
			return;
		}
		this.#peer.notify('attached', { library: adapter.library });
		adapter.observe(client, (report) => {
			if (report.status === 'ready') this.#attachments.noteReady(client);
			this.#onShardReport(report);
		});
	}

	/** The bot has made a client, of the fleet's token or of another: what was out of reach is within it. */
	noteClient(): void {
		if (this.#hasMetClient) return;
		this.#hasMetClient = true;
		this.#onClientMet();
	}

	get hasMetClient(): boolean {
		return this.#hasMetClient;
	}

	/** Calls back once, with the first client. */
	onClientMet(listener: () => void): void {
		this.#onClientMet = listener;
	}

	/** Registers the handler of `call(name, …)`. A later handler of the same name replaces it. */
	handle(name: string, handler: Handler): void {
		this.#handlers.set(name, handler);
	}

	onShutdown(handler: ShutdownHandler): void {
		this.#shutdown.add(handler);
	}

	/** Reports something about the bot that a person has to change. A fatal problem ends the process once the report has left. */
	report(problem: BotProblem): void {
		this.#peer.notify('problem', problem);
		if (!problem.fatal) return;
		this.#ending = true;
		this.#exitAfterFlush(1);
	}

	/** Whether a fatal problem was reported: the process ends after this turn. */
	get ending(): boolean {
		return this.#ending;
	}

	sampleShards(): ShardSample[] {
		return this.#attachments.sample();
	}

	#serve(): void {
		this.#peer.on('lease', ({ untilMs }) => this.#lease.hear(untilMs));
		if (this.config.leaseUntilMs !== undefined) this.#lease.hear(this.config.leaseUntilMs);
		this.#peer.handle('ping', () => null);
		this.#peer.handle('eval', (call) => this.#scripts.run(call, this.#currentClient()));
		this.#peer.handle('fetchClientValue', ({ path }) => readPath(this.#currentClient(), path));
		this.#peer.handle('call', ({ name, args }) => this.#callHandler(name, args));
		this.#peer.handle('sample', () => this.#sample());
		this.#peer.handle('inspector.close', closeInspector);
		this.#peer.handle('shutdown', ({ reason }) => this.#onShutdownRequest(reason));
	}

	#currentClient(): unknown {
		const { current } = this.#attachments;
		if (current) return current.client;
		throw new ShardctlError(
			'CLIENT_NOT_ATTACHED',
			`worker ${this.config.workerId} has no client: the bot has not created one yet, or did not attach() it`,
		);
	}

	#callHandler(name: string, args: unknown[]): unknown {
		const handler = this.#handlers.get(name);
		if (handler) return handler(...(args as never[]));
		const known = [...this.#handlers.keys()].join(', ') || 'none';
		throw new ShardctlError('METHOD_NOT_FOUND', `the bot has no handler "${name}"; it has: ${known}. Register one with handle()`);
	}

	#onShardReport(report: ShardReport): void {
		if (report.status === 'ready') this.#gate.confirm(report.shardId);
		this.#peer.notify('shard.status', report);
		if (report.status === 'ready') this.#pushSample();
	}

	/** What has become of the bot's connection to the event queue, and what counts its events. */
	reportQueue(status: QueueConnectionStatus, figures: () => QueueWorkerFigures): void {
		this.#queueFigures = figures;
		this.#peer.notify('queue.status', { status });
		if (status === 'joined') this.#pushSample();
	}

	#sample(): WorkerSample {
		const sample = this.#sampler.take();
		return this.#queueFigures ? { ...sample, queue: this.#queueFigures() } : sample;
	}

	#pushSample(): void {
		this.#peer.notify('sample', this.#sample());
	}

	async #onShutdownRequest(reason: string): Promise<null> {
		await this.#shutdown.run(reason, this.config.shutdownGraceMs);
		this.#exitAfterFlush(0);
		return null;
	}

	/** The reply or report of this turn must leave before the process ends. */
	#exitAfterFlush(code: number): void {
		setImmediate(() => void this.#peer.flushed().then(() => process.exit(code)));
	}

	async #endAsOrphan(): Promise<void> {
		this.#isOrphan = true;
		setTimeout(() => process.exit(1), orphanGraceMs);
		await this.#shutdown.run('the manager is gone', orphanGraceMs);
		process.exit(1);
	}
}

/** Loaded only when it is needed: a process that never hung pays nothing. */
async function closeInspector(): Promise<null> {
	(await import('node:inspector')).close();
	return null;
}

const runtimeKey = Symbol.for('shardctl.worker.runtime');
const registry = globalThis as { [runtimeKey]?: WorkerRuntime };

/** The runtime of this process or thread; undefined when it is not a worker. */
export function currentRuntime(): WorkerRuntime | undefined {
	return registry[runtimeKey];
}

/** Creates the runtime of this process or thread. */
export function startRuntime(options: WorkerRuntimeOptions): WorkerRuntime {
	const runtime = new WorkerRuntime(options);
	registry[runtimeKey] = runtime;
	return runtime;
}
