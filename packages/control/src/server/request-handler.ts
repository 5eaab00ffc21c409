// Answers the requests of the control API: who may, which route, what input, which answer. It opens and closes no socket.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, ShardctlError } from '@shardctl/core';
import { endpoint, endpoints, type Operation, pathFields } from '../api/endpoints.js';
import { EventStream } from '../feed/event-stream.js';
import type { FleetFeed } from '../feed/fleet-feed.js';
import type { Fleet } from '../fleet/fleet.js';
import { parseInput, type RouteContext } from '../routes/route.js';
import { routeTable } from '../routes/routes.js';
import { errorAnswer } from './error-answer.js';
import { readBody } from './request-body.js';

/** How long what a refused client still sends is thrown away, so that it gets to read the answer. */
const discardMs = 1000;
const maxStreams = 4096;

/** What a request may do, by the door it came through. */
export interface Door {
	/** Whether the request is let in. */
	admits(request: IncomingMessage): boolean;
	allowEval: boolean;
}

export interface RequestHandlerOptions {
	fleet: Fleet;
	feed: FleetFeed;
	clock: Clock;
	/** Resolves when the control API is about to close. */
	drained: Promise<void>;
	/** Told of each request that was not let in. */
	onRefused(request: IncomingMessage): void;
}

interface Match {
	operation: Operation;
	fields: Record<string, string>;
}

/** Makes the listener for the requests of one door. */
export function requestHandler(options: RequestHandlerOptions, door: Door) {
	return (request: IncomingMessage, response: ServerResponse): void => {
		void answer(options, door, request, response).catch((error: unknown) => {
			if (response.headersSent) response.destroy();
			else refuse(request, response, error);
		});
	};
}

async function answer(
	options: RequestHandlerOptions,
	door: Door,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	if (!door.admits(request)) {
		options.onRefused(request);
		response.setHeader('www-authenticate', 'Bearer');
		throw new ShardctlError('UNAUTHORIZED', 'this control API wants its token: send it as "Authorization: Bearer …"');
	}
	const [path = '/', query = ''] = (request.url ?? '/').split('?', 2);
	const { operation, fields } = match(request.method, path);
	const { input: schema, run, follow, contentType } = routeTable[operation];
	const given = endpoint(operation).method === 'GET' ? Object.fromEntries(new URLSearchParams(query)) : await readBody(request);
	const input = parseInput(operation, schema, { ...given, ...fields });
	const gone = new AbortController();
	response.once('close', () => gone.abort(new ShardctlError('CALL_CANCELLED', 'the client went away')));
	const { fleet, feed, drained } = options;
	const context: RouteContext = { fleet, feed, drained, signal: gone.signal, allowEval: door.allowEval };
	if (follow && input.follow === true && request.method === 'GET') {
		if (feed.readers >= maxStreams) throw new ShardctlError('CALL_LIMIT', `${maxStreams} readers follow this manager already`);
		await follow.check?.(input, context);
		if (gone.signal.aborted) return;
		const lastEventId = Number(request.headers['last-event-id']) || 0;
		await follow.open(input, new EventStream(response, { clock: options.clock, allowedBytes: feed.allowedBytes }), {
			...context,
			lastEventId,
		});
		return;
	}
	const output = await run(input, context);
	if (contentType === undefined) sendJson(response, 200, output);
	else send(response, { status: 200, contentType, body: output as string });
}

const table = (Object.keys(endpoints) as Operation[]).map((operation) => {
	const { method, path } = endpoint(operation);
	const pattern = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '([^/]+)')}$`);
	return { operation, method, pattern, names: pathFields(path) };
});

function match(method: string | undefined, path: string): Match {
	for (const entry of table) {
		const found = entry.pattern.exec(path);
		// HEAD is GET without the body, which node leaves out by itself.
		if (!found || entry.method !== (method === 'HEAD' ? 'GET' : method)) continue;
		const values = found.slice(1).map(decodeField);
		return { operation: entry.operation, fields: Object.fromEntries(entry.names.map((name, i) => [name, values[i] as string])) };
	}
	throw new ShardctlError(
		'METHOD_NOT_FOUND',
		`there is no ${method ?? ''} ${path}; GET /v1/openapi.json describes what there is`,
	);
}

function decodeField(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
	const { status, body } = errorAnswer(error);
	if (!request.complete) {
		// A client in the middle of a large body reads no answer until it has sent all, or its connection breaks.
		response.setHeader('connection', 'close');
		request.resume();
		setTimeout(() => request.destroy(), discardMs).unref();
	}
	sendJson(response, status, body);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
	send(response, { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` });
}

function send(
	response: ServerResponse,
	{ status, contentType, body }: { status: number; contentType: string; body: string },
): void {
	if (response.destroyed) return;
	response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
	response.end(body);
}
