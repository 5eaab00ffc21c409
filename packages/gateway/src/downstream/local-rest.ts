// REST at the local gateway, for libraries that can only be told where Discord's API is: the gateway's own address in answer to
// `GET /gateway` and `GET /gateway/bot`, and everything else passed on to Discord and back as it is.
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface LocalRestOptions {
	/** Base URL of Discord's REST API. */
	api: string;
	totalShards: number;
	/** Where the local gateway is; asked for when there is somebody who wants to know. */
	gatewayUrl(): string;
}

/** A worker's path, as the manager gave it, comes before what the library appends: `/worker/3/v10/users/@me`. */
const workerPath = /^\/worker\/\d+/;
/** They concern this hop only: RFC 9110, 7.6.1. */
const hopHeaders = ['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade', 'host'];

export class LocalRest {
	readonly #options: LocalRestOptions;

	constructor(options: LocalRestOptions) {
		this.#options = options;
	}

	answer(request: IncomingMessage, response: ServerResponse): void {
		const url = request.url ?? '/';
		const worker = workerPath.exec(url)?.[0] ?? '';
		const path = url.slice(worker.length);
		if (request.method === 'GET' && /^(?:\/api)?(?:\/v\d+)?\/gateway(?:\/bot)?$/.test(path)) {
			this.#answerGateway(response, this.#options.gatewayUrl() + worker);
		} else if (path.startsWith('/')) this.#passOn(path, request, response);
		else response.writeHead(400).end();
	}

	/** The session budget is shown as full: an IDENTIFY here costs none. */
	#answerGateway(response: ServerResponse, url: string): void {
		const { totalShards } = this.#options;
		const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: totalShards };
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ url, shards: totalShards, session_start_limit: limit }));
	}

	#passOn(path: string, request: IncomingMessage, response: ServerResponse): void {
		const base = this.#options.api.replace(/\/$/, '');
		const target = new URL(base + path.replace(/^\/api(?=\/|$)/, ''));
		const headers = { ...request.headers };
		for (const name of hopHeaders) delete headers[name];
		const send = target.protocol === 'https:' ? httpsRequest : httpRequest;
		const onward = send(target, { method: request.method, headers }, (answer) => {
			const answered = { ...answer.headers };
			for (const name of hopHeaders) delete answered[name];
			response.writeHead(answer.statusCode ?? 502, answered);
			answer.pipe(response);
			answer.on('error', () => response.destroy());
		});
		onward.on('error', () => {
			if (response.headersSent) response.destroy();
			else
				response.writeHead(502, { 'content-type': 'application/json' }).end('{"message":"Discord cannot be reached","code":0}');
		});
		response.on('close', () => onward.destroy());
		request.pipe(onward);
	}
}
