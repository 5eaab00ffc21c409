// The channel to one process of a worker, from its fork until it is gone: requests both ways, the bot's own messages, and the identify slots
// that the process holds. What the process reports is the worker's affair (managed-worker.ts).
import {
	type Clock,
	guardListener,
	type ManagerEvents,
	type ManagerMethods,
	ShardctlError,
	type Timer,
	type WorkerEvents,
	type WorkerMethods,
} from '@shardctl/core';
import { workerSchemas } from '@shardctl/core/schemas';
import { ipcPort, Peer, type Port, type PreparedValue, type RequestOptions, type Settle } from '@shardctl/rpc';
import type { ChildChannel, ChildHandle, ChildLink } from '@shardctl/supervisor';
import { closeInspectorMs, exitError } from '../children/child-rules.js';
import { type ProtocolGuardOptions, protocolGuard } from '../children/protocol-guard.js';
import type { ReportListener, ReportSource } from '../children/report-source.js';
import { SlotHolder } from '../identify/slot-holder.js';

export type WorkerPeer = Peer<ManagerMethods, WorkerMethods, ManagerEvents, WorkerEvents>;

/** A process that dies exits within this time after its channel closed. */
const exitFollowsMs = 200;

export interface WorkerChannelOptions {
	child: Pick<ChildHandle, 'channel'>;
	epoch: number;
	/** Of the worker, for errors. */
	label: string;
	clock: Clock;
	logger: ProtocolGuardOptions['logger'];
	/** Length of Discord's identify window. */
	identifyWindowMs: number;
}

export class WorkerChannel implements ReportSource {
	readonly peer: WorkerPeer;
	readonly link: ChildLink;
	readonly #channel: ChildChannel;
	readonly #label: string;

	constructor(options: WorkerChannelOptions, listener: ReportListener) {
		const { child, epoch, label, clock } = options;
		this.#channel = child.channel;
		this.#label = label;
		let disconnected: Timer | undefined;
		const guard = protocolGuard({
			label,
			logger: options.logger,
			clock,
			end: (error) => {
				peer.close(error);
				listener.broken(error);
			},
		});
		const port: Port = {
			...ipcPort(
				child.channel,
				guardListener(
					(message: unknown) => listener.message(message),
					(error) => guard.onListenerError(error, 'message'),
				),
			),
			// The exit follows at once and carries more; this notices a process that closes its channel and keeps running.
			onClose: (listener) =>
				void child.channel.on('disconnect', () => {
					disconnected = clock.setTimeout(listener, exitFollowsMs);
				}),
		};
		const peer: WorkerPeer = new Peer({ port, epoch, firstFrameAtOnce: true, schemas: workerSchemas, ...guard });
		const slots = new SlotHolder({
			clock,
			windowMs: options.identifyWindowMs,
			acquire: (shardId, signal) => listener.acquireIdentify(shardId, signal),
			onSent: () => listener.identifySent(),
			onExpired: ({ shardId }, afterMs) => listener.identifyExpired(shardId, afterMs),
		});
		slots.follow(peer);
		peer.handle('identify.acquire', ({ shardId }, { signal }) => slots.acquire(shardId, signal));
		peer.on('attached', ({ library }) => listener.attached(library));
		peer.on('problem', (problem) => listener.problem(problem));
		peer.on('sample', (sample) => listener.sample(sample));
		peer.on('shard.status', (report) => listener.status(report));
		peer.on('queue.status', ({ status }) => listener.queueStatus(status));
		this.peer = peer;
		this.link = {
			ping: async (signal) => {
				await peer.request('ping', null, { signal, timeoutMs: Number.POSITIVE_INFINITY });
			},
			closeInspector: async () => {
				await peer.request('inspector.close', null, { timeoutMs: closeInspectorMs });
			},
			shutdown: async (reason) => {
				await peer.request('shutdown', { reason }, { timeoutMs: Number.POSITIVE_INFINITY });
			},
			closed: (report) => {
				clock.clearTimeout(disconnected);
				slots.abandonAll();
				peer.close(exitError(label, report));
				listener.closed();
			},
		};
	}

	get pendingCount(): number {
		return this.peer.pendingCount;
	}

	ask<M extends keyof WorkerMethods & string>(
		method: M,
		params: WorkerMethods[M]['params'] | PreparedValue,
		options: RequestOptions,
		settle: Settle<WorkerMethods[M]['result']>,
	): void {
		this.peer.ask(method, params, options, settle);
	}

	renewLease(untilMs: number): void {
		this.peer.notify('lease', { untilMs });
	}

	/** The process reports its connections itself. */
	noteConnection(): void {}

	send(message: unknown): Promise<void> | undefined {
		if (!this.#channel.connected) return undefined;
		return new Promise((resolve, reject) => {
			this.#channel.send(message, (error) => (error ? reject(channelError(this.#label, error)) : resolve()));
		});
	}
}

function channelError(label: string, cause: Error): ShardctlError {
	return new ShardctlError('CHANNEL_CLOSED', `the message to ${label} could not be sent: ${cause.message}`, { cause });
}
