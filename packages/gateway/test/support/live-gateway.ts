// A real gateway process for the equality test, with the test as the manager: it holds the port, grants identify slots, and
// starts the next process when one was killed.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import {
	type GatewayConfig,
	type GatewayEvents,
	type GatewayManagerMethods,
	type GatewayMethods,
	type GatewayNotice,
	gatewayConfigVariable,
	WorkerPaths,
} from '@shardctl/core';
import { ipcPort, Peer } from '@shardctl/rpc';

type GatewayPeer = Peer<GatewayManagerMethods, GatewayMethods, Record<never, never>, GatewayEvents>;

type Config = Omit<GatewayConfig, 'epoch' | 'port' | 'workers'>;

const processFile = fileURLToPath(new URL('../../dist/process/main.js', import.meta.url));

export class LiveGateway {
	readonly notices: GatewayNotice[] = [];
	readonly #config: Config;
	readonly #door: Server;
	readonly #waiting = new Map<number, Socket>();
	#process: { child: ChildProcess; peer: GatewayPeer } | undefined;
	#epoch = 0;
	#connections = 0;
	#slots = 0;
	#ready: Promise<void> = Promise.resolve();
	#away = false;
	/** The admitted incarnation, by shard, and whether it is ready. */
	readonly #expected = new Map<number, { incarnation: number; ready: boolean }>();

	constructor(config: Config) {
		this.#config = config;
		this.#door = createServer({ pauseOnConnect: true }, (socket) => {
			const id = ++this.#connections;
			socket.on('error', () => socket.destroy());
			this.#waiting.set(id, socket);
			void this.#ready.then(() => this.#pass(id, socket));
		});
	}

	/** Whether there is no process that workers could be connected to. */
	get isAway(): boolean {
		return this.#away;
	}

	/** Resolves when workers can connect. */
	async open(): Promise<void> {
		await new Promise<void>((resolve) => this.#door.listen(0, '127.0.0.1', resolve));
		this.#ready = this.#start();
		await this.#ready;
	}

	/** Base URL of the REST API by which one incarnation of a worker finds the gateway. */
	api(incarnation: number): string {
		return `http://127.0.0.1:${this.#port}${new WorkerPaths(this.#config.pathSecret).of(incarnation)}/api`;
	}

	/** It is admitted already; the next process has to know. */
	noteExpected(shardId: number, incarnation: number, { ready }: { ready: boolean }): void {
		this.#expected.set(shardId, { incarnation, ready });
	}

	/** Sends a request to the process, and again to its successor if it was replaced in between. */
	async request<M extends keyof GatewayMethods & string>(method: M, params: GatewayMethods[M]['params']): Promise<void> {
		await this.#ready;
		const asked = this.#process;
		try {
			await asked?.peer.request(method, params, { timeoutMs: 60_000 });
		} catch (error) {
			await this.#ready;
			if (this.#process === asked) throw error;
			await this.request(method, params);
		}
	}

	/** Ends the process, with a request or by a signal, and starts the next one. */
	async replace({ kill }: { kill: boolean }): Promise<void> {
		const { child, peer } = this.#process as { child: ChildProcess; peer: GatewayPeer };
		const gone = once(child, 'exit');
		let started!: () => void;
		this.#ready = new Promise((resolve) => {
			started = resolve;
		});
		this.#away = true;
		if (kill) child.kill('SIGKILL');
		else await peer.request('shutdown', { reason: 'test', keepSessions: true }, { timeoutMs: 60_000 });
		await gone;
		await this.#start();
		for (const [id, socket] of this.#waiting) this.#pass(id, socket);
		this.#away = false;
		started();
	}

	/** Admits an incarnation of a worker, and no earlier one any more. */
	async expect(shardId: number, incarnation: number): Promise<void> {
		this.noteExpected(shardId, incarnation, { ready: false });
		await this.request('worker.expect', { incarnation, shardIds: [shardId], crashed: true });
	}

	/** An incarnation that was expected is ready. */
	async noteReady(shardId: number, incarnation: number): Promise<void> {
		this.noteExpected(shardId, incarnation, { ready: true });
		await this.request('worker.ready', { incarnation, shardIds: [shardId] });
	}

	async close(): Promise<void> {
		const child = this.#process?.child;
		if (child && child.exitCode === null && child.signalCode === null) {
			const gone = once(child, 'exit');
			child.kill('SIGKILL');
			await gone;
		}
		for (const socket of this.#waiting.values()) socket.destroy();
		// Its callback is never called after sockets were sent to a process that is gone.
		this.#door.close();
	}

	async #start(): Promise<void> {
		const epoch = ++this.#epoch;
		const workers = [...this.#expected].map(([shardId, worker]) => ({ ...worker, shardIds: [shardId] }));
		const config: GatewayConfig = { ...this.#config, epoch, port: this.#port, workers };
		const env = { ...process.env, DISCORD_TOKEN: 'token', [gatewayConfigVariable]: JSON.stringify(config) };
		const child = fork(processFile, { env, execArgv: [] });
		const peer: GatewayPeer = new Peer({ port: ipcPort(child), epoch });
		peer.handle('identify.acquire', () => ({ slotId: ++this.#slots }));
		peer.on('notice', (notice) => this.notices.push(notice));
		peer.on('connection.taken', ({ id }) => {
			this.#waiting.get(id)?.destroy();
			this.#waiting.delete(id);
		});
		this.#process = { child, peer };
		await new Promise<void>((resolve, reject) => {
			peer.on('listening', () => resolve());
			child.once('exit', (code) => reject(new Error(`the gateway process ended with ${code}`)));
		});
	}

	#pass(id: number, socket: Socket): void {
		if (this.#waiting.has(id)) this.#process?.child.send({ shardctlConnection: id }, socket, { keepOpen: true }, () => {});
	}

	get #port(): number {
		return (this.#door.address() as AddressInfo).port;
	}
}
