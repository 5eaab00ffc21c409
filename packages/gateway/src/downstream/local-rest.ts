// REST at the local gateway, for libraries whose only setting is the address of Discord's API: answers `GET /gateway` and
// `GET /gateway/bot` with the local gateway's address, and forwards every other request to Discord. It serves workers and no one else, reaches
// nothing but the API, and writes the framing of each request itself, so that what one client sends cannot become the request of another.
import { createHash, timingSafeEqual } from 'node:crypto';
import {
	Agent as HttpAgent,
	request as httpRequest,
	type IncomingHttpHeaders,
	type IncomingMessage,
	type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { pipeline, Transform } from 'node:stream';
import { guardListener, parseRequestTarget, type WorkerPaths } from '@shardctl/core';

export interface LocalRestOptions {
	/** Base URL of Discord's REST API. */
	api: string;
	/** The bot's token; undefined: every token is right, as on a simulator. */
	token: string | undefined;
	paths: WorkerPaths;
	totalShards: number;
	/** Address of the local gateway. */
	gatewayUrl(): string;
	/** The client has shown that it is a worker. */
	onProven?(request: IncomingMessage): void;
	/** A request was refused, because its client has not. */
	onRefused?(detail: string): void;
}

/** Those of Discord's API. */
const methods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const methodsWithoutBody: ReadonlySet<string> = new Set(['GET', 'HEAD']);
/** RFC 9110, 7.6.1, and what is answered or made here: the host, the framing and `Expect`. */
const hopHeaders = [
	'connection',
	'expect',
	'host',
	'keep-alive',
	'proxy-authenticate',
	'proxy-authorization',
	'proxy-connection',
	'te',
	'trailer',
	'transfer-encoding',
	'upgrade',
];
/** Discord accepts attachments up to 100 MiB from bots, and several in one request are bound by the same limit. */
const maxBodyBytes = 128 * 2 ** 20;
/** How long either side may send nothing. */
const idleMs = 60_000;

export class LocalRest {
	readonly #options: LocalRestOptions;
	readonly #base: URL;
	readonly #token: Buffer | undefined;
	/** Of its own, so that no other requests share its connections. */
	readonly #agent: HttpAgent | HttpsAgent;

	constructor(options: LocalRestOptions) {
		this.#options = options;
		this.#base = new URL(`${options.api.replace(/\/+$/, '')}/`);
		this.#token = options.token === undefined ? undefined : digest(options.token);
		const agentOptions = { keepAlive: true, timeout: idleMs };
		this.#agent = this.#base.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
	}

	/** Never throws. */
	readonly answer = guardListener(
		(request: IncomingMessage, response: ServerResponse) => this.#answer(request, response),
		(_error, _request, response) => refuse(response, 500, 'the request could not be forwarded'),
	);

	/** Closes the connections to Discord. */
	stop(): void {
		this.#agent.destroy();
	}

	#answer(request: IncomingMessage, response: ServerResponse): void {
		const { paths, onProven, onRefused } = this.#options;
		const target = parseRequestTarget(request.url);
		if (!target) {
			refuse(response, 400, 'the request target is not a path');
			return;
		}
		const worker = paths.parse(target.path);
		// A request without a token may be right: interactions and webhooks carry theirs in the path.
		if (!(paths.keyed && worker) && !this.#isToken(request.headers.authorization)) {
			onRefused?.('a client of the REST API without the token of the bot');
			refuse(response, 401, '401: Unauthorized');
			return;
		}
		onProven?.(request);
		const path = worker?.rest ?? target.path;
		if (request.method === 'GET' && /^(?:\/api)?(?:\/v\d+)?\/gateway(?:\/bot)?$/.test(path)) {
			this.#answerGateway(response, this.#options.gatewayUrl() + (worker ? paths.of(worker.incarnation) : ''));
			return;
		}
		const onward = this.#targetOf(path);
		if (!onward) {
			refuse(response, 400, 'the path is not one of the API');
			return;
		}
		const query = /\?.*$/s.exec(request.url ?? '')?.[0].replace(/#.*$/s, '') ?? '';
		this.#forward(new URL(onward + query), request, response);
	}

	#isToken(authorization: string | undefined): boolean {
		if (!this.#token) return true;
		return timingSafeEqual(this.#token, digest((authorization ?? '').replace(/^Bot /, '')));
	}

	/** The session start limit is reported as full: an IDENTIFY at the local gateway uses none of it. */
	#answerGateway(response: ServerResponse, url: string): void {
		const { totalShards } = this.#options;
		const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: totalShards };
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ url, shards: totalShards, session_start_limit: limit }));
	}

	/** Where a path is at Discord; undefined for one that would leave the API. */
	#targetOf(path: string): string | undefined {
		if (!path.startsWith('/') || hasDotSegments(path)) return undefined;
		const target = new URL(this.#base.href.slice(0, -1) + path.replace(/^\/api(?=\/|$)/, ''));
		const isInside = target.origin === this.#base.origin && target.pathname.startsWith(this.#base.pathname);
		return isInside ? target.href : undefined;
	}

	#forward(target: URL, request: IncomingMessage, response: ServerResponse): void {
		const { method = '' } = request;
		const framing = framingOf(request.headers);
		if (framing === 'unknown') refuse(response, 400, 'the request has a transfer coding that is not supported');
		else if (!methods.has(method)) refuse(response, 405, 'the API has no such method');
		else if (framing && methodsWithoutBody.has(method)) refuse(response, 400, `a ${method} request has no body`);
		else if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) refuse(response, 413, 'the body is too large');
		else {
			const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
			const headers = { ...endToEnd(request.headers), ...framing };
			const onward = send(target, { method, headers, agent: this.#agent, timeout: idleMs }, (answer) => {
				response.writeHead(answer.statusCode ?? 502, endToEnd(answer.headers));
				// Destroys the response where the answer breaks off: the client must not take a part for the whole.
				pipeline(answer, response, () => {});
			});
			const fail = (status: number, message: string) => {
				onward.destroy();
				refuse(response, status, message);
			};
			onward.on('timeout', () => fail(504, 'Discord does not answer'));
			onward.on('error', () => fail(502, 'Discord cannot be reached'));
			response.on('close', () => {
				if (!response.writableFinished) onward.destroy();
			});
			if (framing)
				pipeline(request, limit(), onward, (error) => error && fail(error === tooLarge ? 413 : 502, messageOfBody(error)));
			else onward.end();
		}
	}
}

const tooLarge = new Error('the body is too large');

function messageOfBody(error: Error): string {
	return error === tooLarge ? tooLarge.message : 'the body could not be forwarded';
}

/** Passes on at most {@link maxBodyBytes}. */
function limit(): Transform {
	let size = 0;
	return new Transform({
		transform(chunk: Buffer, _encoding, done) {
			size += chunk.length;
			if (size > maxBodyBytes) done(tooLarge);
			else done(null, chunk);
		},
	});
}

/** How the body is framed on the next hop, whatever the method: as it was on this one. Undefined where there is none. */
function framingOf({
	'content-length': length,
	'transfer-encoding': encoding,
}: IncomingHttpHeaders): Record<string, string> | 'unknown' | undefined {
	if (encoding !== undefined) return /^chunked$/i.test(encoding) ? { 'transfer-encoding': 'chunked' } : 'unknown';
	return length === undefined || Number(length) === 0 ? undefined : { 'content-length': length };
}

/** Without the headers of this hop, and those that `Connection` names. */
function endToEnd(headers: IncomingHttpHeaders): IncomingHttpHeaders {
	const kept = { ...headers };
	const named = (headers.connection ?? '').split(',').map((name) => name.trim().toLowerCase());
	// The length is a fact of the body and no wish of the client.
	for (const name of [...hopHeaders, ...named.filter((each) => each !== 'content-length')]) delete kept[name];
	return kept;
}

/** Whether a server, or the parser of the URL, would take a part of the path for "here" or "up". */
function hasDotSegments(path: string): boolean {
	let decoded: string;
	try {
		decoded = decodeURIComponent(path);
	} catch {
		return true;
	}
	return decoded.split(/[/\\]/).some((segment) => segment === '.' || segment === '..');
}

/** As Discord answers. The connection ends with it: the rest of the request is not read. */
function refuse(response: ServerResponse, status: number, message: string): void {
	if (response.headersSent) {
		response.destroy();
		return;
	}
	response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
	response.end(JSON.stringify({ message, code: 0 }));
}

/** `timingSafeEqual` needs inputs of equal length. */
function digest(text: string): Buffer {
	return createHash('sha256').update(text).digest();
}
