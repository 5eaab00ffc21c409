// One worker as the manager sees it: its supervised process, the channel to the process that lives now, and the state of its
// shards' connections. It decides nothing about the fleet.
import { EventEmitter } from 'node:events';
import {
	describeShards,
	type ManagerEvents,
	type ManagerMethods,
	ShardctlError,
	type ShardReport,
	type ShardStatus,
	systemClock,
	type Timer,
	type WorkerEvents,
	type WorkerMethods,
	type WorkerSample,
} from '@shardctl/core';
import { ipcPort, Peer, type Port, type PreparedValue, type RequestOptions, type Settle } from '@shardctl/rpc';
import {
	type ChildChannel,
	type ChildHandle,
	type ChildLink,
	SupervisedChild,
	type SupervisedChildOptions,
} from '@shardctl/supervisor';
import { exitError } from '../children/child-rules.js';
import type { IdentifySlot } from '../identify/coordinator.js';
import { SlotHolder } from '../identify/slot-holder.js';
import { type ShardConnection, shardStatus } from './shard-status.js';

export type WorkerPeer = Peer<ManagerMethods, WorkerMethods, ManagerEvents, WorkerEvents>;

/** How long after its channel a process that dies is gone, at the very most. */
const exitFollowsMs = 200;

export interface ManagedWorkerOptions {
	workerId: number;
	shardIds: readonly number[];
	/** What is the same for every incarnation; `connect` is this class's own. */
	child: Omit<SupervisedChildOptions, 'connect'>;
	/** Waits until one of the worker's shards may send IDENTIFY; rejects only when `signal` aborts. */
	acquireIdentify(worker: ManagedWorker, shardId: number, signal: AbortSignal): Promise<IdentifySlot>;
	/** Adds the manager's answers to what workers ask. */
	serve(peer: WorkerPeer, worker: ManagedWorker): void;
}

interface ManagedWorkerEvents {
	message: [message: unknown];
	'shard.status': [report: ShardReport];
	/** Boot work is over: the process asked for its first identify slot, became ready, ended, or could not be started. */
	booted: [];
	attached: [library: string];
	/** A discord.js that our hooks did not reach says that it is ready: it was bundled into the bot, which does not attach() it. */
	unattached: [];
}

export class ManagedWorker extends EventEmitter<ManagedWorkerEvents> {
	readonly id: number;
	readonly shardIds: readonly number[];
	readonly child: SupervisedChild;
	/** Resident mode: tells this process's connections from those of every other, before and after it; 0 in direct mode. */
	incarnation = 0;
	readonly #options: ManagedWorkerOptions;
	#peer: WorkerPeer | undefined;
	#channel: ChildChannel | undefined;
	#connections = new Map<number, ShardConnection>();
	#sample: WorkerSample | undefined;
	/** Of the processes before the living one. */
	#cpuSecondsBefore = 0;
	#library: string | undefined;
	/** Requested restarts that have not come to their end. */
	#restarts = 0;

	constructor(options: ManagedWorkerOptions) {
		super();
		this.id = options.workerId;
		this.shardIds = options.shardIds;
		this.#options = options;
		this.child = new SupervisedChild({ ...options.child, connect: (child, epoch) => this.#connect(child, epoch) });
		// Also a process that could not be forked has left the boot gate.
		this.child.on('exited', () => this.emit('booted'));
	}

	/** Counts the worker's processes. */
	get epoch(): number {
		return this.child.epoch;
	}

	/** For people: `worker 3 (shards 6-7)`. */
	get label(): string {
		return `worker ${this.id} (${describeShards(this.shardIds)})`;
	}

	/** Calls that wait for an answer of the living process, heartbeats included. */
	get pendingCalls(): number {
		return this.#peer?.pendingCount ?? 0;
	}

	/** The last figures that the living process pushed; undefined before the first. */
	get sample(): WorkerSample | undefined {
		return this.#sample;
	}

	/** Processor time of all its processes so far, in s; undefined before the first figures. */
	get cpuSeconds(): number | undefined {
		return this.#sample ? this.#cpuSecondsBefore + this.#sample.cpuSeconds : this.#cpuSecondsBefore || undefined;
	}

	/** The library of the bot's first client, such as `discord.js 14.28.1`; undefined before the bot made one. */
	get library(): string | undefined {
		return this.#library;
	}

	status(shardId: number): ShardStatus {
		return shardStatus(this.child.state, this.#connections.get(shardId) ?? 'none');
	}

	/** Whether somebody asked for the restart that is under way: such a one may spend the identifies of the reserve. */
	get restartRequested(): boolean {
		return this.#restarts > 0;
	}

	/**
	 * Replaces the process; `true` once the new one is ready, `false` when it could not be: it was given up, or, with
	 * `giveUpAfterExits`, so many replacements ended before they were ready (the policy goes on trying).
	 */
	async restart(reason: string, options: { giveUpAfterExits?: number } = {}): Promise<boolean> {
		this.#restarts++;
		try {
			return await this.child.restart(reason, options);
		} finally {
			this.#restarts--;
		}
	}

	/** Resident mode: how far the gateway process is with the identify of a shard for which this worker waits. */
	noteIdentify(shardId: number, stage: 'waiting' | 'identifying'): void {
		if (this.child.state !== 'starting' || this.#connections.get(shardId) === 'ready') return;
		this.#connections.set(shardId, stage);
		if (stage === 'waiting') this.child.pauseReadyTimeout();
		else this.#noteProgress();
	}

	/** Asks the living process. Rejects with `WORKER_UNAVAILABLE` at once when it is not in a state to answer. */
	request<M extends keyof WorkerMethods & string>(
		method: M,
		params: WorkerMethods[M]['params'] | PreparedValue,
		options: { timeoutMs: number; signal?: AbortSignal },
	): Promise<WorkerMethods[M]['result']> {
		return new Promise((resolve, reject) => this.ask(method, params, options, { resolve, reject }));
	}

	/** As {@link request}, without a promise; see {@link Peer.ask}. */
	ask<M extends keyof WorkerMethods & string>(
		method: M,
		params: WorkerMethods[M]['params'] | PreparedValue,
		options: RequestOptions,
		settle: Settle<WorkerMethods[M]['result']>,
	): void {
		const state = this.child.state;
		if (this.#peer && (state === 'ready' || state === 'unresponsive')) {
			this.#peer.ask(method, params, options, settle);
			return;
		}
		settle.reject(
			new ShardctlError('WORKER_UNAVAILABLE', `${this.label} is ${state}, so it cannot answer`, {
				details: { workerId: this.id, shardIds: this.shardIds, state },
			}),
		);
	}

	/** Asks for figures as they are now, and keeps them as the last sample. */
	async freshSample(timeoutMs: number): Promise<WorkerSample> {
		this.#sample = await this.request('sample', null, { timeoutMs });
		return this.#sample;
	}

	/** Sends a message to the bot's own `process.on('message')`. */
	send(message: unknown): Promise<void> {
		const channel = this.#channel;
		if (!channel?.connected) {
			return Promise.reject(
				new ShardctlError('WORKER_UNAVAILABLE', `${this.label} is ${this.child.state}, so it cannot get a message`),
			);
		}
		return new Promise((resolve, reject) => {
			channel.send(message, (error) => (error ? reject(channelError(this.label, error)) : resolve()));
		});
	}

	#connect({ channel }: ChildHandle, epoch: number): ChildLink {
		const { clock = systemClock } = this.#options.child;
		let disconnected: Timer | undefined;
		const port: Port = {
			...ipcPort(channel, (message) => {
				if (this.#library === undefined && isReadyOfDiscordJs(message)) this.emit('unattached');
				else this.emit('message', message);
			}),
			// The exit follows at once and tells more; only a process that closes its channel and lives on is noticed by this.
			onClose: (listener) =>
				void channel.on('disconnect', () => {
					disconnected = clock.setTimeout(listener, exitFollowsMs);
				}),
		};
		const peer: WorkerPeer = new Peer({ port, epoch, firstFrameAtOnce: true });
		this.#peer = peer;
		this.#channel = channel;
		this.#connections = new Map();
		this.#cpuSecondsBefore = this.cpuSeconds ?? 0;
		this.#sample = undefined;

		peer.on('attached', ({ library }) => {
			this.#library ??= library;
			this.emit('attached', library);
		});
		peer.on('sample', (sample) => {
			this.#sample = sample;
			this.child.reportMemory(sample.rssBytes);
		});
		peer.on('shard.status', (report) => this.#onShardStatus(report, epoch));
		const slots = new SlotHolder({
			acquire: (shardId, signal) => this.#acquire(shardId, signal),
			onSent: () => {
				// An IDENTIFY to a gateway process costs nothing.
				if (this.incarnation === 0) this.child.markSpent(epoch);
			},
		});
		slots.follow(peer);
		peer.handle('identify.acquire', ({ shardId }, { signal }) => slots.acquire(shardId, signal));
		this.#options.serve(peer, this);

		return {
			ping: async (signal) => {
				await peer.request('ping', null, { signal, timeoutMs: Number.POSITIVE_INFINITY });
			},
			shutdown: async (reason) => {
				await peer.request('shutdown', { reason }, { timeoutMs: Number.POSITIVE_INFINITY });
			},
			closed: (report) => {
				clock.clearTimeout(disconnected);
				slots.abandonAll();
				peer.close(exitError(this.label, report));
				if (this.#peer === peer) {
					this.#peer = undefined;
					this.#channel = undefined;
				}
			},
		};
	}

	/** Waiting for a slot is Discord's pace and no lack of progress, so the ready timeout stands still meanwhile. */
	async #acquire(shardId: number, signal: AbortSignal): Promise<IdentifySlot> {
		if (!this.shardIds.includes(shardId)) {
			throw new ShardctlError('SHARD_NOT_OWNED', `${this.label} asked to identify shard ${shardId}, which is not its own`);
		}
		const connections = this.#connections;
		connections.set(shardId, 'waiting');
		this.emit('booted');
		this.child.pauseReadyTimeout();
		try {
			return await this.#options.acquireIdentify(this, shardId, signal);
		} finally {
			connections.set(shardId, 'identifying');
			this.#noteProgress();
		}
	}

	#noteProgress(): void {
		const waiting = [...this.#connections.values()].includes('waiting');
		if (!waiting) this.child.restartReadyTimeout();
	}

	#onShardStatus(report: ShardReport, epoch: number): void {
		if (!this.shardIds.includes(report.shardId)) return;
		this.#connections.set(report.shardId, report.status === 'resumed' ? 'ready' : report.status);
		// A worker that logs out closes its own connections; that is no news about Discord's side.
		if (this.child.state === 'draining') return;
		this.#noteProgress();
		this.emit('shard.status', report);
		if (this.shardIds.every((id) => this.#connections.get(id) === 'ready')) {
			this.child.markReady(epoch);
			this.emit('booted');
		}
	}
}

/** What discord.js itself tells its own sharding manager. */
function isReadyOfDiscordJs(message: unknown): boolean {
	return typeof message === 'object' && message !== null && (message as { _ready?: unknown })._ready === true;
}

function channelError(label: string, cause: Error): ShardctlError {
	return new ShardctlError('CHANNEL_CLOSED', `the message to ${label} could not be sent: ${cause.message}`, { cause });
}
