// REST at the local gateway, for libraries whose only setting is the address of Discord's API: answers `GET /gateway` and
// `GET /gateway/bot` with the local gateway's address, and forwards every other request to Discord. It serves workers and no one else, reaches
// nothing but the API, and writes the framing of each request itself, so that what one client sends cannot become the request of another.
import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { pipeline, Transform } from 'node:stream';
import {
	endToEndHeaders,
	guardListener,
	maxRestBodyBytes,
	parseRequestTarget,
	rawQuery,
	refuseRest,
	restFraming,
	restTarget,
	tokenCheck,
	type WorkerPaths,
} from '@shardctl/core';

export interface LocalRestOptions {
	/** Base URL of Discord's REST API. */
	api: string;
	/** The bot's token; undefined: every token is right, as on a simulator. */
	token: string | undefined;
	paths: WorkerPaths;
	/** The shard count of a worker's process; undefined: of a client on another path. */
	totalShards(incarnation: number | undefined): number;
	/** Address of the local gateway. */
	gatewayUrl(): string;
	/** The client has shown that it is a worker. */
	onProven?(request: IncomingMessage): void;
	/** A request was refused, because its client has not. */
	onRefused?(detail: string): void;
}

/** How long either side may send nothing. */
const idleMs = 60_000;

export class LocalRest {
	readonly #options: LocalRestOptions;
	readonly #base: URL;
	readonly #isToken: (authorization: string | undefined) => boolean;
	/** Of its own, so that no other requests share its connections. */
	readonly #agent: HttpAgent | HttpsAgent;

	constructor(options: LocalRestOptions) {
		this.#options = options;
		this.#base = new URL(`${options.api.replace(/\/+$/, '')}/`);
		this.#isToken = tokenCheck(options.token);
		const agentOptions = { keepAlive: true, timeout: idleMs };
		this.#agent = this.#base.protocol === 'https:' ? new HttpsAgent(agentOptions) : new HttpAgent(agentOptions);
	}

	/** Never throws. */
	readonly answer = guardListener(
		(request: IncomingMessage, response: ServerResponse) => {
			response.on('error', () => {});
			this.#answer(request, response);
		},
		(_error, _request, response) => refuseRest(response, 500, 'the request could not be forwarded'),
	);

	/** Closes the connections to Discord. */
	stop(): void {
		this.#agent.destroy();
	}

	#answer(request: IncomingMessage, response: ServerResponse): void {
		const { paths, onProven, onRefused } = this.#options;
		const target = parseRequestTarget(request.url);
		if (!target) {
			refuseRest(response, 400, 'the request target is not a path');
			return;
		}
		const worker = paths.parse(target.path);
		// A request without a token may be right: interactions and webhooks carry theirs in the path.
		if (!(paths.keyed && worker) && !this.#isToken(request.headers.authorization)) {
			onRefused?.('a client of the REST API without the token of the bot');
			refuseRest(response, 401, '401: Unauthorized');
			return;
		}
		onProven?.(request);
		const path = worker?.rest ?? target.path;
		if (request.method === 'GET' && /^(?:\/api)?(?:\/v\d+)?\/gateway(?:\/bot)?$/.test(path)) {
			this.#answerGateway(response, worker?.incarnation);
			return;
		}
		const onward = restTarget(this.#base, path);
		if (!onward) {
			refuseRest(response, 400, 'the path is not one of the API');
			return;
		}
		this.#forward(new URL(onward + rawQuery(request.url)), request, response);
	}

	/** The session start limit is reported as full: an IDENTIFY at the local gateway uses none of it. */
	#answerGateway(response: ServerResponse, incarnation: number | undefined): void {
		const { paths, gatewayUrl } = this.#options;
		const url = gatewayUrl() + (incarnation === undefined ? '' : paths.of(incarnation));
		const totalShards = this.#options.totalShards(incarnation);
		const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: totalShards };
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ url, shards: totalShards, session_start_limit: limit }));
	}

	#forward(target: URL, request: IncomingMessage, response: ServerResponse): void {
		const { method = '' } = request;
		const allowed = restFraming(method, request.headers);
		if ('refusal' in allowed) {
			refuseRest(response, allowed.refusal.status, allowed.refusal.message);
			return;
		}
		const { framing } = allowed;
		const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
		const headers = { ...endToEndHeaders(request.headers), ...framing };
		const passOn = guardListener(
			(answer: IncomingMessage) => {
				response.writeHead(answer.statusCode ?? 502, endToEndHeaders(answer.headers));
				// Destroys the response where the answer breaks off: the client must not take a part for the whole.
				pipeline(answer, response, () => {});
			},
			// Such as a status that is none: what is reached may be a proxy.
			() => fail(502, 'the answer could not be passed on'),
		);
		const onward = send(target, { method, headers, agent: this.#agent, timeout: idleMs }, passOn);
		const fail = (status: number, message: string) => {
			onward.destroy();
			refuseRest(response, status, message);
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

const tooLarge = new Error('the body is too large');

function messageOfBody(error: Error): string {
	return error === tooLarge ? tooLarge.message : 'the body could not be forwarded';
}

/** Passes on at most {@link maxRestBodyBytes}. */
function limit(): Transform {
	let size = 0;
	return new Transform({
		transform(chunk: Buffer, _encoding, done) {
			size += chunk.length;
			if (size > maxRestBodyBytes) done(tooLarge);
			else done(null, chunk);
		},
	});
}
