// Serves Discord's REST API on `/api[/v10]`: faults, block, version, route, token, limits, answer; and records each call.
// What the routes do is in `routes/`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type RequestTarget, sleep } from '@shardctl/core';
import type { EventLog } from '../event-log.js';
import type { Conditions, RestCondition } from '../faults/conditions.js';
import type { World } from '../world/world.js';
import { type RestAnswer, RestError, unauthorized } from './answer.js';
import type { RateLimits } from './rate-limits.js';
import { readBody } from './request-body.js';
import type { GatewayFacts, Method, Route } from './route.js';
import { type Match, Router } from './router.js';

export interface RestHandlerOptions {
	world: World;
	log: EventLog;
	routes: readonly Route[];
	/** Whether the `Authorization` header is that of the bot. */
	authorizes: (header: string | undefined) => boolean;
	/** The facts of the gateway for a client that sent this Host. */
	gateway: (host: string) => GatewayFacts;
	conditions: Conditions;
	limits: RateLimits;
}

interface Outcome {
	answer: RestAnswer;
	/** The route's pattern, for the log. */
	path?: string;
}

const notFound = new RestError(404, 0, '404: Not Found');

export class RestHandler {
	readonly #options: RestHandlerOptions;
	readonly #router: Router;

	constructor(options: RestHandlerOptions) {
		this.#options = options;
		this.#router = new Router(options.routes);
	}

	async handle(request: IncomingMessage, response: ServerResponse, target: RequestTarget): Promise<void> {
		const { log, limits, conditions, world } = this.#options;
		const address = request.socket.remoteAddress ?? '';
		const wrong = conditions.forRequest(request.method ?? 'GET', target.path.replace(/^\/api(\/v\d+)?/, ''));
		const late = wrong.find((condition) => condition.kind === 'latency');
		if (late && !(await waited(sleep(world.clock, conditions.delayMs(late), hungUp(response))))) return;
		// There is no response, until the client hangs up or the simulator stops.
		const hangs = wrong.some((condition) => condition.kind === 'hang');
		const blocked = limits.blocked(address);
		const { answer, path } = blocked
			? { answer: blocked }
			: (faulty(wrong) ?? (hangs ? undefined : await this.#answer(request, target)) ?? {});
		log.add('rest', { method: request.method, path: target.path, route: path ?? null, status: answer?.status ?? null });
		if (!answer) return;
		if (!blocked) limits.countInvalid(address, answer);
		send(response, answer);
	}

	async #answer(request: IncomingMessage, target: RequestTarget): Promise<Outcome> {
		const version = /^\/api(?:\/v(\d+))?(\/.*)?$/.exec(target.path);
		const number = Number(version?.[1] ?? 6);
		// Discord: Reference, "API Versioning": 6 to 10 are there, older ones are discontinued.
		if (!version || number > 10) return { answer: notFound.answer };
		if (number < 6) return { answer: { status: 400, body: { message: 'Invalid API version', code: 50041 } } };
		const match = this.#router.find(request.method ?? 'GET', version[2] ?? '/');
		if (!match) {
			this.#options.log.add('unknown-route', { method: request.method, path: target.path });
			return { answer: notFound.answer };
		}
		if ('allowed' in match) return { answer: methodNotAllowed(match.allowed) };
		return { answer: await this.#route(request, target, match), path: match.route.path };
	}

	async #route(request: IncomingMessage, target: RequestTarget, { route, params }: Match): Promise<RestAnswer> {
		const { limits, authorizes } = this.#options;
		const authorized = authorizes(request.headers.authorization);
		if (!route.open && !authorized) return unauthorized.answer;
		const who = authorized ? 'bot' : (request.socket.remoteAddress ?? '');
		const refused = route.exemptFromGlobal ? undefined : limits.takeGlobal(who);
		if (refused) return refused;
		const { headers, refusal } = limits.takeBucket(route, params);
		if (refusal) return refusal;
		try {
			const answer = await this.#run(request, target, { route, params });
			return { ...answer, headers: { ...headers, ...answer.headers } };
		} catch (error) {
			if (error instanceof RestError) return { ...error.answer, headers };
			throw error;
		}
	}

	async #run(request: IncomingMessage, target: RequestTarget, { route, params }: Match): Promise<RestAnswer> {
		const { world, gateway, log } = this.#options;
		const body = await readBody(request);
		return route.handle({
			world,
			params,
			query: target.query,
			body: isRecord(body.json) ? body.json : {},
			rawBody: body.json,
			files: body.files,
			gateway: () => gateway(request.headers.host ?? ''),
			noteInteraction: (details) => log.add('interaction', details),
		});
	}
}

/** Aborted when the client hangs up, or the simulator stops. */
function hungUp(response: ServerResponse): AbortSignal {
	const gone = new AbortController();
	response.once('close', () => gone.abort());
	return gone.signal;
}

function waited(delay: Promise<void>): Promise<boolean> {
	return delay.then(
		() => true,
		() => false,
	);
}

/** The answer that a fault gives instead of the route. */
function faulty(wrong: readonly RestCondition[]): Outcome | undefined {
	for (const condition of wrong) {
		if (condition.kind === 'status') {
			return { answer: { status: condition.status, body: { message: `${condition.status}: injected fault`, code: 0 } } };
		}
		if (condition.kind === 'rate-limit') {
			const { scope, retryAfterMs } = condition;
			const message = scope === 'shared' ? 'The resource is being rate limited.' : 'You are being rate limited.';
			const headers = {
				'x-ratelimit-scope': scope,
				'retry-after': String(Math.ceil(retryAfterMs / 1000)),
				...(scope === 'global' && { 'x-ratelimit-global': 'true' }),
			};
			return {
				answer: { status: 429, headers, body: { message, retry_after: retryAfterMs / 1000, global: scope === 'global' } },
			};
		}
	}
	return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function methodNotAllowed(allowed: readonly Method[]): RestAnswer {
	return { status: 405, body: { message: '405: Method Not Allowed', code: 0 }, headers: { allow: allowed.join(', ') } };
}

export function send(response: ServerResponse, { status, body, text, headers = {} }: RestAnswer): void {
	if (response.destroyed || response.headersSent) return;
	const content = text ?? (body === undefined ? '' : JSON.stringify(body));
	const type = content === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) };
	response.writeHead(status, { ...type, ...headers });
	response.end(content);
}
