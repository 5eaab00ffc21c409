// A real gateway process on a simulated Discord, with the test as the manager, and transparent clients as
// workers.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { inflateSync } from 'node:zlib';
import {
	type GatewayConfig,
	type GatewayEvents,
	type GatewayManagerMethods,
	type GatewayMethods,
	type GatewayNotice,
	type GatewaySessionStats,
	type GatewayShardStats,
	gatewayConfigVariable,
} from '@shardctl/core';
import { ipcPort, Peer } from '@shardctl/rpc';
import { createSimulator, type Simulator, type SimulatorOptions } from '@shardctl/simulator';
import { tempDir, waitFor } from '@shardctl/test-support';
import { expect, onTestFinished } from 'vitest';
import WebSocket from 'ws';
import { Inflater } from '../../src/upstream/inflater.js';

const entry = fileURLToPath(new URL('../../dist/process/main.js', import.meta.url));

/** GUILDS, GUILD_MESSAGES and MESSAGE_CONTENT. */
export const intents = 1 | 512 | 32_768;

export interface Setup {
	shards?: number;
	simulator?: SimulatorOptions;
	config?: Partial<GatewayConfig>;
	execArgv?: string[];
	/** The test forks the process itself. */
	fork?: boolean;
}

export class GatewayProcess {
	readonly simulator: Simulator;
	readonly notices: GatewayNotice[] = [];
	readonly config: GatewayConfig;
	readonly #execArgv: string[];
	#child!: ChildProcess;
	#peer!: Peer<GatewayManagerMethods, GatewayMethods, Record<never, never>, GatewayEvents>;
	#slots = 0;
	port = 0;

	private constructor(simulator: Simulator, config: GatewayConfig, execArgv: string[]) {
		this.simulator = simulator;
		this.config = config;
		this.#execArgv = execArgv;
	}

	static async start({
		shards = 2,
		simulator: world = {},
		config = {},
		execArgv = [],
		fork: forks = true,
	}: Setup = {}): Promise<GatewayProcess> {
		const simulator = await createSimulator({
			guilds: 8,
			shards,
			guildSizes: { min: 2, max: 5 },
			identifyWindowMs: 1,
			...world,
		});
		const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 16 };
		const gateway = new GatewayProcess(
			simulator,
			{
				gatewayId: 0,
				epoch: 1,
				shardIds: Array.from({ length: shards }, (_, id) => id),
				layout: { generation: 0, totalShards: shards, sessions: shards },
				api: simulator.url,
				gateway: { url: `ws://127.0.0.1:${simulator.port}`, shards, session_start_limit: limit },
				port: 0,
				snapshotDir: tempDir('shardctl-gateway-'),
				delivery: 'at-most-once',
				buffer: { events: 50_000, bytes: 64 * 2 ** 20, ageMs: 600_000 },
				compression: 'zlib-stream',
				workers: [],
				...config,
			},
			execArgv,
		);
		onTestFinished(async () => {
			if (gateway.#child) await gateway.kill();
			await simulator.stop();
		});
		if (forks) await gateway.fork();
		return gateway;
	}

	get pid(): number {
		return this.#child.pid as number;
	}

	/** Takes a port of its own, as without a manager that holds one. */
	async fork(): Promise<void> {
		this.#child = this.#forkChild();
		this.#peer = new Peer({ port: ipcPort(this.#child), epoch: this.config.epoch });
		this.#peer.handle('identify.acquire', () => ({ slotId: ++this.#slots }));
		this.#peer.on('notice', (notice) => this.notices.push(notice));
		this.port = await new Promise<number>((resolve, reject) => {
			this.#peer.on('listening', ({ port }) => resolve(port));
			this.#child.once('exit', (code) => reject(new Error(`the gateway process ended with ${code}`)));
		});
	}

	#forkChild(): ChildProcess {
		const { DISCORD_TOKEN: _, ...environment } = process.env;
		const config = JSON.stringify(this.config);
		return fork(entry, {
			execArgv: this.#execArgv,
			env: { ...environment, DISCORD_TOKEN: this.simulator.token, [gatewayConfigVariable]: config },
		});
	}

	/** The manager exits; resolves with the gateway's exit code. */
	abandon(): Promise<number | null> {
		const left = new Promise<number | null>((resolve) => this.#child.once('exit', resolve));
		this.#child.disconnect();
		return left;
	}

	/** A process whose manager exits before it has booted; resolves with the exit code. */
	forkAbandoned(): Promise<number | null> {
		this.#child = this.#forkChild();
		return this.abandon();
	}

	async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
		if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
		const gone = new Promise((resolve) => this.#child.once('exit', resolve));
		this.#child.kill(signal);
		await gone;
		this.#peer.close();
	}

	signal(signal: NodeJS.Signals): void {
		this.#child.kill(signal);
	}

	request<M extends keyof GatewayMethods & string>(
		method: M,
		params: GatewayMethods[M]['params'],
	): Promise<GatewayMethods[M]['result']> {
		return this.#peer.request(method, params, { timeoutMs: 60_000 });
	}

	async stats(shardId: number): Promise<GatewayShardStats> {
		const found = (await this.request('stats', null)).shards.find((shard) => shard.shardId === shardId);
		if (!found) throw new Error(`no shard ${shardId}`);
		return found;
	}

	async sessionStats(id: number): Promise<GatewaySessionStats> {
		const found = (await this.request('stats', null)).sessions.find((session) => session.id === id);
		if (!found) throw new Error(`no session ${id}`);
		return found;
	}

	noticed(kind: GatewayNotice['kind'], shardId?: number): Promise<GatewayNotice> {
		const find = () =>
			this.notices.find((notice) => notice.kind === kind && (shardId === undefined || notice.shardIds.includes(shardId)));
		return waitFor(`the notice ${kind}`, find).then(() => find() as GatewayNotice);
	}

	/** A guild of a shard. */
	guildOf(shardId: number): string {
		const [guildId] = this.simulator.world.guilds.ids({ id: shardId, count: this.config.layout.totalShards });
		return guildId as string;
	}

	/** What Discord has recorded of connections and sessions, and of violations of its rules. */
	upstream(): Upstream {
		const count = (type: 'identify' | 'resume' | 'close') => this.simulator.log.entries({ type }).length;
		return {
			identify: count('identify'),
			resume: count('resume'),
			close: count('close'),
			violations: this.simulator.violations({ hardOnly: true }).length,
		};
	}
}

type Upstream = Record<'identify' | 'resume' | 'close' | 'violations', number>;

export interface Frame {
	op: number;
	// biome-ignore lint/suspicious/noExplicitAny: tests look into whatever is sent
	d: any;
	s: number | null;
	t: string | null;
}

/** A client of the local gateway. It answers heartbeat requests, so that the stream flows. */
export class Client {
	readonly frames: Frame[] = [];
	readonly closed: Promise<number>;
	readonly socket: WebSocket;
	binaryMessages = 0;
	seq: number | null = null;
	/** Whether it answers heartbeat requests. */
	answers = true;

	private constructor(socket: WebSocket, compress: string | null) {
		this.socket = socket;
		const inflater = compress === 'zlib-stream' ? new Inflater() : undefined;
		socket.on('message', (data: Buffer, isBinary) => {
			if (isBinary) this.binaryMessages++;
			const text = !isBinary ? data.toString() : inflater ? inflater.push(data) : inflateSync(data).toString();
			if (text !== undefined) this.#take(JSON.parse(text) as Frame);
		});
		socket.on('error', () => {});
		this.closed = new Promise((resolve) => socket.once('close', resolve));
	}

	static async connect(port: number, { query = 'v=10&encoding=json', path = '/' } = {}): Promise<Client> {
		const socket = new WebSocket(`ws://127.0.0.1:${port}${path}?${query}`);
		onTestFinished(() => socket.terminate());
		const client = new Client(socket, new URLSearchParams(query).get('compress'));
		await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
		return client;
	}

	/** Connects and identifies; resolves at READY and its guilds. */
	static async ready(gateway: GatewayProcess, shardId: number, more: object = {}, query?: string): Promise<Client> {
		const client = await Client.connect(gateway.port, query === undefined ? {} : { query });
		client.identify(gateway, shardId, more);
		await waitFor('READY and the guilds', () => client.isReady);
		return client;
	}

	identify(gateway: GatewayProcess, shardId: number, more: object = {}): void {
		const { token } = gateway.simulator;
		const shard = [shardId, gateway.config.layout.totalShards];
		this.send({ op: 2, d: { token, properties: {}, intents, shard, ...more } });
	}

	send(payload: unknown): void {
		this.socket.send(typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload));
	}

	get isReady(): boolean {
		const ready = this.frames.findLast(({ t }) => t === 'READY');
		if (!ready) return false;
		return this.frames.filter(({ t }) => t === 'GUILD_CREATE').length >= ready.d.guilds.length;
	}

	get sessionId(): string {
		return this.frames.findLast(({ t }) => t === 'READY')?.d.session_id;
	}

	/** Contents of the received messages, as numbers. */
	get numbers(): number[] {
		return this.frames.filter(({ t }) => t === 'MESSAGE_CREATE').map(({ d }) => Number(d.content));
	}

	#take(frame: Frame): void {
		this.frames.push(frame);
		if (frame.s !== null) this.seq = frame.s;
		if (frame.op === 1 && this.answers) this.send({ op: 1, d: this.seq });
	}
}

/** Sends messages in a guild of one shard and checks that the client there receives each once, whatever else happens. */
export class Neighbour {
	readonly client: Client;
	readonly #gateway: GatewayProcess;
	readonly #shardId: number;
	readonly #timer: NodeJS.Timeout;
	readonly #upstream: Upstream;
	#sent = 0;

	constructor(gateway: GatewayProcess, shardId: number, client: Client) {
		this.#gateway = gateway;
		this.#shardId = shardId;
		this.client = client;
		this.#upstream = gateway.upstream();
		this.#timer = setInterval(() => this.say(), 5);
		onTestFinished(() => clearInterval(this.#timer));
	}

	static async beside(gateway: GatewayProcess, shardId: number): Promise<Neighbour> {
		return new Neighbour(gateway, shardId, await Client.ready(gateway, shardId));
	}

	say(): void {
		const guildId = this.#gateway.guildOf(this.#shardId);
		this.#gateway.simulator.emit('MESSAGE_CREATE', { content: String(++this.#sent) }, { guildId });
	}

	/** Stops sending; resolves when the last message has arrived. */
	async hush(): Promise<{ heard: number[]; said: number; before: Upstream; now: Upstream }> {
		clearInterval(this.#timer);
		await waitFor('the last word', () => this.client.numbers.length >= this.#sent);
		return { heard: this.client.numbers, said: this.#sent, before: this.#upstream, now: this.#gateway.upstream() };
	}
}

/** Fails unless every message arrived once, in order, and Discord has seen no other effect than this. */
export async function expectUndisturbed(neighbour: Neighbour, changes: Partial<Upstream> = {}): Promise<void> {
	const { heard, said, before, now } = await neighbour.hush();
	expect(heard).toEqual(Array.from({ length: said }, (_, n) => n + 1));
	const expected = Object.entries(before).map(([what, count]) => [what, count + (changes[what as keyof Upstream] ?? 0)]);
	expect(now).toEqual(Object.fromEntries(expected));
}
