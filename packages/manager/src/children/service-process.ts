// A child process that serves connections of workers: supervised, asked over its channel, and reached at a port that outlives it. What is
// common to every kind of it is here; a kind adds its configuration and its conversation. Gateway processes are one kind.
import { aborted, deferred, ShardctlError, systemClock } from '@shardctl/core';
import { ipcPort, type Port } from '@shardctl/rpc';
import {
	type ChildHandle,
	type ChildLink,
	type ChildSpec,
	type ShutdownOptions,
	SupervisedChild,
	type SupervisedChildOptions,
} from '@shardctl/supervisor';
import { childEnvironment, withoutCluster } from './child-environment.js';
import { exitError } from './child-rules.js';
import { ServiceDoor } from './service-door.js';

/** The conversation with one process; see {@link ServiceProcessOptions.connect}. */
export interface ServiceLink<Peer> {
	/** What requests go to. It is closed by the service when the process is gone. */
	peer: Peer;
	/** Resolves when the process's main thread has answered. */
	ping(signal: AbortSignal): Promise<unknown>;
	/** Asks the process to close its inspector; see {@link ChildLink.closeInspector}. */
	closeInspector(): Promise<unknown>;
	/** Asks the process to end; resolves when it will exit by itself. */
	shutdown(reason: string, options: ShutdownOptions): Promise<unknown>;
	/** The process is gone: settle what was its. */
	closed?(): void;
}

/** What a process reports of itself, passed on by its kind. */
export interface ServiceReports {
	/** Workers can be served. */
	listening(): void;
	/** The connection of this number is the process's now. */
	acknowledged(connectionId: number): void;
	/** The process spent something of which there is little; see {@link SupervisedChild.markSpent}. */
	spent(): void;
}

export interface ServiceProcessOptions<Peer> {
	/** Names it in reports of the supervisor, such as `gateway 0`. */
	id: string;
	/** For people: `gateway process 0 (shards 0-7)`. A function where that changes. */
	label: string | (() => string);
	/** The module that each process runs. */
	file: string;
	execArgv: readonly string[];
	/** The bot's token. It is passed in the environment; arguments are visible to every user of the machine. */
	token: string;
	/** The environment variable that carries the configuration as JSON. */
	configVariable: string;
	/** The configuration of the next process. It is passed connections, so it listens at no port of its own; `port` is the service's. */
	config(start: { epoch: number; port: number }): object;
	/** What is the same for every process. */
	child: Omit<SupervisedChildOptions, 'connect' | 'spec'>;
	/** Connections of workers were closed because no process took them. */
	onConnectionsClosed(message: string): void;
	/** Opens the conversation with a process that was just started: handlers and listeners are registered in this turn. */
	connect(port: Port, epoch: number, reports: ServiceReports): ServiceLink<Peer>;
}

/** How a process of a service is started; `config` is the text of its configuration variable. */
export function serviceSpec(
	{
		id,
		file,
		execArgv,
		token,
		configVariable,
	}: Pick<ServiceProcessOptions<unknown>, 'id' | 'file' | 'execArgv' | 'token' | 'configVariable'>,
	config: string,
): ChildSpec {
	return {
		id,
		file,
		execArgv: [...execArgv],
		env: childEnvironment(process.env, withoutCluster, { DISCORD_TOKEN: token, [configVariable]: config }),
	};
}

export class ServiceProcess<Peer extends { readonly closed: boolean; close(error: ShardctlError): void }> {
	readonly child: SupervisedChild;
	readonly #options: ServiceProcessOptions<Peer>;
	readonly #door: ServiceDoor;
	#peer: Peer | undefined;

	constructor(options: ServiceProcessOptions<Peer>) {
		const { config, child } = options;
		this.#options = options;
		this.#door = new ServiceDoor({
			clock: child.clock ?? systemClock,
			onClosed: (message) => options.onConnectionsClosed(message),
		});
		this.child = new SupervisedChild({
			...child,
			spec: (epoch) => serviceSpec(options, JSON.stringify(config({ epoch, port: this.#door.port }))),
			connect: (handle, epoch) => this.#connect(handle, epoch),
		});
	}

	get label(): string {
		const { label } = this.#options;
		return typeof label === 'string' ? label : label();
	}

	/** Where workers connect, on the loopback interface; 0 before {@link open}. */
	get port(): number {
		return this.#door.port;
	}

	/** The conversation with the present process. Throws `WORKER_UNAVAILABLE` while there is none that is ready. */
	get peer(): Peer {
		const peer = this.#readyPeer;
		if (peer) return peer;
		const { state } = this.child;
		throw new ShardctlError(
			'WORKER_UNAVAILABLE',
			`${this.label} is ${state === 'ready' ? 'ending' : state}, so it cannot answer`,
		);
	}

	/** Resolves when there is a process that answers; rejects with the signal's reason. */
	async whenReady(signal: AbortSignal): Promise<void> {
		signal.throwIfAborted();
		if (this.#readyPeer) return;
		const ready = deferred();
		const onReady = () => ready.resolve();
		this.child.once('ready', onReady);
		try {
			await Promise.race([ready.promise, aborted(signal)]);
		} finally {
			this.child.off('ready', onReady);
		}
	}

	/** Opens the port. Workers can connect before there is a process: they wait. */
	open(): Promise<void> {
		return this.#door.open();
	}

	/** Replaces the process; connections wait meanwhile. `true` once the new one is ready, `false` when it could not be. */
	restart(reason: string): Promise<boolean> {
		return this.child.restart(reason);
	}

	/** Ends the process for good, and closes the port. A second call with a smaller grace hastens the first. */
	stop(options: { graceMs?: number }): Promise<void> {
		return this.child.stop(options).finally(() => this.#door.close());
	}

	/** A channel may be closed a moment before its process is seen to have exited: no process can be asked then. */
	get #readyPeer(): Peer | undefined {
		return this.child.state === 'ready' && !this.#peer?.closed ? this.#peer : undefined;
	}

	#connect({ channel }: ChildHandle, epoch: number): ChildLink {
		const { peer, ping, closeInspector, shutdown, closed } = this.#options.connect(ipcPort(channel), epoch, {
			listening: () => {
				this.#door.forwardTo(channel);
				this.child.markReady(epoch);
			},
			acknowledged: (connectionId) => this.#door.acknowledged(connectionId),
			spent: () => this.child.markSpent(epoch),
		});
		this.#peer = peer;
		return {
			ping: async (signal) => {
				await ping(signal);
			},
			closeInspector: async () => {
				await closeInspector();
			},
			shutdown: async (reason, options) => {
				this.#door.hold();
				await shutdown(reason, options);
			},
			closed: (report) => {
				closed?.();
				peer.close(exitError(this.label, report));
				if (this.#peer === peer) this.#peer = undefined;
			},
		};
	}
}
