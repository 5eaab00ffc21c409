// REST at the local gateway, for libraries whose only setting is the address of Discord's API: answers `GET /gateway` and
// `GET /gateway/bot` with the local gateway's address, and forwards every other request to Discord.
import { request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { parseWorkerPath, workerPath } from '@shardctl/core';

export interface LocalRestOptions {
	/** Base URL of Discord's REST API. */
	api: string;
	totalShards: number;
	/** Address of the local gateway. */
	gatewayUrl(): string;
}

/** Headers of one hop: RFC 9110, 7.6.1. */
const hopHeaders = ['connection', 'keep-alive', 'proxy-connection', 'te', 'transfer-encoding', 'upgrade', 'host'];

export class LocalRest {
	readonly #options: LocalRestOptions;

	constructor(options: LocalRestOptions) {
		this.#options = options;
	}

	answer(request: IncomingMessage, response: ServerResponse): void {
		const url = request.url ?? '/';
		const worker = parseWorkerPath(url);
		const path = worker?.rest ?? url;
		if (request.method === 'GET' && /^(?:\/api)?(?:\/v\d+)?\/gateway(?:\/bot)?$/.test(path)) {
			this.#answerGateway(response, this.#options.gatewayUrl() + (worker ? workerPath(worker.incarnation) : ''));
		} else if (path.startsWith('/')) this.#forward(path, request, response);
		else response.writeHead(400).end();
	}

	/** The session start limit is reported as full: an IDENTIFY at the local gateway uses none of it. */
	#answerGateway(response: ServerResponse, url: string): void {
		const { totalShards } = this.#options;
		const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: totalShards };
		response.setHeader('content-type', 'application/json');
		response.end(JSON.stringify({ url, shards: totalShards, session_start_limit: limit }));
	}

	#forward(path: string, request: IncomingMessage, response: ServerResponse): void {
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
