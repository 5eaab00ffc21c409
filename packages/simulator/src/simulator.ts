// createSimulator: puts the world, the gateway and REST behind one HTTP server, and owns all of it until stop().
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { ShardctlError } from '@shardctl/core';
import { GatewayServer } from '@shardctl/gateway-protocol';
import { Activity } from './activity/activity.js';
import { ControlApi } from './control/control-api.js';
import { type EmitOptions, emit } from './emit.js';
import { EventLog, type LogEntry } from './event-log.js';
import { Conditions } from './faults/conditions.js';
import { faultLayer } from './faults/fault-layer.js';
import { Faults } from './faults/faults.js';
import { ClientRequests } from './gateway/client-requests.js';
import { EventRouter } from './gateway/event-router.js';
import { IdentifyGate } from './gateway/identify-gate.js';
import { MemberRequests } from './gateway/member-requests.js';
import { dailySessionStarts, SessionBudget } from './gateway/session-budget.js';
import { WorldBackend } from './gateway/world-backend.js';
import { recordObservation } from './observations.js';
import { type ResolvedSimulatorOptions, resolveSimulatorOptions, type SimulatorOptions } from './options.js';
import { RateLimits } from './rest/rate-limits.js';
import { RestHandler, send } from './rest/rest-handler.js';
import type { GatewayFacts } from './rest/route.js';
import { discordRoutes } from './rest/routes/index.js';
import { readState, type SimulatorState } from './state.js';
import { applicationFlagsFor } from './world/application-flags.js';
import { hash, randomStream } from './world/random.js';
import { World } from './world/world.js';

/** Kinds of violations that Discord does not enforce, only asks for. */
const softViolations: ReadonlySet<string> = new Set(['identify-order']);

export class Simulator implements AsyncDisposable {
	readonly world: World;
	readonly log: EventLog;
	/** Faults on demand and by schedule. */
	readonly faults: Faults;
	/** What goes on in the guilds by itself. */
	readonly activity: Activity;
	readonly #options: ResolvedSimulatorOptions;
	readonly #gate: IdentifyGate;
	readonly #budget: SessionBudget;
	readonly #router: EventRouter;
	readonly #backend: WorldBackend;
	readonly #requests: ClientRequests;
	readonly #gateway: GatewayServer;
	readonly #rest: RestHandler;
	readonly #control: ControlApi;
	readonly #server: Server;
	#token: string;
	#recommendedShards: number | undefined;
	#stopped: Promise<void> | undefined;

	/** Use {@link createSimulator}, which also listens. */
	constructor(options: ResolvedSimulatorOptions) {
		const { clock, sessionStarts } = options;
		const nowMs = clock.monotonic();
		this.#options = options;
		this.#recommendedShards = options.shards;
		this.log = new EventLog(clock, options.logCapacity);
		this.world = new World({
			seed: options.seed,
			guilds: options.guilds,
			guildSizes: options.guildSizes,
			population: options.population,
			clock,
			applicationFlags: applicationFlagsFor(options.grantedIntents),
			onEvent: (event) => this.#router.route(event),
		});
		this.#token = options.token?.replace(/^Bot /, '') ?? newToken(this.world.bot.id);
		this.#router = new EventRouter(() => this.world.bot.id);
		this.#gate = new IdentifyGate({ maxConcurrency: options.maxConcurrency, windowMs: options.identifyWindowMs });
		this.#budget = new SessionBudget({
			total: sessionStarts.total ?? (options.largeBot ? dailySessionStarts(Math.max(options.guilds, 150_001)) : 1000),
			...(sessionStarts.remaining !== undefined && { remaining: sessionStarts.remaining }),
			...(sessionStarts.resetAfterMs !== undefined && { resetAfterMs: sessionStarts.resetAfterMs }),
			windowMs: sessionStarts.windowMs,
			nowMs,
		});
		const members = new MemberRequests({ world: this.world, log: this.log, intervalMs: options.memberChunkIntervalMs });
		this.#requests = new ClientRequests(this.world, members);
		this.#backend = new WorldBackend({
			world: this.world,
			router: this.#router,
			gate: this.#gate,
			budget: this.#budget,
			log: this.log,
			token: () => this.#token,
			grantedIntents: options.grantedIntents,
			maxGuildsPerShard: options.maxGuildsPerShard,
			shardMultiple: this.#shardMultiple(),
			resumeUrl: (host) => `ws://${this.#reachableHost(host)}/resume`,
			onBudgetExhausted: () => this.#budgetExhausted(),
			onRequest: (session, request) => this.#requests.handle(session, request),
		});
		const conditions = new Conditions(clock, randomStream(hash(options.seed, 50)));
		this.#gateway = new GatewayServer({
			backend: this.#backend,
			clock,
			rules: {
				heartbeatIntervalMs: options.heartbeatIntervalMs,
				heartbeatTimeoutMs: options.heartbeatIntervalMs * options.heartbeatGraceFactor,
				heartbeatCloseCode: options.heartbeatCloseCode,
				sendLimit: { limit: options.sendLimit, windowMs: 60_000 },
				presenceLimit: { limit: options.presenceLimit, windowMs: 20_000 },
			},
			sessionTtlMs: options.sessionTtlMs,
			replay: options.replay,
			observe: (observation) => recordObservation(this.log, observation),
			layer: ({ id }) => faultLayer({ clock, conditions, connection: () => this.#gateway.connections.get(id) }),
		});
		this.faults = new Faults({
			world: this.world,
			gateway: this.#gateway,
			budget: this.#budget,
			gate: this.#gate,
			log: this.log,
			conditions,
			recommendShards: (shards) => {
				this.#recommendedShards = shards;
			},
		});
		this.#rest = new RestHandler({
			world: this.world,
			log: this.log,
			routes: discordRoutes,
			token: () => this.#token,
			gateway: (host) => this.#gatewayFacts(this.#reachableHost(host)),
			conditions,
			limits: new RateLimits({ clock, ...options.rest }),
		});
		this.activity = new Activity({ world: this.world, random: randomStream(hash(options.seed, 51)) });
		this.#control = new ControlApi(this);
		this.#server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => this.#handle(request, response));
		this.#server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => this.#upgrade(request, socket, head));
	}

	/** Base URL of REST, without a version, as `https://discord.com/api` is. */
	get url(): string {
		return `http://${this.#host()}/api`;
	}

	/** The token that is valid now; it changes when the session starts are used up in mode "reset". */
	get token(): string {
		return this.#token;
	}

	get port(): number {
		return (this.#server.address() as AddressInfo | null)?.port ?? 0;
	}

	/** How it stands, as plain JSON. */
	state(): SimulatorState {
		return readState({
			world: this.world,
			gateway: this.#gateway,
			backend: this.#backend,
			budget: this.#budget,
			gate: this.#gate,
			router: this.#router,
			log: this.log,
			facts: this.#gatewayFacts(this.#host()),
		});
	}

	/**
	 * What clients did against Discord's rules. `kind` tells which rule: `identify-window`, `identify-budget`, `protocol`, and
	 * `identify-order`, which Discord asks for and does not enforce; `{ hardOnly: true }` leaves that out.
	 */
	violations({ hardOnly = false }: { hardOnly?: boolean } = {}): LogEntry[] {
		return this.log.entries({ type: 'violation' }).filter(({ kind }) => !hardOnly || !softViolations.has(String(kind)));
	}

	/** Makes an event happen in the world; see {@link EmitOptions}. Answers the id of what came into being. */
	emit(type: string, data: Record<string, unknown> = {}, options: EmitOptions = {}): string | undefined {
		return emit(this.world, type, data, options);
	}

	/** Closes everything; nothing of the simulator lives on afterwards. Every call answers the same promise. */
	stop(): Promise<void> {
		this.#stopped ??= this.#stop();
		return this.#stopped;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop();
	}

	/** Listens; {@link createSimulator} calls it once. */
	async listen(): Promise<void> {
		const { port, host } = this.#options;
		await new Promise<void>((resolve, reject) => {
			this.#server.once('error', (error: NodeJS.ErrnoException) => {
				const taken = error.code === 'EADDRINUSE';
				const message = taken
					? `port ${port} of ${host} is taken; choose another or 0`
					: `cannot listen on ${host}:${port}: ${error.message}`;
				reject(new ShardctlError('ADDRESS_IN_USE', message, { cause: error, details: { host, port } }));
			});
			this.#server.listen(port, host, resolve);
		});
		this.activity.start(this.#options.eventsPerSecond);
	}

	async #stop(): Promise<void> {
		this.activity.stop();
		this.faults.clear();
		await this.#gateway.stop();
		if (!this.#server.listening) return;
		const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
		this.#server.closeAllConnections();
		await closed;
	}

	#host(): string {
		const { host } = this.#options;
		const name = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host;
		return `${name.includes(':') ? `[${name}]` : name}:${this.port}`;
	}

	/** The name under which a client reaches us: on loopback our own, else the one by which it found us. */
	#reachableHost(asked: string): string {
		return this.#options.allowRemote && asked !== '' ? asked : this.#host();
	}

	#shardMultiple(): number {
		const { largeBot } = this.#options;
		return largeBot === false ? 1 : largeBot === true ? 16 : largeBot.multiple;
	}

	#gatewayFacts(host: string): GatewayFacts {
		const multiple = this.#shardMultiple();
		const needed = Math.max(1, Math.ceil(this.world.guilds.count / 1000));
		return {
			url: `ws://${host}`,
			shards: this.#recommendedShards ?? Math.ceil(needed / multiple) * multiple,
			sessionStarts: this.#budget.read(this.world.clock.monotonic()),
			maxConcurrency: this.#gate.maxConcurrency,
		};
	}

	#budgetExhausted(): 'op 9' | 'token was reset' {
		if (this.#options.sessionStarts.onExhausted === 'soft') return 'op 9';
		this.#token = newToken(this.world.bot.id);
		for (const connection of this.#gateway.connections.values()) {
			if (connection.session) connection.close(4004, 'the token was reset');
		}
		this.#gateway.sessions.endAll('invalidated');
		return 'token was reset';
	}

	#handle(request: IncomingMessage, response: ServerResponse): void {
		const door = request.url?.startsWith('/simulator') ? this.#control : this.#rest;
		door.handle(request, response).catch((error: unknown) => {
			// A client that hangs up midway is no fault of ours, and gets no answer.
			send(response, { status: 500, body: { message: `the simulator failed: ${String(error)}`, code: 0 } });
		});
	}

	#upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
		// The socket may fail before a WebSocket takes it over.
		socket.on('error', () => socket.destroy());
		const path = new URL(request.url ?? '/', 'ws://simulator').pathname.replace(/\/+$/, '');
		if (path === '' || path === '/resume') this.#gateway.handleUpgrade(request, socket, head);
		else socket.end('HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
	}
}

/** The shape of a bot token: the bot's id, a time and a signature. */
function newToken(botId: string): string {
	return `${Buffer.from(botId).toString('base64url')}.${randomBytes(4).toString('base64url')}.${randomBytes(28).toString('base64url')}`;
}

/**
 * Starts a local Discord and resolves when it listens. The caller stops it (`stop()` or `await using`).
 *
 * @throws {ShardctlError} `OPTIONS_INVALID` with every problem, `ADDRESS_IN_USE` when the port is taken.
 * @example
 * await using sim = await createSimulator({ guilds: 100 });
 * const client = new Client({ intents: ['Guilds'], rest: { api: sim.url } });
 * await client.login(sim.token);
 */
export async function createSimulator(options: SimulatorOptions = {}): Promise<Simulator> {
	const simulator = new Simulator(resolveSimulatorOptions(options));
	await simulator.listen();
	return simulator;
}
