// A gateway process in simulated time, made of the parts of a real one, on simulated connections: its sessions and shards, the takeovers, and
// what is written to a disk that takes its time. It can be killed between any two steps.
import {
	ShardctlError,
	type SnapshotStore,
	sessionsOfShards,
	shardIdForGuild,
	shardsOfSession,
	WorkerPaths,
} from '@shardctl/core';
import { defaultRules, type FrameTransport, GatewayConnection, SessionStore } from '@shardctl/gateway-protocol';
import { LocalBackend } from '../../src/downstream/local-backend.js';
import { ReshardRecord } from '../../src/session/reshard-record.js';
import { ResidentSession } from '../../src/session/resident-session.js';
import { Takeover } from '../../src/session/takeover.js';
import { ResidentShard } from '../../src/shard/resident-shard.js';
import { HeldSnapshots } from '../../src/snapshots/held-snapshots.js';
import { type MemoryContent, MemorySnapshotStore } from './memory-snapshot-store.js';
import type { Random } from './random.js';
import { type SimulatedDiscord, SimulatedUpstream } from './simulated-discord.js';
import { SimulatedLine, SimulatedProcess, type SimulatedTime } from './simulated-time.js';
import type { GatewayWire, WireEvents } from './simulated-worker.js';

/** A worker's process, as the manager names it. */
export interface NamedWorker {
	incarnation: number;
	shardIds: readonly number[];
	isReady: boolean;
}

const buffer = { events: 100_000, bytes: 2 ** 30, ageMs: 600_000 };

export interface SimulatedGatewayOptions {
	time: SimulatedTime;
	discord: SimulatedDiscord;
	random: Random;
	content: MemoryContent;
	/** Shards, and sessions where none were replaced. */
	layout: { totalShards: number; sessions: number };
	workers: readonly NamedWorker[];
	/** Which of the managers one after the other has started it. */
	manager: string;
	onNotice(message: string): void;
	/** Sessions were replaced, for which no event was delivered for this long. */
	onPause(pausedMs: number): void;
	/** Guilds that the sessions before have led to another state. */
	onDrift(drifted: readonly string[]): void;
	/** Something is being written. */
	onWrite(name: string): void;
}

const paths = new WorkerPaths(undefined);

export class SimulatedGateway {
	readonly process: SimulatedProcess;
	readonly sessions = new Map<number, ResidentSession>();
	readonly #options: SimulatedGatewayOptions;
	readonly #layout: { generation: number; totalShards: number; sessions: number };
	readonly #shardIds: readonly number[];
	readonly #shards = new Map<number, ResidentShard>();
	readonly #upstreams: SimulatedUpstream[] = [];
	readonly #snapshots: HeldSnapshots;
	readonly #store: SlowStore;
	readonly #record: ReshardRecord;
	readonly #clients: SessionStore;
	readonly #backend: LocalBackend;
	readonly #wires = new Set<{ close(): void }>();
	readonly #stopping = new AbortController();
	readonly #takeovers = new Set<Promise<unknown>>();
	#isListening = false;
	#lastConnection = 0;

	constructor(options: SimulatedGatewayOptions) {
		const { time, layout } = options;
		this.#options = options;
		this.#layout = { generation: 0, ...layout };
		this.#shardIds = Array.from({ length: layout.totalShards }, (_, id) => id);
		this.process = new SimulatedProcess(time);
		const { clock } = this.process;
		this.#store = new SlowStore(this.process, options);
		this.#snapshots = new HeldSnapshots(this.#store);
		this.#record = new ReshardRecord({ bot: '9', layout: this.#layout, shardIds: this.#shardIds, store: this.#snapshots });
		this.#backend = new LocalBackend({
			token: undefined,
			paths,
			shardsOf: (totalShards) => (totalShards === layout.totalShards ? this.#shards : undefined),
			clock,
			onRefused: () => {},
			onWrongShard: () => {},
			onFlood: () => {},
		});
		this.#clients = new SessionStore({
			clock,
			ttlMs: 60_000,
			createSession: (session) => this.#backend.createSession(session),
			onDetach: (session) => this.#backend.sessionDetached(session),
			onEnd: (session) => this.#backend.sessionEnded(session),
		});
	}

	get isListening(): boolean {
		return this.#isListening && this.process.isAlive;
	}

	/** The counts of its sessions. */
	get counts(): number[] {
		return [...this.sessions.values()].map(({ of }) => of);
	}

	async start({ withWorkers }: { withWorkers: boolean }): Promise<void> {
		await this.#snapshots.hold(this.#store.nextFence);
		await this.#record.read();
		const byCount = new Map<number, number[]>();
		for (const id of this.#shardIds) {
			const count = this.#record.sessionsOf(id) ?? this.#layout.sessions;
			byCount.set(count, [...(byCount.get(count) ?? []), id]);
		}
		for (const [sessions, shardIds] of byCount) {
			const layout = { ...this.#layout, sessions };
			for (const id of sessionsOfShards(layout, shardIds)) {
				const session = this.#construct(id, sessions, (shardId, link) => {
					const shard = this.#createShard(shardId, link);
					this.#shards.set(shardId, shard);
					return shard;
				});
				this.sessions.set(id, session);
			}
		}
		await Promise.all([...this.sessions.values()].map((session) => session.restore({ withWorkers })));
		this.#isListening = true;
	}

	/** The name of a guild in the state that workers are given. */
	nameOf(guildId: string): unknown {
		return this.#shards.get(shardIdForGuild(guildId, this.#layout.totalShards))?.guild(guildId)?.name;
	}

	/** A worker's client connects. */
	accept(incarnation: number, events: WireEvents): GatewayWire {
		const { clock } = this.process;
		const line = new SimulatedLine(clock);
		const delayMs = () => 1 + this.#options.random.upTo(8);
		const wire = { close: () => events.closed() };
		this.#wires.add(wire);
		const transport: FrameTransport = {
			send: (frame) => this.process.isAlive && events.frame(frame),
			close: () => events.closed(),
			terminate: () => events.closed(),
		};
		const id = ++this.#lastConnection;
		const info = { id, remoteAddress: '', host: '', path: paths.of(incarnation), version: 10, compression: 'none' as const };
		const connection = new GatewayConnection(info, transport, {
			clock,
			backend: this.#backend,
			sessions: this.#clients,
			rules: { ...defaultRules, heartbeatTimeoutMs: 1e9, sendLimit: { limit: Number.POSITIVE_INFINITY, windowMs: 60_000 } },
			observe: () => {},
			onClosed: () => this.#wires.delete(wire),
			enablePayloadCompression: () => {},
		});
		return {
			send: (frame) => line.add(delayMs(), () => connection.receive(Buffer.from(frame), false)),
			drop: () => line.add(delayMs(), () => connection.closed(1006)),
		};
	}

	/** A worker has died; this incarnation follows. */
	expect(shardIds: readonly number[], incarnation: number): void {
		for (const id of shardIds) this.#shards.get(id)?.admitOnly(incarnation, { crashed: true });
	}

	workerReady(shardIds: readonly number[], incarnation: number): void {
		for (const id of shardIds) this.#shards.get(id)?.workerReady(incarnation);
	}

	/** As in the real process: see `ResidentGateway.reshard`. */
	async reshard({ group, groups, to }: { group: number; groups: number; to: number }): Promise<void> {
		const { totalShards } = this.#layout;
		const shardIds = Array.from({ length: totalShards / groups }, (_, index) => group + index * groups);
		const present = [...this.sessions.values()].filter(({ shards }) => shards.some(({ id }) => shardIds.includes(id)));
		if (present.every(({ of }) => of === to)) return;
		const layout = { ...this.#layout, sessions: to };
		const successors = sessionsOfShards(layout, shardIds).map((id) =>
			this.#construct(id, to, (shardId) => this.#shards.get(shardId) as ResidentShard),
		);
		const takeover = new Takeover({
			from: present,
			to: successors,
			clock: this.process.clock,
			buffer,
			withinMs: 60_000,
			signal: this.#stopping.signal,
			record: (replacing) => this.#record.add(replacing),
			unrecord: (replacing) => this.#record.undo(replacing),
			onDrift: ({ drifted }) => this.#options.onDrift(drifted),
			onTaken: () => {
				for (const { id } of present) this.sessions.delete(id);
				for (const session of successors) this.sessions.set(session.id, session);
			},
		});
		const done = takeover.run();
		this.#takeovers.add(done);
		try {
			const { pausedMs } = await done;
			this.#options.onPause(pausedMs);
			this.#options.onNotice(`group ${group} of ${groups} has ${to} sessions, after a pause of ${pausedMs} ms`);
		} finally {
			this.#takeovers.delete(done);
		}
	}

	/** One of its connections to Discord breaks. */
	breakConnection(): void {
		this.#options.random.of(this.#upstreams).breakConnection();
	}

	/** Discord ends one of its sessions. */
	loseSession(): void {
		this.#options.random.of(this.#upstreams).loseSession();
	}

	kill(): void {
		this.process.kill();
		for (const wire of this.#wires) wire.close();
	}

	/** Saves everything and ends. */
	async stop(): Promise<void> {
		this.#stopping.abort(new ShardctlError('MANAGER_STOPPED', 'the gateway process is stopping'));
		await Promise.allSettled(this.#takeovers);
		await Promise.all([...this.sessions.values()].map((session) => session.stop({ keepSession: true })));
		this.kill();
	}

	#construct(id: number, of: number, createShard: (shardId: number, session: ResidentSession) => ResidentShard): ResidentSession {
		const layout = { ...this.#layout, sessions: of };
		const { discord, random, onNotice } = this.#options;
		return new ResidentSession({
			id,
			shardIds: shardsOfSession(layout, id, this.#shardIds),
			layout,
			createShard: (shardId, link) => createShard(shardId, link as ResidentSession),
			createUpstream: (events) => {
				const upstream = new SimulatedUpstream({ discord, process: this.process, random: random.fork(), shard: id, of, events });
				this.#upstreams.push(upstream);
				return upstream;
			},
			continued: (shardId, savedWith) => this.#record.continued(shardId, savedWith),
			onRefused: () => {},
			notice: ({ kind, message }) => onNotice(`session ${id} of ${of} ${kind}: ${message}`),
		});
	}

	#createShard(shardId: number, session: ResidentSession): ResidentShard {
		const { workers, manager, onNotice } = this.#options;
		const worker = workers.find(({ shardIds }) => shardIds.includes(shardId));
		return new ResidentShard({
			shardId,
			layout: this.#layout,
			session,
			incarnation: worker?.incarnation ?? 0,
			workerIsReady: worker?.isReady ?? true,
			delivery: 'at-least-once',
			buffer,
			clock: this.process.clock,
			bot: '9',
			manager,
			store: this.#snapshots,
			workerSessions: () => this.#clients,
			resumeUrl: (of) => `ws://127.0.0.1:1${paths.of(of)}`,
			onConnection: () => {},
			notice: (kind, message) => onNotice(`shard ${shardId} ${kind}: ${message}`),
		});
	}
}

/** A disk: each operation takes some time, and a process that is killed meanwhile does not know whether it has happened. */
class SlowStore implements SnapshotStore {
	readonly #store: MemorySnapshotStore;
	readonly #process: SimulatedProcess;
	readonly #options: SimulatedGatewayOptions;
	readonly #random: Random;

	constructor(process: SimulatedProcess, options: SimulatedGatewayOptions) {
		this.#store = new MemorySnapshotStore(options.content);
		this.#process = process;
		this.#options = options;
		this.#random = options.random.fork();
	}

	/** A later one than that of any process before. */
	get nextFence(): string {
		return String(Number(this.#options.content.fence) + 1);
	}

	async claim(fence: string): Promise<void> {
		await this.#pass(5);
		await this.#store.claim(fence);
	}

	async read(name: string): Promise<Uint8Array | undefined> {
		await this.#pass(5);
		return this.#store.read(name);
	}

	async write(name: string, data: Uint8Array | readonly Uint8Array[], fence: string): Promise<void> {
		this.#options.onWrite(name);
		await this.#pass(15);
		await this.#store.write(name, data, fence);
		await this.#pass(15);
	}

	async append(name: string, data: Uint8Array, fence: string): Promise<void> {
		await this.#pass(10);
		await this.#store.append(name, data, fence);
		await this.#pass(10);
	}

	async remove(name: string, fence: string): Promise<void> {
		await this.#pass(5);
		await this.#store.remove(name, fence);
	}

	#pass(mostMs: number): Promise<void> {
		return new Promise((resolve) => this.#process.clock.setTimeout(resolve, this.#random.upTo(mostMs)));
	}
}
