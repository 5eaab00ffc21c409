// A worker in simulated time: a client for each of its shards, which identifies, confirms what it has when it is asked, and resumes when its
// connection is gone. It handles an event when it receives it; before all of its shards are ready it should receive none, because
// discord.js would handle those later, among newer ones.
import { op } from '@shardctl/gateway-protocol';
import type { RawObject } from '../../src/state/raw.js';
import type { Random } from './random.js';
import { SimulatedLine, SimulatedProcess, type SimulatedTime } from './simulated-time.js';

/** A connection to the gateway process, as a client has it. */
export interface GatewayWire {
	send(frame: string): void;
	/** The client is gone. */
	drop(): void;
}

export interface WireEvents {
	frame(frame: string): void;
	closed(): void;
}

export interface SimulatedWorkerOptions {
	time: SimulatedTime;
	random: Random;
	incarnation: number;
	shardIds: readonly number[];
	totalShards: number;
	/** Connects to the gateway process; undefined while there is none. */
	connect(incarnation: number, events: WireEvents): GatewayWire | undefined;
	/** Every shard is ready. */
	onReady(): void;
	/** A message has arrived. `isEarly`: not all shards are ready. */
	onMessage(message: { conversation: string; number: number; isEarly: boolean }): void;
}

export const workerIntents = 1 | 512 | 4096;

export class SimulatedWorker {
	readonly process: SimulatedProcess;
	readonly options: SimulatedWorkerOptions;
	readonly #clients: readonly ShardClient[];
	#isReady = false;

	constructor(options: SimulatedWorkerOptions) {
		this.options = options;
		this.process = new SimulatedProcess(options.time);
		this.#clients = options.shardIds.map((id) => new ShardClient(this, id));
		const { clock } = this.process;
		const { random } = options;
		// On a busy machine a bot takes very long.
		const mostMs = random.chance(10) ? 15_000 : 300;
		let delayMs = 50 + random.upTo(500);
		for (const client of this.#clients) {
			clock.setTimeout(() => client.connect(), delayMs);
			delayMs += random.upTo(mostMs);
		}
	}

	get isReady(): boolean {
		return this.#isReady && this.process.isAlive;
	}

	kill(): void {
		this.process.kill();
		for (const client of this.#clients) client.drop();
	}

	noteShardReady(): void {
		if (this.#isReady || !this.#clients.every(({ isReady }) => isReady)) return;
		this.#isReady = true;
		this.options.onReady();
	}

	take(message: RawObject): void {
		const { onMessage } = this.options;
		const conversation = (message.guild_id as string | undefined) ?? 'direct';
		onMessage({ conversation, number: Number(message.content), isEarly: !this.#isReady });
	}
}

class ShardClient {
	readonly #worker: SimulatedWorker;
	readonly #id: number;
	#wire: GatewayWire | undefined;
	#sessionId: string | null = null;
	#seq: number | null = null;
	/** Undefined before READY. */
	#pending: Set<string> | undefined;

	constructor(worker: SimulatedWorker, id: number) {
		this.#worker = worker;
		this.#id = id;
	}

	get isReady(): boolean {
		return this.#pending?.size === 0;
	}

	connect(): void {
		const { process, options } = this.#worker;
		const { random, incarnation } = options;
		// One connection's frames are read in order, each some time after it was sent.
		const line = new SimulatedLine(process.clock);
		const delayMs = () => 1 + random.upTo(8);
		const wire = options.connect(incarnation, {
			frame: (frame) => line.add(delayMs(), () => wire === this.#wire && this.#read(frame)),
			closed: () => line.add(delayMs(), () => wire === this.#wire && this.#connectAgain()),
		});
		this.#wire = wire;
		if (!wire) this.#connectAgain();
	}

	drop(): void {
		this.#wire?.drop();
	}

	#connectAgain(): void {
		this.#wire = undefined;
		const { process, options } = this.#worker;
		process.clock.setTimeout(() => this.connect(), 20 + options.random.upTo(100));
	}

	#read(frame: string): void {
		const { op: operation, t, s, d } = JSON.parse(frame) as { op: number; t?: string; s?: number; d: unknown };
		if (operation === op.hello) this.#begin();
		else if (operation === op.heartbeat) this.#send(op.heartbeat, this.#seq);
		else if (operation === op.invalidSession) {
			this.#sessionId = null;
			this.#begin();
		} else if (operation === op.dispatch) {
			this.#seq = s as number;
			this.#dispatch(t as string, d as RawObject);
		}
	}

	#begin(): void {
		const { totalShards } = this.#worker.options;
		if (this.#sessionId !== null) {
			this.#send(op.resume, { token: 'token', session_id: this.#sessionId, seq: this.#seq });
			return;
		}
		this.#seq = null;
		this.#send(op.identify, {
			token: 'token',
			properties: { browser: '@discordjs/ws 1.2.3' },
			intents: workerIntents,
			shard: [this.#id, totalShards],
		});
	}

	#dispatch(type: string, data: RawObject): void {
		if (type === 'READY') {
			this.#sessionId = data.session_id as string;
			this.#pending = new Set((data.guilds as { id: string }[]).map(({ id }) => id));
		} else if (type === 'GUILD_CREATE') this.#pending?.delete(data.id as string);
		else if (type === 'MESSAGE_CREATE') this.#worker.take(data);
		if (this.isReady) this.#worker.noteShardReady();
	}

	#send(operation: number, data: unknown): void {
		this.#wire?.send(JSON.stringify({ op: operation, d: data }));
	}
}
