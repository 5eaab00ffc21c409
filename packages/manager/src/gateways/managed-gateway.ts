// One gateway process as the manager sees it: its supervised process, the channel to the process that lives now, and the door
// at which workers find it.
import type { ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { fileURLToPath } from 'node:url';
import {
	formatShardIds,
	type GatewayConfig,
	type GatewayEvents,
	type GatewayInfo,
	type GatewayManagerMethods,
	type GatewayMethods,
	type GatewayNotice,
	type GatewayStats,
	gatewayConfigVariable,
	gatewayExecArgv,
	ShardctlError,
	workerPath,
} from '@shardctl/core';
import { ipcPort, Peer } from '@shardctl/rpc';
import { type ChildLink, type ExitReport, SupervisedChild, type SupervisedChildOptions } from '@shardctl/supervisor';
import type { IdentifySlot } from '../identify/coordinator.js';
import { GatewayDoor } from './gateway-door.js';

const processFile = fileURLToPath(import.meta.resolve('@shardctl/gateway/process'));

type GatewayPeer = Peer<GatewayManagerMethods, GatewayMethods, Record<never, never>, GatewayEvents>;

export interface ManagedGatewayOptions {
	gatewayId: number;
	shardIds: readonly number[];
	token: string;
	/** What is the same for every process of this gateway. */
	child: Omit<SupervisedChildOptions, 'connect' | 'spec'>;
	brief(): Omit<GatewayConfig, 'gatewayId' | 'epoch' | 'shardIds' | 'port'>;
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
	#keepSessions = true;
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
				env: environment(
					{
						...options.brief(),
						gatewayId: this.id,
						epoch,
						shardIds: [...this.shardIds],
						port: this.#door.port,
					},
					options.token,
				),
			}),
			connect: (process, epoch) => this.#connect(process, epoch),
		});
		this.child.on('ready', () => {
			for (const resolve of this.#waitingForReady) resolve();
			this.#waitingForReady.clear();
		});
	}

	/** For people: `gateway process 0 (shards 0-7)`. */
	get label(): string {
		return `gateway process ${this.id} (shard${this.shardIds.length > 1 ? 's' : ''} ${formatShardIds(this.shardIds)})`;
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
		this.#keepSessions = false;
		return this.child.stop(options).finally(() => this.#door.close());
	}

	#connect(process: ChildProcess, epoch: number): ChildLink {
		const peer: GatewayPeer = new Peer({ port: ipcPort(process), epoch });
		const slots = new Map<number, IdentifySlot>();
		this.#peer = peer;
		peer.on('listening', () => {
			this.#door.leadTo(process);
			this.child.markReady(epoch);
		});
		peer.on('connection.taken', ({ id }) => this.#door.taken(id));
		peer.on('notice', (notice) => this.emit('notice', notice));
		peer.on('identify.sent', ({ slotId }) => {
			slots.get(slotId)?.sent();
			this.child.markSpent(epoch);
		});
		peer.on('identify.confirmed', ({ slotId }) => {
			slots.get(slotId)?.confirmed();
			slots.delete(slotId);
		});
		peer.on('identify.released', ({ slotId }) => {
			slots.get(slotId)?.release();
			slots.delete(slotId);
		});
		peer.handle('identify.acquire', async ({ session }, { signal }) => {
			const slot = await this.#options.acquireIdentify(session, signal);
			if (signal.aborted) {
				slot.release();
				throw signal.reason;
			}
			slots.set(slot.id, slot);
			return { slotId: slot.id };
		});
		return {
			ping: async (signal) => {
				await peer.request('ping', null, { signal, timeoutMs: Number.POSITIVE_INFINITY });
			},
			shutdown: async (reason) => {
				this.#door.hold();
				const keepSessions = this.#keepSessions;
				await peer.request('shutdown', { reason, keepSessions }, { timeoutMs: Number.POSITIVE_INFINITY });
			},
			closed: (report) => {
				for (const slot of slots.values()) slot.abandon();
				peer.close(exitError(this.label, report));
				if (this.#peer === peer) this.#peer = undefined;
			},
		};
	}
}

/** The token travels here and not in the arguments, which every user of the machine can read. */
function environment(brief: GatewayConfig, token: string): Record<string, string> {
	const result: Record<string, string> = {};
	for (const [name, value] of Object.entries(process.env)) if (value !== undefined) result[name] = value;
	return { ...result, DISCORD_TOKEN: token, [gatewayConfigVariable]: JSON.stringify(brief) };
}

function exitError(label: string, report: ExitReport): ShardctlError {
	return new ShardctlError('CHANNEL_CLOSED', `${label} ended before it answered: ${report.message}`, {
		details: { reason: report.reason, pid: report.pid },
	});
}
