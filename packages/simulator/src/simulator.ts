// createSimulator: puts the world, the gateway and REST behind one HTTP server, and owns all of it until stop().
import { GatewayServer } from '@shardctl/gateway-protocol';
import { Activity } from './activity/activity.js';
import { Admission } from './admission.js';
import { BotToken } from './bot-token.js';
import { ControlApi } from './control/control-api.js';
import { discordGatewayUrl, isDiscordName } from './discord-names.js';
import { type EmitOptions, emit } from './emit.js';
import { EventLog, type LogEntry } from './event-log.js';
import { Conditions } from './faults/conditions.js';
import { faultLayer } from './faults/fault-layer.js';
import { Faults } from './faults/faults.js';
import { recommendedShards, sessionBudget, shardMultiple } from './gateway/bot-size.js';
import { ClientRequests } from './gateway/client-requests.js';
import { EventRouter } from './gateway/event-router.js';
import { IdentifyGate } from './gateway/identify-gate.js';
import { MemberRequests } from './gateway/member-requests.js';
import type { SessionBudget } from './gateway/session-budget.js';
import { WorldBackend } from './gateway/world-backend.js';
import { HttpDoor } from './http-door.js';
import { recordObservation } from './observations.js';
import { type ResolvedSimulatorOptions, resolveSimulatorOptions, type SimulatorOptions } from './options.js';
import { RateLimits } from './rest/rate-limits.js';
import { RestHandler } from './rest/rest-handler.js';
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
	/** Background events in the guilds. */
	readonly activity: Activity;
	readonly #options: ResolvedSimulatorOptions;
	readonly #gate: IdentifyGate;
	readonly #budget: SessionBudget;
	readonly #router: EventRouter;
	readonly #backend: WorldBackend;
	readonly #requests: ClientRequests;
	readonly #gateway: GatewayServer;
	readonly #door: HttpDoor;
	readonly #token: BotToken;
	#recommendedShards: number | undefined;
	#stopped: Promise<void> | undefined;

	/** Use {@link createSimulator}, which also listens. */
	constructor(options: ResolvedSimulatorOptions) {
		const { clock } = options;
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
			botPermissions: options.botPermissions,
			applicationFlags: applicationFlagsFor(options.grantedIntents),
			onEvent: (event) => this.#router.route(event),
		});
		this.#token = new BotToken({ given: options.token, botId: this.world.bot.id, any: options.anyToken });
		this.#router = new EventRouter(() => this.world.bot.id);
		this.#gate = new IdentifyGate({ maxConcurrency: options.maxConcurrency, windowMs: options.identifyWindowMs });
		this.#budget = sessionBudget(options, nowMs);
		const members = new MemberRequests({ world: this.world, log: this.log, intervalMs: options.memberChunkIntervalMs });
		this.#requests = new ClientRequests(this.world, members);
		this.#backend = new WorldBackend({
			world: this.world,
			router: this.#router,
			gate: this.#gate,
			budget: this.#budget,
			log: this.log,
			acceptsToken: (token) => this.#token.accepts(token),
			grantedIntents: options.grantedIntents,
			maxGuildsPerShard: options.maxGuildsPerShard,
			shardMultiple: shardMultiple(options),
			resumeUrl: (host) => `ws://${this.#door.addressFor(host)}/resume`,
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
		this.activity = new Activity({ world: this.world, random: randomStream(hash(options.seed, 51)) });
		this.#door = new HttpDoor({
			...options,
			admission: new Admission(options),
			rest: new RestHandler({
				world: this.world,
				log: this.log,
				routes: discordRoutes,
				authorizes: (header) => this.#token.authorizes(header),
				gateway: (host) => this.#gatewayFacts(isDiscordName(host) ? discordGatewayUrl : `ws://${this.#door.addressFor(host)}`),
				conditions,
				limits: new RateLimits({ clock, ...options.rest }),
			}),
			control: new ControlApi(this),
			upgrade: (request, socket, head) => this.#gateway.handleUpgrade(request, socket, head),
			onClosed: (detail) => this.log.add('refused', { detail }),
		});
	}

	/** Base URL of REST, without a version, as `https://discord.com/api` is. */
	get url(): string {
		return `http://${this.#door.address}/api`;
	}

	/** The token that is valid now; it changes when the session starts are used up in mode "reset". */
	get token(): string {
		return this.#token.value;
	}

	get port(): number {
		return this.#door.port;
	}

	/** Sessions, budget and counts, as plain JSON. */
	state(): SimulatorState {
		return readState({
			world: this.world,
			gateway: this.#gateway,
			backend: this.#backend,
			budget: this.#budget,
			gate: this.#gate,
			router: this.#router,
			log: this.log,
			facts: this.#gatewayFacts(this.#door.address),
		});
	}

	/**
	 * What clients did against Discord's rules. `kind` names the rule: `identify-window`, `identify-budget`, `protocol`, and
	 * `identify-order`, which Discord asks for and does not enforce; `{ hardOnly: true }` leaves that out.
	 */
	violations({ hardOnly = false }: { hardOnly?: boolean } = {}): LogEntry[] {
		return this.log.entries({ type: 'violation' }).filter(({ kind }) => !hardOnly || !softViolations.has(String(kind)));
	}

	/** Makes an event happen in the world; see {@link EmitOptions}. Returns the id of what came into being. */
	emit(type: string, data: Record<string, unknown> = {}, options: EmitOptions = {}): string | undefined {
		return emit(this.world, type, data, options);
	}

	/** Closes everything; no timer, socket or handle of the simulator is left. Every call returns the same promise. */
	stop(): Promise<void> {
		this.#stopped ??= this.#stop();
		return this.#stopped;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop();
	}

	/** Listens; {@link createSimulator} calls it once. */
	async listen(): Promise<void> {
		await this.#door.listen();
		this.activity.start(this.#options.eventsPerSecond);
	}

	async #stop(): Promise<void> {
		this.activity.stop();
		this.faults.clear();
		await this.#gateway.stop();
		await this.#door.close();
	}

	#gatewayFacts(url: string): GatewayFacts {
		return {
			url,
			shards: this.#recommendedShards ?? recommendedShards(this.world.guilds.count, shardMultiple(this.#options)),
			sessionStarts: this.#budget.read(this.world.clock.monotonic()),
			maxConcurrency: this.#gate.maxConcurrency,
		};
	}

	#budgetExhausted(): 'op 9' | 'token was reset' {
		if (this.#options.sessionStarts.onExhausted === 'soft') return 'op 9';
		this.#token.reset();
		for (const connection of this.#gateway.connections.values()) {
			if (connection.session) connection.close(4004, 'the token was reset');
		}
		this.#gateway.sessions.endAll('invalidated');
		return 'token was reset';
	}
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
