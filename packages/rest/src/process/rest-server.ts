// The server of the REST process: who may ask, what is passed on, how much at a time, and the figures of it all. What becomes of one request
// is in forward/exchange.ts. It serves workers and no one else, and reaches nothing but the API.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import {
	type Clock,
	checkRequestTimeouts,
	deferred,
	guardListener,
	type LimitPart,
	type LimitWish,
	parseRequestTarget,
	RefusalNotices,
	type RestConfig,
	type RestFigures,
	type RestNotice,
	rawQuery,
	refuseRest,
	restFraming,
	restTarget,
	sleep,
	tokenCheck,
	UnprovenClients,
	WorkerPaths,
} from '@shardctl/core';
import { DiscordClient } from '../forward/discord-client.js';
import { Exchange, type ExchangeContext, limited } from '../forward/exchange.js';
import { restRoute } from '../forward/rest-route.js';
import { RouteQueues } from '../forward/route-queues.js';
import { ByteBudget } from '../limits/byte-budget.js';
import { GlobalGate } from '../limits/global-gate.js';
import { InvalidGuard } from '../limits/invalid-guard.js';
import { SharedTokens } from '../limits/shared-tokens.js';
import type { TokenSource } from '../limits/token-source.js';
import { TokenWindow } from '../limits/token-window.js';
import { Latencies } from './latencies.js';

/** Requests that are not answered yet; one more is refused, and may be sent again after a second. */
const mostAtOnce = 5000;
/** Memory for bodies, and the size up to which a body does not wait for it. */
const bufferBytes = { totalBytes: 128 * 2 ** 20, smallBytes: 64 * 2 ** 10 };
/** How long a request may wait here. Libraries take a request without an answer for lost after 15 s. */
const waitMs = 10_000;
/** Connections that have not shown that they are a worker's: one for each request that may run, and how long each may take for that. */
const unproven = { most: mostAtOnce, withinMs: 30_000 };
/** Of workers; other clients are closed before. */
const defaultRequestLimits = { headersTimeout: 30_000, requestTimeout: 300_000, connectionsCheckingInterval: 10_000 };
/** Longer than workers keep a connection without requests: a connection that closes while a request is on its way loses it. */
const keepAliveMs = 120_000;
/** How long the requests that Discord has may take at the end. */
const drainMs = 5000;
/** Without a request for this long, its connections are closed then; after the longer time in any case. */
const quietMs = 100;
const longestQuietMs = 1000;
/** One notice about the global limit in this time. */
const noticeIntervalMs = 60_000;
/** For a caller on a path of no worker. */
const noWorker = -1;

export interface RestServerOptions {
	config: RestConfig;
	token: string;
	clock: Clock;
	notice(notice: RestNotice): void;
	/** In a cluster: asks for this node's part of the global limit. */
	askLimit?(wish: LimitWish): Promise<LimitPart>;
	/** For tests (default: Discord's). */
	invalidLimit?: number;
	/** For tests. */
	requestLimits?: typeof defaultRequestLimits;
}

export class RestServer {
	readonly #options: RestServerOptions;
	readonly #api: URL;
	readonly #paths: WorkerPaths;
	readonly #isToken: (authorization: string | undefined) => boolean;
	readonly #http: Server;
	readonly #context: ExchangeContext;
	readonly #running = new Set<Exchange>();
	readonly #refusals: RefusalNotices;
	readonly #unproven: UnprovenClients;
	readonly #latencies = new Latencies();
	readonly #classes = new Map<string, number>();
	#requests = 0;
	#lastRequestAtMs = Number.NEGATIVE_INFINITY;
	#limited = 0;
	#guarded = false;
	#stopping: Promise<void> | undefined;
	/** It stops, and no request is left. */
	readonly #idle = deferred();
	readonly #noticedAt = new Map<RestNotice['kind'], number>();

	constructor(options: RestServerOptions) {
		const { config, token, clock, notice, invalidLimit, requestLimits = defaultRequestLimits } = options;
		this.#options = options;
		this.#api = new URL(`${config.api.replace(/\/+$/, '')}/`);
		this.#paths = new WorkerPaths(config.pathSecret);
		this.#isToken = tokenCheck(config.anyToken ? undefined : token);
		this.#context = {
			clock,
			client: new DiscordClient(this.#api),
			queues: new RouteQueues({ longestWaitMs: waitMs }),
			gate: new GlobalGate({ clock, tokens: tokensOf(options) }),
			guard: new InvalidGuard(invalidLimit),
			budget: new ByteBudget(bufferBytes),
			waitMs,
			onAnswer: (answer) => this.#onAnswer(answer),
		};
		// What the process before this one has sent counts for another second.
		if (config.epoch > 1) this.#context.gate.closeFor(1000);
		this.#refusals = new RefusalNotices(clock, (message) => notice({ kind: 'caller:refused', message }));
		this.#unproven = new UnprovenClients({
			clock,
			...unproven,
			failing: 'did not show that it is a worker',
			onClosed: (why) => this.#refusals.note(`closed a connection to the REST process: ${why}`),
		});
		this.#http = createServer(
			{ keepAliveTimeout: keepAliveMs, ...requestLimits },
			guardListener(
				(request: IncomingMessage, response: ServerResponse) => {
					response.on('error', () => {});
					this.#answer(request, response);
				},
				(_error, _request, response) => refuseRest(response, 500, 'the request could not be forwarded'),
			),
		);
		this.#http.on('connection', (socket: Socket) => this.#unproven.add(socket));
	}

	/** Resolves with the port: that of the manager, which passes connections on, or one of its own. */
	async start(): Promise<number> {
		const { port } = this.#options.config;
		if (port !== 0) {
			checkRequestTimeouts(this.#http);
			return port;
		}
		await new Promise<void>((resolve, reject) => {
			this.#http.once('error', reject);
			this.#http.listen(0, '127.0.0.1', () => {
				// A connection could not be accepted, such as for want of file descriptors: its client tries again.
				this.#http.on('error', () => {});
				resolve();
			});
		});
		return (this.#http.address() as AddressInfo).port;
	}

	/** A connection that the manager has accepted for this process; nothing was read from it. */
	take(socket: Socket): void {
		this.#http.emit('connection', socket);
		socket.resume();
	}

	figures(): RestFigures {
		const { clock } = this.#options;
		const { budget, guard } = this.#context;
		const { user, system } = process.cpuUsage();
		return {
			requests: this.#requests,
			queued: [...this.#running].filter(({ isWaiting }) => isWaiting).length,
			limited: this.#limited,
			invalid: guard.count(clock.monotonic()),
			guarded: this.#isGuarded(),
			globalPerSecond: this.#options.config.globalPerSecond,
			p50Ms: this.#latencies.percentile(0.5),
			p99Ms: this.#latencies.percentile(0.99),
			classes: Object.fromEntries(this.#classes),
			bufferedBytes: budget.used,
			rssBytes: process.memoryUsage.rss(),
			cpuSeconds: (user + system) / 1e6,
		};
	}

	/** Workers are asked to send again what Discord does not have; what Discord has is answered, or given up after a short time. Idempotent. */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async #stop(): Promise<void> {
		const { clock, client, gate, queues } = this.#context;
		for (const exchange of this.#running) exchange.callOff();
		if (this.#running.size > 0) {
			const timer = clock.setTimeout(() => this.#idle.resolve(), drainMs);
			await this.#idle.promise;
			clock.clearTimeout(timer);
		}
		await this.#untilQuiet();
		this.#refusals.stop();
		this.#unproven.stop();
		gate.stop();
		queues.stop();
		client.stop();
		this.#http.closeAllConnections();
		await new Promise<void>((resolve) => this.#http.close(() => resolve()));
	}

	/**
	 * A worker sends its next request as soon as it has an answer: one that is on its way now is read, and asked for again, before its connection
	 * is closed. It would be lost otherwise.
	 */
	async #untilQuiet(): Promise<void> {
		const { clock } = this.#options;
		const beganAtMs = clock.monotonic();
		for (;;) {
			const nowMs = clock.monotonic();
			const quietAtMs = Math.min(Math.max(beganAtMs, this.#lastRequestAtMs) + quietMs, beganAtMs + longestQuietMs);
			if (nowMs >= quietAtMs) return;
			await sleep(clock, quietAtMs - nowMs);
			// What has arrived meanwhile is read first.
			await new Promise((resolve) => setImmediate(resolve));
		}
	}

	#answer(request: IncomingMessage, response: ServerResponse): void {
		this.#lastRequestAtMs = this.#options.clock.monotonic();
		const target = parseRequestTarget(request.url);
		if (!target) {
			refuseRest(response, 400, 'the request target is not a path');
			return;
		}
		const worker = this.#paths.parse(target.path);
		// A request without a token may be right: interactions and webhooks carry theirs in the path.
		if (!(this.#paths.keyed && worker) && !this.#isToken(request.headers.authorization)) {
			this.#refusals.note('refused a client of the REST process without the token of the bot');
			refuseRest(response, 401, '401: Unauthorized');
			return;
		}
		this.#unproven.prove(request.socket);
		const onward = restTarget(this.#api, worker?.rest ?? target.path);
		if (!onward) {
			refuseRest(response, 400, 'the path is not one of the API');
			return;
		}
		const { method = '' } = request;
		const allowed = restFraming(method, request.headers);
		if ('refusal' in allowed) {
			refuseRest(response, allowed.refusal.status, allowed.refusal.message);
			return;
		}
		const path = (worker?.rest ?? target.path).replace(/^\/api(?=\/|$)/, '').replace(/^\/v\d+(?=\/|$)/, '');
		const route = restRoute(path);
		this.#requests++;
		this.#classes.set(route.class, (this.#classes.get(route.class) ?? 0) + 1);
		if (this.#stopping || this.#running.size >= mostAtOnce) {
			limited(response, 1000, { closing: this.#stopping !== undefined });
			return;
		}
		if (!route.isInteraction && method !== 'GET' && method !== 'HEAD' && this.#isGuarded()) {
			refuseRest(response, 423, this.#guardMessage());
			return;
		}
		void this.#run(
			new Exchange(this.#context, {
				request,
				response,
				source: worker?.incarnation ?? noWorker,
				target: new URL(onward + rawQuery(request.url)),
				path,
				route,
				framing: allowed.framing,
			}),
		);
	}

	async #run(exchange: Exchange): Promise<void> {
		this.#running.add(exchange);
		await exchange.run();
		this.#running.delete(exchange);
		if (this.#stopping && this.#running.size === 0) this.#idle.resolve();
		if (exchange.answeredAfterMs !== undefined) this.#latencies.add(exchange.answeredAfterMs);
	}

	#onAnswer(answer: Parameters<ExchangeContext['onAnswer']>[0]): void {
		this.#context.guard.note(answer, this.#options.clock.monotonic());
		if (answer.status === 429) this.#limited++;
		if (answer.isGlobal) {
			const { globalPerSecond } = this.#options.config;
			this.#noticeRarely(
				'global-limit',
				`Discord refused a request for the global limit of the bot, although this fleet sends at most ${globalPerSecond} a second: ` +
					'another program uses the same token, or the limit of the bot is lower (option rest.globalPerSecond)',
			);
		}
		this.#isGuarded();
	}

	/** Whether few requests are passed on; a change is reported. */
	#isGuarded(): boolean {
		const closed = this.#context.guard.isClosed(this.#options.clock.monotonic());
		if (closed !== this.#guarded) {
			this.#guarded = closed;
			this.#options.notice(
				closed
					? { kind: 'invalid-requests:high', message: this.#guardMessage() }
					: { kind: 'invalid-requests:normal', message: 'few requests are invalid again; all requests are sent' },
			);
		}
		return closed;
	}

	#guardMessage(): string {
		const { guard } = this.#context;
		const count = guard.count(this.#options.clock.monotonic());
		return (
			`Discord answered ${count} requests of the last 10 minutes with 401, 403 or 429, and blocks this address at ${guard.limit}: ` +
			'until there are fewer, shardctl sends reads and interaction responses only'
		);
	}

	#noticeRarely(kind: RestNotice['kind'], message: string): void {
		const nowMs = this.#options.clock.monotonic();
		if (nowMs - (this.#noticedAt.get(kind) ?? Number.NEGATIVE_INFINITY) < noticeIntervalMs) return;
		this.#noticedAt.set(kind, nowMs);
		this.#options.notice({ kind, message });
	}
}

function tokensOf({ config, clock, askLimit }: RestServerOptions): TokenSource {
	const { globalPerSecond: perSecond, sharedLimit = false } = config;
	return sharedLimit && askLimit ? new SharedTokens({ clock, perSecond, ask: askLimit }) : new TokenWindow(perSecond);
}
