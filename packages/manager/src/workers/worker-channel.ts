// The channel to one process of a worker, from its fork until it is gone: requests both ways, the bot's own messages, and the identify slots
// that the process holds. What the process reports is the worker's affair (managed-worker.ts).
import {
	type Clock,
	guardListener,
	type IdentifySlot,
	type ManagerEvents,
	type ManagerMethods,
	ShardctlError,
	type Timer,
	type WorkerEvents,
	type WorkerMethods,
} from '@shardctl/core';
import { workerSchemas } from '@shardctl/core/schemas';
import { ipcPort, Peer, type Port } from '@shardctl/rpc';
import type { ChildChannel, ChildHandle, ChildLink } from '@shardctl/supervisor';
import { closeInspectorMs, exitError } from '../children/child-rules.js';
import { type ProtocolGuardOptions, protocolGuard } from '../children/protocol-guard.js';
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
	/** Waits until a shard may send IDENTIFY. */
	acquireIdentify(shardId: number, signal: AbortSignal): Promise<IdentifySlot>;
	/** The process has sent an IDENTIFY. */
	onIdentifySent(): void;
	/** The process was permitted to identify a shard and did not report in time that it has. */
	onIdentifyExpired(shardId: number, afterMs: number): void;
	/** Length of Discord's identify window. */
	identifyWindowMs: number;
	/** The bot sent a message of its own. */
	onMessage(message: unknown): void;
	/** The process broke the protocol; nothing is read from it any more. */
	onBroken(error: ShardctlError): void;
	/** The process is gone. */
	onClosed(channel: WorkerChannel): void;
}

export class WorkerChannel {
	readonly peer: WorkerPeer;
	/** For the supervisor of the process. */
	readonly link: ChildLink;
	readonly #channel: ChildChannel;
	readonly #label: string;

	constructor(options: WorkerChannelOptions) {
		const { child, epoch, label, clock, acquireIdentify, onMessage, onBroken, onClosed } = options;
		this.#channel = child.channel;
		this.#label = label;
		let disconnected: Timer | undefined;
		const guard = protocolGuard({
			label,
			logger: options.logger,
			clock,
			end: (error) => {
				peer.close(error);
				onBroken(error);
			},
		});
		const port: Port = {
			...ipcPort(
				child.channel,
				guardListener(onMessage, (error) => guard.onListenerError(error, 'message')),
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
			acquire: acquireIdentify,
			onSent: () => options.onIdentifySent(),
			onExpired: ({ shardId }, afterMs) => options.onIdentifyExpired(shardId, afterMs),
		});
		slots.follow(peer);
		peer.handle('identify.acquire', ({ shardId }, { signal }) => slots.acquire(shardId, signal));
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
				onClosed(this);
			},
		};
	}

	get isConnected(): boolean {
		return this.#channel.connected;
	}

	/** Sends a message to the bot's own `process.on('message')`. */
	send(message: unknown): Promise<void> {
		return new Promise((resolve, reject) => {
			this.#channel.send(message, (error) => (error ? reject(channelError(this.#label, error)) : resolve()));
		});
	}
}

function channelError(label: string, cause: Error): ShardctlError {
	return new ShardctlError('CHANNEL_CLOSED', `the message to ${label} could not be sent: ${cause.message}`, { cause });
}
