// One gateway process as the manager sees it: the kind of service process that holds sessions with Discord.
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import {
	type ClusterRedis,
	type Deferred,
	deferred,
	describeShards,
	type GatewayConfig,
	type GatewayEvents,
	type GatewayInfo,
	type GatewayManagerMethods,
	type GatewayMethods,
	type GatewayNotice,
	type GatewayStats,
	gatewayConfigVariable,
	type IdentifySlot,
	type LostEvents,
	type SessionTerms,
	type SpareGatewayConfig,
	systemClock,
	type WorkerConnection,
	type WorkerPaths,
} from '@shardctl/core';
import { gatewaySchemas } from '@shardctl/core/schemas';
import { Peer, type Port } from '@shardctl/rpc';
import type { ChildSpec, SupervisedChild } from '@shardctl/supervisor';
import { closeInspectorMs } from '../children/child-rules.js';
import { type ProtocolGuardOptions, protocolGuard } from '../children/protocol-guard.js';
import {
	type ServiceLink,
	ServiceProcess,
	type ServiceProcessOptions,
	type ServiceReports,
	serviceSpec,
} from '../children/service-process.js';
import { SlotHolder } from '../identify/slot-holder.js';
import { gatewayExecArgv } from './gateway-exec-argv.js';

const processFile = createRequire(import.meta.url).resolve('@shardctl/gateway/process');
const statsTimeoutMs = 2000;

const noStats: GatewayStats = { rssBytes: null, cpuSeconds: null, sessions: [], shards: [] };

const started = { file: processFile, execArgv: gatewayExecArgv, configVariable: gatewayConfigVariable };

/** How a gateway process is started whose configuration follows. */
export function spareGatewaySpec(token: string, redis: ClusterRedis): ChildSpec {
	const config: SpareGatewayConfig = { follows: true, redis };
	return serviceSpec({ ...started, id: 'spare gateway', token }, JSON.stringify(config));
}

type GatewayPeer = Peer<GatewayManagerMethods, GatewayMethods, Record<never, never>, GatewayEvents>;

export interface ManagedGatewayOptions {
	gatewayId: number;
	shardIds: readonly number[];
	token: string;
	logger: ProtocolGuardOptions['logger'];
	/** Where each process of a worker connects. */
	paths: WorkerPaths;
	/** What is the same for every process of this gateway. */
	child: ServiceProcessOptions<GatewayPeer>['child'];
	config(): Omit<GatewayConfig, 'gatewayId' | 'epoch' | 'shardIds' | 'port'>;
	/** Waits until a session with Discord may send IDENTIFY; rejects only when `signal` aborts. `successor`: one that is to replace others. */
	acquireIdentify(session: number, signal: AbortSignal, options: { successor: boolean }): Promise<IdentifySlot>;
	/** Length of Discord's identify window. */
	identifyWindowMs: number;
}

interface ManagedGatewayEvents {
	notice: [notice: GatewayNotice];
	/** Events of a shard that no worker will receive. */
	lost: [shardId: number, lost: LostEvents];
	/** It was permitted to identify a session and did not report in time that it has. */
	'identify-expired': [session: number, afterMs: number];
	/** What has become of the connection of a worker's process. */
	'worker-connection': [connection: WorkerConnection];
	/** Discord has started a session with these terms. */
	'session-started': [terms: SessionTerms, session: number];
	/** Discord refused a session for good. */
	'session-refused': [refusal: { session: number; code: number }];
}

export class ManagedGateway extends EventEmitter<ManagedGatewayEvents> {
	readonly id: number;
	#shardIds: readonly number[];
	readonly #options: ManagedGatewayOptions;
	readonly #service: ServiceProcess<GatewayPeer>;
	/** Whether Discord keeps the sessions also at the end of the last process: another machine continues them. */
	#keepSessions = false;
	#paused: Deferred<void> | undefined;

	constructor(options: ManagedGatewayOptions) {
		super();
		const { gatewayId, shardIds, token, child, config } = options;
		this.id = gatewayId;
		this.#shardIds = shardIds;
		this.#options = options;
		this.#service = new ServiceProcess({
			id: `gateway ${gatewayId}`,
			label: () => `gateway process ${gatewayId} (${describeShards(this.#shardIds)})`,
			...started,
			token,
			config: (start): GatewayConfig => ({ ...config(), ...start, gatewayId, shardIds: [...this.#shardIds] }),
			child,
			onConnectionsClosed: (message) => this.emit('notice', { shardIds: [...this.#shardIds], kind: 'worker:refused', message }),
			connect: (port, epoch, reports) => this.#connect(port, epoch, reports),
		});
	}

	/** The shards of the process, and of the next one. */
	get shardIds(): readonly number[] {
		return this.#shardIds;
	}

	/** Its shards are those of another shard count: the present process has them, and the next one starts with them. */
	haveShards(shardIds: readonly number[]): void {
		this.#shardIds = shardIds;
	}

	/** For people: `gateway process 0 (shards 0-7)`. */
	get label(): string {
		return this.#service.label;
	}

	get child(): SupervisedChild {
		return this.#service.child;
	}

	/** What one process of a worker gets in place of Discord's reply to `GET /gateway/bot`. */
	infoFor(incarnation: number, totalShards: number): GatewayInfo {
		return {
			url: `ws://127.0.0.1:${this.#service.port}${this.#options.paths.of(incarnation)}`,
			shards: totalShards,
			session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: totalShards },
		};
	}

	/** Resolves when there is a process that answers; rejects with the signal's reason. */
	whenReady(signal: AbortSignal): Promise<void> {
		return this.#service.whenReady(signal);
	}

	/** Opens the port for workers, who can connect before there is a process. */
	open(): Promise<void> {
		return this.#service.open();
	}

	/** Sends a request to the present process. Rejects with `WORKER_UNAVAILABLE` when there is none that could reply. */
	async request<M extends keyof GatewayMethods & string>(
		method: M,
		params: GatewayMethods[M]['params'],
		options: { timeoutMs: number; signal?: AbortSignal },
	): Promise<GatewayMethods[M]['result']> {
		return this.#service.peer.request(method, params, options);
	}

	/** Its figures; none while it does not answer. */
	async stats(): Promise<GatewayStats> {
		return this.request('stats', null, { timeoutMs: statsTimeoutMs }).catch(() => noStats);
	}

	/** Replaces the process; Discord and the workers keep their sessions. `true` once the new one is there. */
	restart(): Promise<boolean> {
		return this.#service.restart('a restart of the gateway processes was requested');
	}

	/**
	 * Ends the process for now; Discord keeps its sessions, and workers that connect wait for the next process. Resolves when everything is
	 * saved and nothing is received any more: callers need not wait for the end of the process, or of its connections to Discord.
	 */
	async pause(): Promise<void> {
		this.#keepSessions = true;
		this.#paused = deferred();
		await Promise.race([this.#paused.promise, this.child.stop()]);
	}

	/** Resolves when nothing is left of the process that was paused. */
	whenPaused(): Promise<void> {
		return this.child.stop();
	}

	/** Ends the process, and its sessions with Discord unless they are kept for another machine. */
	stop({ keepSessions = false, ...options }: { graceMs?: number; keepSessions?: boolean }): Promise<void> {
		this.#keepSessions ||= keepSessions;
		return this.#service.stop(options);
	}

	#connect(port: Port, epoch: number, reports: ServiceReports): ServiceLink<GatewayPeer> {
		const guard = protocolGuard({
			label: this.label,
			logger: this.#options.logger,
			clock: this.#options.child.clock ?? systemClock,
			end: (error) => {
				peer.close(error);
				this.child.breakOff(epoch, error);
			},
		});
		const peer: GatewayPeer = new Peer({ port, epoch, schemas: gatewaySchemas, ...guard });
		peer.on('listening', () => reports.listening());
		peer.on('connection.taken', ({ id }) => reports.acknowledged(id));
		peer.on('events.lost', ({ shardId, lost }) => this.emit('lost', shardId, lost));
		peer.on('worker.connection', (connection) => this.emit('worker-connection', connection));
		peer.on('notice', (notice) => this.emit('notice', notice));
		peer.on('session.started', ({ terms, session }) => this.emit('session-started', terms, session));
		peer.on('session.refused', (refusal) => this.emit('session-refused', refusal));
		const { child, identifyWindowMs } = this.#options;
		const holder = (successor: boolean) =>
			new SlotHolder({
				clock: child.clock ?? systemClock,
				windowMs: identifyWindowMs,
				onExpired: ({ shardId }, afterMs) => this.emit('identify-expired', shardId, afterMs),
				acquire: (session, signal) => this.#options.acquireIdentify(session, signal, { successor }),
				onSent: () => reports.spent(),
			});
		// A successor can have the number of a session that it is to replace.
		const [slots, successorSlots] = [holder(false), holder(true)];
		for (const each of [slots, successorSlots]) each.follow(peer);
		peer.handle('identify.acquire', ({ session, successor }, { signal }) =>
			(successor ? successorSlots : slots).acquire(session, signal),
		);
		const forever = Number.POSITIVE_INFINITY;
		return {
			peer,
			ping: (signal) => peer.request('ping', null, { signal, timeoutMs: forever }),
			closeInspector: () => peer.request('inspector.close', null, { timeoutMs: closeInspectorMs }),
			// The sessions with Discord are kept for a process that takes this one's place.
			shutdown: async (reason, { final }) => {
				await peer.request('shutdown', { reason, keepSessions: this.#keepSessions || !final }, { timeoutMs: forever });
				this.#paused?.resolve();
			},
			closed: () => {
				for (const each of [slots, successorSlots]) each.abandonAll();
			},
		};
	}
}
