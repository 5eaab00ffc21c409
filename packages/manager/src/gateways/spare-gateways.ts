// Gateway processes that are started before they are needed: on a node of a cluster they wait, without a session and without a connection,
// until one is to be carried. A session that was lost with its node is resumed then without the start of a process in between. The
// supervisor does not know of them: this is the host with which it starts processes, and a spare is a process that has started already.
//
// Spares are started one at a time, and only when no process was started here for a while: other starts are more urgent.
import { type Clock, gatewayConfigVariable, type PassedGatewayConfig, type Timer } from '@shardctl/core';
import type { ChildHandle, ChildSpec, ProcessHost } from '@shardctl/supervisor';

export interface SpareGatewaysOptions {
	/** Starts the processes. */
	host: ProcessHost;
	clock: Clock;
	/** How a gateway process is started whose configuration follows. */
	spec(): ChildSpec;
}

/** From the last start of a process to the start of a spare. */
const quietMs = 3000;
/** From the end of a spare that was not used, or that could not be started, to the next one. */
const retryMs = 10_000;

interface Spare {
	readonly spec: ChildSpec;
	readonly handle: ChildHandle;
	/** Resolves when it has exited. */
	readonly exited: Promise<void>;
}

export class SpareGateways implements ProcessHost {
	readonly #options: SpareGatewaysOptions;
	/** Oldest first: the first has had the most time to start. */
	readonly #spares: Spare[] = [];
	#wanted = 0;
	#timer: Timer | undefined;
	#closed = false;

	constructor(options: SpareGatewaysOptions) {
		this.#options = options;
	}

	/** How many wait now. */
	get count(): number {
		return this.#spares.length;
	}

	/** How many are to wait from now on. A number below what there is ends none: they are used up. */
	keep(count: number): void {
		if (count === this.#wanted) return;
		this.#wanted = count;
		this.#refill(quietMs);
	}

	/** A spare where there is one that was started in the same way; else a new process. */
	start(spec: ChildSpec): ChildHandle {
		const handle = this.#take(spec) ?? this.#options.host.start(spec);
		this.#refill(quietMs);
		return handle;
	}

	claimOomKill(): boolean {
		return this.#options.host.claimOomKill();
	}

	/** Ends those that wait; resolves when nothing of them is left. Starts none any more. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#options.clock.clearTimeout(this.#timer);
		await Promise.all(
			this.#spares.splice(0).map(async ({ handle, exited }) => {
				handle.kill();
				await exited;
				await handle.endGroup();
				handle.close();
			}),
		);
	}

	#take(spec: ChildSpec): ChildHandle | undefined {
		const config = spec.env[gatewayConfigVariable];
		const index = this.#spares.findIndex((spare) => spare.handle.channel.connected && isSameStart(spare.spec, spec));
		const [spare] = index < 0 || config === undefined ? [] : this.#spares.splice(index, 1);
		if (!spare) return undefined;
		const message: PassedGatewayConfig = { shardctlGatewayConfig: JSON.parse(config as string) };
		// Where it cannot be sent the process has ended, which its supervisor learns as of any other.
		spare.handle.channel.send(message, () => {});
		return spare.handle;
	}

	#refill(afterMs: number): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#timer);
		if (this.#closed || this.#spares.length >= this.#wanted) return;
		this.#timer = clock.setTimeout(() => this.#refill(this.#startOne() ? quietMs : retryMs), afterMs);
	}

	/** `false` where it could not be started. */
	#startOne(): boolean {
		const { host, spec: specOf } = this.#options;
		const spec = specOf();
		let handle: ChildHandle;
		try {
			handle = host.start(spec);
		} catch {
			return false;
		}
		handle.onStartError(() => {});
		if (handle.pid === null) return false;
		const exited = new Promise<void>((resolve) => {
			handle.onExit(() => {
				resolve();
				this.#onExited(spare);
			});
		});
		const spare: Spare = { spec, handle, exited };
		this.#spares.push(spare);
		return true;
	}

	#onExited(spare: Spare): void {
		const index = this.#spares.indexOf(spare);
		// Used, or ended here.
		if (index < 0) return;
		this.#spares.splice(index, 1);
		const close = () => spare.handle.close();
		spare.handle.endGroup().then(close, close);
		this.#refill(retryMs);
	}
}

/** Whether two processes differ in their configuration alone. */
function isSameStart(one: ChildSpec, other: ChildSpec): boolean {
	const { env: _one, id: _idOne, ...restOne } = one;
	const { env: _other, id: _idOther, ...restOther } = other;
	const names = new Set([...Object.keys(one.env), ...Object.keys(other.env)]);
	names.delete(gatewayConfigVariable);
	return JSON.stringify(restOne) === JSON.stringify(restOther) && [...names].every((name) => one.env[name] === other.env[name]);
}
