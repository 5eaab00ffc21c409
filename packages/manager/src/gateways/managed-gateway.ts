// One gateway process as the manager sees it: its supervised process, the channel to the process that lives now, and the door
// at which workers find it.
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
	describeShards,
	type GatewayConfig,
	type GatewayEvents,
	type GatewayInfo,
	type GatewayManagerMethods,
	type GatewayMethods,
	type GatewayNotice,
	type GatewayStats,
	gatewayConfigVariable,
	ShardctlError,
	workerPath,
} from '@shardctl/core';
import { ipcPort, Peer } from '@shardctl/rpc';
import { type ChildHandle, type ChildLink, SupervisedChild, type SupervisedChildOptions } from '@shardctl/supervisor';
import { childEnvironment } from '../children/child-environment.js';
import { exitError } from '../children/child-rules.js';
import type { IdentifySlot } from '../identify/coordinator.js';
import { SlotHolder } from '../identify/slot-holder.js';
import { GatewayDoor } from './gateway-door.js';
import { gatewayExecArgv } from './gateway-exec-argv.js';

const processFile = fileURLToPath(import.meta.resolve('@shardctl/gateway/process'));

type GatewayPeer = Peer<GatewayManagerMethods, GatewayMethods, Record<never, never>, GatewayEvents>;

export interface ManagedGatewayOptions {
	gatewayId: number;
	shardIds: readonly number[];
	token: string;
	/** What is the same for every process of this gateway. */
	child: Omit<SupervisedChildOptions, 'connect' | 'spec'>;
	config(): Omit<GatewayConfig, 'gatewayId' | 'epoch' | 'shardIds' | 'port'>;
	/** Waits until a session with Discord may send IDENTIFY; rejects only when `signal` aborts. */
	acquireIdentify(session: number, signal: AbortSignal): Promise<IdentifySlot>;
}

interface ManagedGatewayEvents {
	notice: [notice: GatewayNotice];
}

export class ManagedGateway extends EventEmitter<ManagedGatewayEvents> {
	readonly id: number;
	readonly shardIds: readonly number[];
	readonly child: SupervisedChild;
	readonly #options: ManagedGatewayOptions;
	#peer: GatewayPeer | undefined;
	readonly #door = new GatewayDoor();
	readonly #waitingForReady = new Set<() => void>();

	constructor(options: ManagedGatewayOptions) {
		super();
		this.id = options.gatewayId;
		this.shardIds = options.shardIds;
		this.#options = options;
		this.child = new SupervisedChild({
			...options.child,
			spec: (epoch) => ({
				id: `gateway ${this.id}`,
				file: processFile,
				execArgv: [...gatewayExecArgv],
				env: this.#environment({
					...options.config(),
					gatewayId: this.id,
					epoch,
					shardIds: [...this.shardIds],
					port: this.#door.port,
				}),
			}),
			connect: (child, epoch) => this.#connect(child, epoch),
		});
		this.child.on('ready', () => {
			for (const resolve of this.#waitingForReady) resolve();
			this.#waitingForReady.clear();
		});
	}

	/** For people: `gateway process 0 (shards 0-7)`. */
	get label(): string {
		return `gateway process ${this.id} (${describeShards(this.shardIds)})`;
	}

	/** What one incarnation of a worker gets in place of Discord's answer to `GET /gateway/bot`. */
	infoFor(incarnation: number, totalShards: number): GatewayInfo {
		return {
			url: `ws://127.0.0.1:${this.#door.port}${workerPath(incarnation)}`,
			shards: totalShards,
			session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: totalShards },
		};
	}

	/** Resolves when there is a process that answers; rejects with the signal's reason. */
	whenReady(signal: AbortSignal): Promise<void> {
		if (this.#peer && this.child.state === 'ready') return Promise.resolve();
		return new Promise((resolve, reject) => {
			this.#waitingForReady.add(resolve);
			const give = () => {
				this.#waitingForReady.delete(resolve);
				reject(signal.reason);
			};
			if (signal.aborted) give();
			else signal.addEventListener('abort', give, { once: true });
		});
	}

	/** Opens the port for workers, who can connect before there is a process. */
	open(): Promise<void> {
		return this.#door.open();
	}

	/** Asks the living process. Rejects with `WORKER_UNAVAILABLE` when there is none. */
	async request<M extends keyof GatewayMethods & string>(
		method: M,
		params: GatewayMethods[M]['params'],
		options: { timeoutMs: number; signal?: AbortSignal },
	): Promise<GatewayMethods[M]['result']> {
		if (this.#peer && this.child.state === 'ready') return this.#peer.request(method, params, options);
		throw new ShardctlError('WORKER_UNAVAILABLE', `${this.label} is ${this.child.state}, so it cannot answer`);
	}

	/** Its figures; none while it does not answer. */
	async stats(): Promise<GatewayStats> {
		const none = { rssBytes: null, cpuSeconds: null, sessions: [], shards: [] };
		return this.request('stats', null, { timeoutMs: 2000 }).catch(() => none);
	}

	/** Replaces the process; Discord and the workers keep their sessions. `true` once the new one is there. */
	restart(): Promise<boolean> {
		return this.child.restart('a restart of the gateway processes was requested');
	}

	/** Ends the process, and its sessions with Discord. */
	stop(options: { graceMs?: number }): Promise<void> {
		return this.child.stop(options).finally(() => this.#door.close());
	}

	#connect({ channel }: ChildHandle, epoch: number): ChildLink {
		const peer: GatewayPeer = new Peer({ port: ipcPort(channel), epoch });
		this.#peer = peer;
		peer.on('listening', () => {
			this.#door.leadTo(channel);
			this.child.markReady(epoch);
		});
		peer.on('connection.taken', ({ id }) => this.#door.taken(id));
		peer.on('notice', (notice) => this.emit('notice', notice));
		const slots = new SlotHolder({
			acquire: (session, signal) => this.#options.acquireIdentify(session, signal),
			onSent: () => this.child.markSpent(epoch),
		});
		slots.follow(peer);
		peer.handle('identify.acquire', ({ session }, { signal }) => slots.acquire(session, signal));
		return {
			ping: async (signal) => {
				await peer.request('ping', null, { signal, timeoutMs: Number.POSITIVE_INFINITY });
			},
			shutdown: async (reason, { final }) => {
				this.#door.hold();
				await peer.request('shutdown', { reason, keepSessions: !final }, { timeoutMs: Number.POSITIVE_INFINITY });
			},
			closed: (report) => {
				slots.abandonAll();
				peer.close(exitError(this.label, report));
				if (this.#peer === peer) this.#peer = undefined;
			},
		};
	}

	/** The token travels here and not in the arguments, which every user of the machine can read. */
	#environment(config: GatewayConfig): Record<string, string> {
		return childEnvironment(process.env, {
			DISCORD_TOKEN: this.#options.token,
			[gatewayConfigVariable]: JSON.stringify(config),
		});
	}
}
