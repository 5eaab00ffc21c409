// The one object that makes a process a worker: it owns the link to the manager, the attached clients, the handlers, and the
// end of the process. The register module creates it; the public API finds it on globalThis, so that a bot which has its own
// copy of the package meets the same runtime.
import {
	type ManagerMethods,
	messageOf,
	ShardctlError,
	type ShardReport,
	type ShardSample,
	type WorkerBrief,
} from '@shardctl/core';
import type { ClientAdapter } from './client-adapter.js';
import { type ManagerPeer, openManagerLink } from './manager-link.js';
import { readPath } from './property-path.js';
import { Sampler } from './sampler.js';
import { ScriptRunner } from './script-runner.js';

/** How long a worker whose manager has died takes for its logout before it ends all the same. */
const orphanGraceMs = 4000;
/** The part of the grace that a bot's own SIGTERM handler gets before its clients are logged out for it. */
const ownHandlerShare = 0.5;
const ownHandlerMaxMs = 5000;

interface Attachment {
	client: unknown;
	adapter: ClientAdapter<unknown>;
}

/** A function that the bot registered to answer `call`s, or to run before the process ends. */
export type Handler = (...args: never[]) => unknown;
export type ShutdownHandler = (reason: string) => void | Promise<void>;

export class WorkerRuntime {
	readonly brief: WorkerBrief;
	readonly #peer: ManagerPeer;
	readonly #attachments: Attachment[] = [];
	readonly #handlers = new Map<string, Handler>();
	readonly #shutdownHandlers: ShutdownHandler[] = [];
	readonly #scripts: ScriptRunner;
	readonly #sampler: Sampler;
	#shutdown: Promise<void> | undefined;

	constructor(brief: WorkerBrief) {
		this.brief = brief;
		this.#scripts = new ScriptRunner(brief.botFile);
		this.#sampler = new Sampler(() => this.sampleShards());
		this.#peer = openManagerLink(brief);
		this.#peer.handle('ping', () => null);
		this.#peer.handle('eval', ({ script, context }) => this.#scripts.run(script, this.#client(), context));
		this.#peer.handle('fetchClientValue', ({ path }) => readPath(this.#client(), path));
		this.#peer.handle('call', ({ name, args }) => this.#callHandler(name, args));
		this.#peer.handle('sample', () => this.#sampler.take());
		this.#peer.handle('shutdown', ({ reason }) => this.#onShutdownRequest(reason));
		// The manager is gone, however it went: without it nobody supervises this process, so the session must not live on.
		process.once('disconnect', () => void this.#endAsOrphan());
		if (brief.statsIntervalMs > 0) setInterval(() => this.#pushSample(), brief.statsIntervalMs).unref();
	}

	/** Asks the manager; keeps the process alive until the answer is there. */
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

	/** Tells the manager what became of an identify slot. */
	reportIdentify(event: 'sent' | 'confirmed' | 'released', slotId: number): void {
		this.#peer.notify(`identify.${event}`, { slotId });
	}

	/** Puts a client under the manager's eyes. The first one attached is the one that evals and values are read from. */
	attach<Client>(client: Client, adapter: ClientAdapter<Client>): void {
		this.#attachments.push({ client, adapter: adapter as ClientAdapter<unknown> });
		this.#peer.notify('attached', { library: adapter.library });
		adapter.observe(client, (report) => this.#onShardReport(report));
	}

	/** Registers what answers `call(name, …)`. One handler a name; a later one replaces it. */
	handle(name: string, handler: Handler): void {
		this.#handlers.set(name, handler);
	}

	onShutdown(handler: ShutdownHandler): void {
		this.#shutdownHandlers.push(handler);
	}

	sampleShards(): ShardSample[] {
		return this.#attachments.flatMap(({ client, adapter }) => adapter.sample(client));
	}

	#client(): unknown {
		const first = this.#attachments[0];
		if (first) return first.client;
		throw new ShardctlError(
			'CLIENT_NOT_ATTACHED',
			`worker ${this.brief.workerId} has no client: the bot has not made one yet, or did not attach() it`,
		);
	}

	#callHandler(name: string, args: unknown[]): unknown {
		const handler = this.#handlers.get(name);
		if (handler) return handler(...(args as never[]));
		const known = [...this.#handlers.keys()].join(', ') || 'none';
		throw new ShardctlError('METHOD_NOT_FOUND', `the bot has no handler "${name}"; it has: ${known}. Register one with handle()`);
	}

	#onShardReport(report: ShardReport): void {
		this.#peer.notify('shard.status', report);
		if (report.status === 'ready') this.#pushSample();
	}

	#pushSample(): void {
		this.#peer.notify('sample', this.#sampler.take());
	}

	async #onShutdownRequest(reason: string): Promise<null> {
		await this.#shutdownOnce(reason, this.brief.shutdownGraceMs);
		// The answer has to leave before the process does.
		setImmediate(() => setImmediate(() => process.exit(0)));
		return null;
	}

	async #endAsOrphan(): Promise<void> {
		setTimeout(() => process.exit(1), orphanGraceMs);
		await this.#shutdownOnce('the manager is gone', orphanGraceMs);
		process.exit(1);
	}

	#shutdownOnce(reason: string, graceMs: number): Promise<void> {
		this.#shutdown ??= this.#runShutdown(reason, graceMs);
		return this.#shutdown;
	}

	/** The bot's handlers first, while its client still works; then the logout. A handler that fails does not stop the others. */
	async #runShutdown(reason: string, graceMs: number): Promise<void> {
		const attempts = this.#shutdownHandlers.map(async (handler) => handler(reason));
		for (const result of await Promise.allSettled(attempts)) {
			if (result.status === 'rejected') console.error('a shutdown handler failed:', result.reason);
		}
		if (process.listenerCount('SIGTERM') > 0) {
			// A bot that cleans up on SIGTERM does so here too, and usually exits by itself.
			process.emit('SIGTERM', 'SIGTERM');
			await new Promise((resolve) => setTimeout(resolve, Math.min(graceMs * ownHandlerShare, ownHandlerMaxMs)));
		}
		const logouts = this.#attachments.map(async ({ client, adapter }) => adapter.destroy(client));
		for (const result of await Promise.allSettled(logouts)) {
			if (result.status === 'rejected') console.error(`logging out failed: ${messageOf(result.reason)}`);
		}
	}
}

const runtimeKey = Symbol.for('shardctl.worker.runtime');
const registry = globalThis as { [runtimeKey]?: WorkerRuntime };

/** The runtime of this process; undefined when it is not a worker. */
export function currentRuntime(): WorkerRuntime | undefined {
	return registry[runtimeKey];
}

/** Makes this process a worker. */
export function startRuntime(brief: WorkerBrief): WorkerRuntime {
	const runtime = new WorkerRuntime(brief);
	registry[runtimeKey] = runtime;
	return runtime;
}
