// Serves Discord's REST API on `/api[/v10]`: version, token, route, answer; and records each call. What the routes do stands
// in `routes/`.
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { EventLog } from '../event-log.js';
import type { World } from '../world/world.js';
import { type RestAnswer, RestError, unauthorized } from './answer.js';
import { readBody } from './request-body.js';
import type { GatewayFacts, Method, Route } from './route.js';
import { Router } from './router.js';

export interface RestHandlerOptions {
	world: World;
	log: EventLog;
	routes: readonly Route[];
	token: () => string;
	/** What to tell a client that found the server under this name. */
	gateway: (host: string) => GatewayFacts;
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

	async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const { log } = this.#options;
		const url = new URL(request.url ?? '/', 'http://simulator');
		const { answer, path } = await this.#answer(request, url);
		send(response, answer);
		log.add('rest', { method: request.method, path: url.pathname, route: path ?? null, status: answer.status });
	}

	async #answer(request: IncomingMessage, url: URL): Promise<Outcome> {
		const version = /^\/api(?:\/v(\d+))?(\/.*)?$/.exec(url.pathname);
		const number = Number(version?.[1] ?? 6);
		// Discord: Reference, "API Versioning": 6 to 10 are there, older ones are discontinued.
		if (!version || number > 10) return { answer: notFound.answer };
		if (number < 6) return { answer: { status: 400, body: { message: 'Invalid API version', code: 50041 } } };
		const match = this.#router.find(request.method ?? 'GET', version[2] ?? '/');
		if (!match) {
			this.#options.log.add('unknown-route', { method: request.method, path: url.pathname });
			return { answer: notFound.answer };
		}
		if ('allowed' in match) return { answer: methodNotAllowed(match.allowed) };
		const path = match.route.path;
		try {
			const body = await readBody(request);
			if (!match.route.open && !this.#authorized(request)) throw unauthorized;
			const { world, gateway, log } = this.#options;
			const answer = match.route.handle({
				world,
				params: match.params,
				query: url.searchParams,
				body: isRecord(body.json) ? body.json : {},
				rawBody: body.json,
				files: body.files,
				gateway: () => gateway(request.headers.host ?? ''),
				noteInteraction: (details) => log.add('interaction', details),
			});
			return { answer, path };
		} catch (error) {
			if (error instanceof RestError) return { answer: error.answer, path };
			throw error;
		}
	}

	#authorized(request: IncomingMessage): boolean {
		return request.headers.authorization === `Bot ${this.#options.token()}`;
	}
}

function isRecord(value: unknown): value is Record<string, unknown> {
	return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function methodNotAllowed(allowed: readonly Method[]): RestAnswer {
	return { status: 405, body: { message: '405: Method Not Allowed', code: 0 }, headers: { allow: allowed.join(', ') } };
}

export function send(response: ServerResponse, { status, body, headers = {} }: RestAnswer): void {
	if (response.destroyed) return;
	const text = body === undefined ? '' : JSON.stringify(body);
	const type = text === '' ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
	response.writeHead(status, { ...type, ...headers });
	response.end(text);
}
