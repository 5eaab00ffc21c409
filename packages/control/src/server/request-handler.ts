// Authorises, routes and validates a request of the control API, and responds. It opens and closes no socket.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Clock, guardListener, parseRequestTarget, ShardctlError } from '@shardctl/core';
import { endpoint, endpoints, type Operation, pathFields, scopedOperations, versionHeader } from '../api/endpoints.js';
import type { Dashboard } from '../dashboard/dashboard.js';
import { EventStream } from '../feed/event-stream.js';
import type { FleetFeed } from '../feed/fleet-feed.js';
import { frameWithoutOutput } from '../feed/without-output.js';
import type { ServedFleet } from '../fleet/cluster.js';
import { notACluster } from '../routes/cluster.js';
import { parseInput, type Rights, type RouteContext } from '../routes/route.js';
import { routeTable } from '../routes/routes.js';
import { errorResponse } from './error-response.js';
import type { Redaction } from './redaction.js';
import { readBody } from './request-body.js';

/** How long the rest of a rejected request is read and discarded, so that the client can read the response. */
const discardMs = 1000;
export const maxStreams = 4096;

/** What the requests of one socket may do. */
export interface Access {
	rightsOf(request: IncomingMessage): Rights;
	allowEval: boolean;
	/** The dashboard, while it is served through this socket. */
	dashboard?(): Pick<Dashboard, 'respond'> | undefined;
	/** The client of the request may be here. */
	onServed(request: IncomingMessage): void;
	/** Of everything that leaves through this socket. */
	redaction: Redaction;
}

export interface RequestHandlerOptions extends Pick<RouteContext, 'openDashboard'> {
	fleet: ServedFleet;
	feed: FleetFeed;
	clock: Clock;
	/** Resolves when the control API is about to close. */
	closing: Promise<void>;
	/** Called for each request that is not authorised. */
	onUnauthorised(request: IncomingMessage): void;
}

interface Match {
	operation: Operation;
	fields: Record<string, string>;
}

/** Makes the listener for the requests of one socket. */
export function requestHandler(options: RequestHandlerOptions, access: Access) {
	return guardListener(
		(request: IncomingMessage, response: ServerResponse) => {
			// What goes wrong with a connection is noticed by what reads or writes it.
			response.on('error', () => {});
			response.setHeader(versionHeader, options.fleet.version);
			return respond(options, access, request, response);
		},
		(error, request, response) => {
			if (response.headersSent) response.destroy();
			else reject({ options, access }, request, response, error);
		},
	);
}

async function respond(
	options: RequestHandlerOptions,
	access: Access,
	request: IncomingMessage,
	response: ServerResponse,
): Promise<void> {
	const target = parseRequestTarget(request.url);
	if (target && access.dashboard?.()?.respond(request, response, target)) {
		access.onServed(request);
		return;
	}
	const rights = access.rightsOf(request);
	if (rights === 'none' && !(target && tokenFreePaths.has(target.path))) {
		options.onUnauthorised(request);
		response.setHeader('www-authenticate', 'Bearer');
		throw new ShardctlError('UNAUTHORIZED', 'this control API needs its token: send the header "Authorization: Bearer <token>"');
	}
	access.onServed(request);
	if (!target) throw new ShardctlError('OPTIONS_INVALID', 'the target of the request is not a path');
	const { operation, fields } = match(request.method, target.path);
	const { input: schema, run, follow, contentType, statusOf, needs = 'act' } = routeTable[operation];
	if (rights === 'read' && needs === 'act') {
		throw new ShardctlError(
			'FORBIDDEN',
			`the token for reading does not allow ${endpoint(operation).path}; use the token of the fleet`,
		);
	}
	const given = endpoint(operation).method === 'GET' ? Object.fromEntries(target.query) : await readBody(request);
	const input = parseInput(operation, schema, { ...given, ...fields });
	const gone = new AbortController();
	response.once('close', () => gone.abort(new ShardctlError('CALL_CANCELLED', 'the client disconnected')));
	const { feed, clock, closing, openDashboard } = options;
	const context: RouteContext = {
		...(await scopeOf(options.fleet, operation, input)),
		feed,
		clock,
		closing,
		openDashboard,
		signal: gone.signal,
		authorised: rights !== 'none',
		mayReadOutput: rights === 'act',
		allowEval: access.allowEval,
	};
	if (follow && input.follow === true && request.method === 'GET') {
		if (feed.readers >= maxStreams) throw new ShardctlError('CALL_LIMIT', `this manager already has ${maxStreams} readers`);
		await follow.check?.(input, context);
		if (gone.signal.aborted) return;
		const lastEventId = Number(request.headers['last-event-id']) || 0;
		const { bytes } = access.redaction;
		const redact = rights === 'act' ? bytes : (frame: Buffer) => bytes(frameWithoutOutput(frame));
		const stream = new EventStream(response, { clock, allowedBytes: feed.allowedBytes, redact });
		await follow.open(input, stream, { ...context, lastEventId });
		return;
	}
	const output = await run(input, context);
	if (contentType === undefined) sendJson(access, response, statusOf?.(output) ?? 200, output);
	else send(access, response, { status: 200, contentType, body: output as string });
}

/** The part of a cluster that a request is about: all of it, unless the request says otherwise, where the route can do that. */
async function scopeOf(
	fleet: ServedFleet,
	operation: Operation,
	{ local, node }: Record<string, unknown>,
): Promise<Pick<RouteContext, 'fleet' | 'elsewhere'>> {
	const { cluster } = fleet;
	if (!scopedOperations.has(operation)) return { fleet };
	if (local === true && node !== undefined)
		throw new ShardctlError('OPTIONS_INVALID', 'a request takes either local or node, not both');
	if (!cluster) {
		if (node === undefined) return { fleet };
		throw notACluster();
	}
	if (local === true || node === cluster.node || (!cluster.joined && node === undefined)) return { fleet };
	const elsewhere = { cluster, node: node as string | undefined };
	return { fleet: elsewhere.node === undefined ? cluster.whole : await cluster.fleetOf(elsewhere.node), elsewhere };
}

const table = (Object.keys(endpoints) as Operation[]).map((operation) => {
	const { method, path } = endpoint(operation);
	const pattern = new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{\w+\}/g, '([^/]+)')}$`);
	return { operation, method, pattern, names: pathFields(path) };
});

/** Of the routes that reveal nothing that needs the token. */
const tokenFreePaths: ReadonlySet<string> = new Set(
	(Object.keys(endpoints) as Operation[])
		.filter((operation) => routeTable[operation].needs === 'nothing')
		.map((operation) => endpoint(operation).path),
);

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
		`unknown operation ${method ?? ''} ${path}; GET /v1/openapi.json describes all operations`,
	);
}

function decodeField(text: string): string {
	try {
		return decodeURIComponent(text);
	} catch {
		return text;
	}
}

function reject(
	{ options: { clock }, access }: { options: RequestHandlerOptions; access: Access },
	request: IncomingMessage,
	response: ServerResponse,
	error: unknown,
): void {
	const { status, body } = errorResponse(error);
	if (!request.complete) {
		// A client that is still sending a large body reads no response until it has sent all of it, or its connection breaks.
		response.setHeader('connection', 'close');
		request.resume();
		const timer = clock.setTimeout(() => request.destroy(), discardMs);
		request.once('close', () => clock.clearTimeout(timer));
	}
	sendJson(access, response, status, body);
}

function sendJson(access: Access, response: ServerResponse, status: number, body: unknown): void {
	send(access, response, { status, contentType: 'application/json', body: `${JSON.stringify(body)}\n` });
}

function send(
	{ redaction }: Access,
	response: ServerResponse,
	{ status, contentType, body }: { status: number; contentType: string; body: string },
): void {
	if (response.destroyed) return;
	response.writeHead(status, { 'content-type': contentType, 'cache-control': 'no-store' });
	response.end(redaction.text(body));
}
