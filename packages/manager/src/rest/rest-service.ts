// The REST process as the manager sees it: the kind of service process that sends the requests of all workers to Discord.
import { randomBytes } from 'node:crypto';
import { createRequire } from 'node:module';
import {
	isSilent,
	type LimitPart,
	type LimitWish,
	type RestConfig,
	type RestEvents,
	type RestFigures,
	type RestManagerMethods,
	type RestMethods,
	type RestStats,
	restConfigVariable,
	ShardctlError,
	systemClock,
	WorkerPaths,
} from '@shardctl/core';
import { restSchemas } from '@shardctl/core/schemas';
import { Peer, type Port } from '@shardctl/rpc';
import { defaultRestartPolicy, type SupervisedChild } from '@shardctl/supervisor';
import { closeInspectorMs, heartbeatOf, ownerErrorLog } from '../children/child-rules.js';
import { protocolGuard } from '../children/protocol-guard.js';
import { type ServiceLink, ServiceProcess, type ServiceReports } from '../children/service-process.js';
import type { EmitFleetEvent } from '../events.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import type { ResolvedRestOptions } from '../options/rest-options.js';

const processFile = createRequire(import.meta.url).resolve('@shardctl/rest/process');
const statsTimeoutMs = 2000;
const forever = Number.POSITIVE_INFINITY;
/** Numbers of the manager and of gateway processes as callers: above those of workers. */
const managerAsCaller = 1_000_000;
const firstGatewayCaller = managerAsCaller + 1;

type RestPeer = Peer<RestManagerMethods, RestMethods, Record<never, never>, RestEvents>;

export interface RestServiceOptions {
	options: ResolvedManagerOptions;
	rest: ResolvedRestOptions;
	emit: EmitFleetEvent;
	/** Records the process, for a later manager to find what this one may leave behind. */
	watchProcess(child: SupervisedChild): void;
	/** In a cluster: asks for this node's part of the global limit. Never rejects. */
	askLimit?: ((wish: LimitWish) => Promise<LimitPart>) | undefined;
}

export class RestService {
	readonly #options: RestServiceOptions;
	readonly #pathSecret = randomBytes(32).toString('base64url');
	readonly #paths = new WorkerPaths(this.#pathSecret);
	readonly #service: ServiceProcess<RestPeer>;

	constructor(options: RestServiceOptions) {
		this.#options = options;
		const { emit, watchProcess, rest, askLimit } = options;
		const { api, token, simulator, ...manager } = options.options;
		this.#service = new ServiceProcess({
			id: 'rest',
			label: 'the REST process',
			file: processFile,
			execArgv: [],
			token,
			configVariable: restConfigVariable,
			config: (start): RestConfig => ({
				...start,
				api,
				pathSecret: this.#pathSecret,
				...(simulator ? { anyToken: true } : {}),
				globalPerSecond: rest.globalPerSecond,
				...(askLimit ? { sharedLimit: true } : {}),
			}),
			child: {
				policy: manager.policy ?? defaultRestartPolicy,
				clock: manager.clock,
				readyTimeoutMs: manager.readyTimeoutMs,
				shutdownGraceMs: manager.shutdownGraceMs,
				heartbeat: heartbeatOf(manager.heartbeatTimeoutMs),
				onOwnerError: ownerErrorLog(manager.logger),
				...(manager.processHost ? { host: manager.processHost } : {}),
			},
			onConnectionsClosed: (message) => emit('rest:notice', { kind: 'caller:refused', message }),
			connect: (port, epoch, reports) => this.#connect(port, epoch, reports),
		});
		watchProcess(this.#child);
		this.#child.on('spawned', ({ pid }) => emit('rest:spawned', { pid }));
		this.#child.on('exited', ({ message, reason }) => emit('rest:exited', { message, requested: reason === 'requested' }));
	}

	/** Whether the process is there and answers. Requests wait while it is not. */
	get isUp(): boolean {
		const { state, lastAnswerAt } = this.#child;
		const { heartbeatTimeoutMs, clock } = this.#options.options;
		return state === 'ready' && !isSilent({ lastAnswerAt, heartbeat: heartbeatOf(heartbeatTimeoutMs) }, clock.now());
	}

	/** Where a worker finds Discord's REST API. */
	apiOfWorker(workerId: number): string {
		return this.#apiOf(workerId);
	}

	/** Where a gateway process finds it. */
	apiOfGateway(gatewayId: number): string {
		return this.#apiOf(firstGatewayCaller + gatewayId);
	}

	/** Where the manager finds it, so that its own requests count against the limit of the bot too. */
	apiOfManager(): string {
		return this.#apiOf(managerAsCaller);
	}

	/** Opens its address: requests wait for the process. */
	open(): Promise<void> {
		return this.#service.open();
	}

	/** Resolves when requests can be sent; rejects with `WORKERS_FAILED`, or the signal's reason. */
	async start(signal: AbortSignal): Promise<void> {
		const failed = new Promise<never>((_, reject) => {
			this.#child.once('failed', ({ reason }) => {
				const why = this.#child.lastExit?.message ?? reason;
				reject(
					new ShardctlError('WORKERS_FAILED', `the REST process was given up: ${why}`, {
						details: { survivors: 0, workers: [] },
					}),
				);
			});
		});
		// It may fail long after its start.
		failed.catch(() => {});
		this.#child.start();
		await Promise.race([this.#service.whenReady(signal), failed]);
	}

	/** Replaces the process; requests wait meanwhile. Throws `WORKER_NOT_READY` when it does not come back. */
	async restart(): Promise<void> {
		if (await this.#service.restart('a restart of the REST process was requested')) return;
		throw new ShardctlError('WORKER_NOT_READY', 'the REST process did not come back');
	}

	stop(options: { graceMs?: number }): Promise<void> {
		return this.#service.stop(options);
	}

	/** Never rejects. */
	async stats(): Promise<RestStats> {
		const figures = await this.#figures();
		const { pid, state: status, restarts, since, tries, failingSince, nextTryAt, lastAnswerAt, lastExit: exit } = this.#child;
		const lastExit = exit && { reason: exit.reason, message: exit.message, at: exit.at };
		return {
			...(figures ?? { ...noFigures, globalPerSecond: this.#options.rest.globalPerSecond }),
			pid,
			status,
			restarts,
			since,
			tries,
			failingSince,
			nextTryAt,
			lastAnswerAt,
			lastExit,
		};
	}

	get #child(): SupervisedChild {
		return this.#service.child;
	}

	#apiOf(caller: number): string {
		return `http://127.0.0.1:${this.#service.port}${this.#paths.of(caller)}`;
	}

	/** Undefined while the process does not answer. */
	async #figures(): Promise<RestFigures | undefined> {
		try {
			return await this.#service.peer.request('stats', null, { timeoutMs: statsTimeoutMs });
		} catch {
			return undefined;
		}
	}

	#connect(port: Port, epoch: number, reports: ServiceReports): ServiceLink<RestPeer> {
		const { logger, clock } = this.#options.options;
		const guard = protocolGuard({
			label: 'the REST process',
			logger,
			clock: clock ?? systemClock,
			end: (error) => {
				peer.close(error);
				this.#child.breakOff(epoch, error);
			},
		});
		const peer: RestPeer = new Peer({ port, epoch, schemas: restSchemas, ...guard });
		peer.on('listening', () => reports.listening());
		peer.on('connection.taken', ({ id }) => reports.acknowledged(id));
		const { askLimit } = this.#options;
		if (askLimit) peer.handle('limit.ask', askLimit);
		peer.on('notice', (notice) => this.#options.emit('rest:notice', notice));
		return {
			peer,
			ping: (signal) => peer.request('ping', null, { signal, timeoutMs: forever }),
			closeInspector: () => peer.request('inspector.close', null, { timeoutMs: closeInspectorMs }),
			shutdown: (reason) => peer.request('shutdown', { reason }, { timeoutMs: forever }),
		};
	}
}

const noFigures = {
	requests: 0,
	queued: 0,
	limited: 0,
	invalid: 0,
	guarded: false,
	p50Ms: null,
	p99Ms: null,
	classes: {},
	bufferedBytes: 0,
	rssBytes: null,
	cpuSeconds: null,
};
