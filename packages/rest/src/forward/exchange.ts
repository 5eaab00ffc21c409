// One request of a worker: read, queued, sent to Discord, answered. It is sent again only where Discord has refused it with 429; whatever else
// becomes of it is the answer, because the worker's library knows what may be sent twice.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream';
import { type Clock, endToEndHeaders, orAborted, type RestFraming, refuseRest } from '@shardctl/core';
import type { ByteBudget } from '../limits/byte-budget.js';
import type { GlobalGate } from '../limits/global-gate.js';
import type { InvalidGuard } from '../limits/invalid-guard.js';
import type { Token } from '../limits/token-source.js';
import { brokenOff, type DiscordClient, NoAnswer } from './discord-client.js';
import { RequestBody } from './request-body.js';
import type { RestRoute } from './rest-route.js';
import { type AnsweredLimits, BucketWait, type RouteQueues } from './route-queues.js';
import { WaitLimit } from './wait-limit.js';

/** What is kept of a refusal of Discord, in case that it is passed on. */
const maxRefusalBytes = 65_536;
/** When a worker may send a request again that has waited for too long, or that met the end of this process. */
const tryAgainMs = 1000;

/** Why an exchange ends before its answer. */
const callerGone = new Error('the worker has closed the connection');
const waitedTooLong = new Error('the request has waited too long');
const processEnds = new Error('the REST process ends');

export interface ExchangeContext {
	clock: Clock;
	client: DiscordClient;
	queues: RouteQueues;
	gate: GlobalGate;
	guard: InvalidGuard;
	budget: ByteBudget;
	/** How long a request may wait here. */
	waitMs: number;
	/** Discord has answered. */
	onAnswer(answer: { status: number; scope: string | undefined; isGlobal: boolean }): void;
}

export interface ExchangeRequest {
	request: IncomingMessage;
	response: ServerResponse;
	/** Whose turn it takes. */
	source: number;
	target: URL;
	/** Without the prefix of the API, its version and the query. */
	path: string;
	route: RestRoute;
	framing: RestFraming;
}

export class Exchange {
	readonly #context: ExchangeContext;
	readonly #asked: ExchangeRequest;
	readonly #over = new AbortController();
	readonly #wait: WaitLimit;
	#state: 'waiting' | 'sent' | 'ended' = 'waiting';
	/** Discord's answer: the last one. */
	#answer: IncomingMessage | undefined;
	/** Its body, where it was a refusal. */
	#refusal: Buffer | undefined;
	#waitIsOver = false;
	readonly #arrivedAtMs: number;
	#answeredAfterMs: number | undefined;

	constructor(context: ExchangeContext, asked: ExchangeRequest) {
		this.#context = context;
		this.#arrivedAtMs = context.clock.monotonic();
		this.#asked = asked;
		this.#wait = new WaitLimit({
			clock: context.clock,
			limitMs: context.waitMs,
			onOver: () => {
				this.#waitIsOver = true;
				if (this.#state === 'waiting') this.#over.abort(waitedTooLong);
			},
		});
	}

	/** Whether Discord does not have the request now, and it is not answered. */
	get isWaiting(): boolean {
		return this.#state === 'waiting';
	}

	/** From its arrival to Discord's answer; undefined where there is none. */
	get answeredAfterMs(): number | undefined {
		return this.#answeredAfterMs;
	}

	/**
	 * Ends it where it was not sent; the worker is asked to send it again. Its connection is closed with the answer: the next request on it could
	 * arrive while the process closes it, and would be lost.
	 */
	callOff(): void {
		this.#asked.response.shouldKeepAlive = false;
		if (this.#state === 'waiting') this.#over.abort(processEnds);
	}

	/** Resolves when it is answered as far as it can be. Never rejects. */
	async run(): Promise<void> {
		const { request, response, framing } = this.#asked;
		const onClose = () => {
			if (!response.writableFinished) this.#over.abort(callerGone);
		};
		response.on('close', onClose);
		let body: RequestBody | undefined;
		try {
			this.#wait.start();
			body = await RequestBody.read(request, {
				framing,
				budget: this.#context.budget,
				signal: this.#over.signal,
				onAdmitted: () => this.#wait.stop(),
			});
			this.#wait.start();
			await orAborted(this.#queue(body), this.#over.signal);
			this.#wait.stop();
			await this.#passOn();
		} catch (error) {
			this.#answerInstead(error);
		} finally {
			this.#state = 'ended';
			this.#wait.stop();
			body?.release();
			response.off('close', onClose);
		}
	}

	#queue(body: RequestBody): Promise<void> {
		const { path, request, route, source } = this.#asked;
		const { method = '' } = request;
		return this.#context.queues.run({
			source,
			method,
			path,
			body: method === 'PATCH' && /^\/channels\/\d+$/.test(path) ? body.json() : undefined,
			signal: this.#over.signal,
			send: async () => {
				const token = route.isInteraction ? undefined : await this.#context.gate.pass(source, this.#over.signal);
				return this.#send(body, token);
			},
		});
	}

	async #send(body: RequestBody, token: Token | undefined): Promise<AnsweredLimits> {
		const { clock, client, onAnswer } = this.#context;
		const { target, request } = this.#asked;
		if (this.#over.signal.aborted) {
			token?.giveBack();
			throw this.#over.signal.reason;
		}
		this.#state = 'sent';
		this.#wait.stop();
		const headers = endToEndHeaders(request.headers);
		const sending = client.send({ target, method: request.method ?? '', headers, body, signal: this.#over.signal });
		const answer = await sending.finally(() => token?.settle(clock.monotonic()));
		this.#answer = answer;
		const { statusCode: status = 502 } = answer;
		const header = (name: string) => asText(answer.headers[name]);
		const mayRepeat = status === 429 && body.isWhole && Number(header('retry-after')) > 0 && !this.#waitIsOver;
		const isGlobal = status === 429 && header('x-ratelimit-global') !== undefined;
		onAnswer({ status, scope: header('x-ratelimit-scope'), isGlobal });
		if (isGlobal) this.#context.gate.closeFor(Number(header('retry-after') ?? 1) * 1000);
		if (!mayRepeat) {
			this.#answeredAfterMs = clock.monotonic() - this.#arrivedAtMs;
			return { isRefused: false, header };
		}
		this.#refusal = await readUpTo(answer, maxRefusalBytes);
		this.#state = 'waiting';
		this.#wait.start();
		return { isRefused: true, header };
	}

	/** The answer as Discord gave it. */
	#passOn(): Promise<void> {
		const { response } = this.#asked;
		const answer = this.#answer as IncomingMessage;
		response.writeHead(answer.statusCode ?? 502, endToEndHeaders(answer.headers));
		return new Promise((resolve) => {
			// Destroys the response where the answer breaks off: the client must not take a part for the whole.
			pipeline(answer, response, () => resolve());
		});
	}

	#answerInstead(error: unknown): void {
		const { response } = this.#asked;
		const { signal } = this.#over;
		const reason = signal.aborted ? signal.reason : error;
		// Where Discord closed the connection, the worker's library sees what it would have seen: it knows whether to send the request again.
		if (reason === callerGone || reason === brokenOff) response.destroy();
		else if (reason === processEnds) limited(response, tryAgainMs, { closing: true });
		else if (reason instanceof BucketWait && !this.#refusal) limited(response, reason.retryAfterMs);
		else if (this.#refusal && this.#answer) {
			const { 'content-length': _length, ...headers } = endToEndHeaders(this.#answer.headers);
			response.writeHead(this.#answer.statusCode ?? 429, headers);
			response.end(this.#refusal);
		} else if (reason === waitedTooLong) limited(response, tryAgainMs);
		else if (reason instanceof NoAnswer) refuseRest(response, reason.status, reason.message);
		else refuseRest(response, 500, 'the request could not be forwarded');
	}
}

/**
 * The answer that Discord would have given had the request been sent now. Libraries wait and send it again. The scope is `shared`, because it
 * is no invalid request of the worker's.
 */
export function limited(response: ServerResponse, retryAfterMs: number, { closing = false } = {}): void {
	if (response.headersSent) {
		response.destroy();
		return;
	}
	const retryAfter = Math.max(1, Math.ceil(retryAfterMs)) / 1000;
	response.writeHead(429, {
		'content-type': 'application/json',
		// discord.py takes a 429 without it for a block by Cloudflare.
		via: '1.1 shardctl',
		'retry-after': String(Math.ceil(retryAfter)),
		'x-ratelimit-scope': 'shared',
		'x-ratelimit-reset-after': retryAfter.toFixed(3),
		...(closing ? { connection: 'close' } : {}),
	});
	response.end(JSON.stringify({ message: 'You are being rate limited.', retry_after: retryAfter, global: false }));
}

function asText(value: string | string[] | undefined): string | undefined {
	return Array.isArray(value) ? value[0] : value;
}

/** The first bytes of a stream; the rest is dropped. Resolves also where it breaks off. */
function readUpTo(stream: IncomingMessage, bytes: number): Promise<Buffer> {
	return new Promise((resolve) => {
		const pieces: Buffer[] = [];
		let size = 0;
		stream.on('data', (piece: Buffer) => {
			if (size < bytes) pieces.push(piece);
			size += piece.length;
		});
		stream.on('close', () => resolve(Buffer.concat(pieces)));
	});
}
