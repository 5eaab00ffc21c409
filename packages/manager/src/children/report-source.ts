// What a worker hears of one of its processes, and how that is asked: over Node's IPC channel (worker-channel.ts), or, for a program that
// has none, by what its gateway process and the operating system see of it (foreign/foreign-source.ts). ManagedWorker knows no difference.
import type {
	BotProblem,
	IdentifySlot,
	QueueConnectionStatus,
	ShardctlError,
	ShardReport,
	WorkerConnection,
	WorkerMethods,
	WorkerSample,
} from '@shardctl/core';
import type { PreparedValue, RequestOptions, Settle } from '@shardctl/rpc';
import type { ChildLink } from '@shardctl/supervisor';

/** To whom one process of a worker reports. */
export interface ReportListener {
	attached(library: string): void;
	problem(problem: BotProblem): void;
	sample(sample: WorkerSample): void;
	status(report: ShardReport): void;
	/** What has become of its connection to the event queue. */
	queueStatus(status: QueueConnectionStatus): void;
	/** It has sent an IDENTIFY for a shard to its gateway process, which has not answered it. */
	identifying(shardId: number): void;
	/** Waits until a shard may send IDENTIFY. */
	acquireIdentify(shardId: number, signal: AbortSignal): Promise<IdentifySlot>;
	/** The process has sent an IDENTIFY by such a permission. */
	identifySent(): void;
	/** The process was permitted to identify a shard and did not report in time that it has. */
	identifyExpired(shardId: number, afterMs: number): void;
	/** The bot sent a message of its own. */
	message(message: unknown): void;
	/** The process broke the protocol; nothing is read from it any more. */
	broken(error: ShardctlError): void;
	/** The process is gone. */
	closed(): void;
}

export interface ReportSource {
	/** For the supervisor of the process. */
	readonly link: ChildLink;
	/** Calls that wait for a reply, heartbeats included. */
	readonly pendingCount: number;
	/** Sends a request, and settles exactly once. */
	ask<M extends keyof WorkerMethods & string>(
		method: M,
		params: WorkerMethods[M]['params'] | PreparedValue,
		options: RequestOptions,
		settle: Settle<WorkerMethods[M]['result']>,
	): void;
	/** Sends a message to the bot's own `process.on('message')`; undefined where there is no channel for it (any more). */
	send(message: unknown): Promise<void> | undefined;
	/** In a cluster, in direct mode: until when the process may run its shards. */
	renewLease(untilMs: number): void;
	/** Resident mode: what its gateway process sees of a session of this process. */
	noteConnection(connection: WorkerConnection): void;
}
