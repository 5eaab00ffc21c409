// The dashboard of one fleet: logs browsers in, serves the page and its live stream, and keeps the history for the plots. On a node of a
// cluster it is about all nodes. It exists only once a dashboard was asked for.
import type { IncomingMessage, ServerResponse } from 'node:http';
import {
	type Clock,
	type DashboardEvent,
	type DashboardHello,
	every,
	type HistoryRange,
	type RequestTarget,
} from '@shardctl/core';
import { eventFrame } from '../feed/event-frame.js';
import { EventStream } from '../feed/event-stream.js';
import type { FleetFeed } from '../feed/fleet-feed.js';
import type { ServedFleet } from '../fleet/cluster.js';
import { describeEvent } from '../fleet/describe-event.js';
import type { FleetEvent } from '../fleet/fleet-events.js';
import { FleetHistory, historyIntervalMs, historyPoint, type RestBefore } from './history.js';
import { type PageFile, readPage } from './page-files.js';
import { type SessionRights, Sessions } from './sessions.js';
import { WholeView } from './whole-view.js';
import { WorkerHistories } from './worker-history.js';

export interface DashboardOptions {
	fleet: ServedFleet;
	feed: FleetFeed;
	clock: Clock;
	/** From which the keys of sessions are made. */
	secret: string;
	readOnly: boolean;
	/** Names under which the server may be addressed, beside addresses and localhost. */
	hosts: readonly string[];
	/** Takes out what may not leave. */
	redact(bytes: Buffer): Buffer;
	/** How many streams there may be, of every kind. */
	maxStreams: number;
}

const root = '/dashboard';
/** The header of a login, which a form cannot send. */
const loginHeader = 'x-shardctl-login';
/** Events that a page gets first. */
const firstEvents = 200;
/** Older events that were set aside are among them. */
const keptSetAside = 50;
/** Of the standard error of a process that ended. */
const keptLines = 20;
const statsIntervalMs = 1000;
/** How often the nodes of a cluster are read while a page is open. */
const nodesIntervalMs = 1000;

export class Dashboard {
	readonly #options: DashboardOptions;
	readonly #sessions: Sessions;
	readonly #whole: WholeView;
	readonly #history = new FleetHistory();
	readonly #workers = new WorkerHistories();
	readonly #page: ReadonlyMap<string, PageFile>;
	/** The open pages, and what each may see. */
	readonly #streams = new Map<EventStream, SessionRights>();
	readonly #stop: (() => void)[];
	#restBefore: RestBefore | undefined;
	/** While events of the other nodes arrive. */
	#following: AbortController | undefined;
	/** Whether the nodes are being read. */
	#reads = false;

	/** Keeps history from now on, until {@link close}. */
	constructor(options: DashboardOptions) {
		this.#options = options;
		this.#sessions = new Sessions(options);
		this.#page = readPage();
		this.#whole = new WholeView(options.fleet);
		const sample = () => void this.#sample().catch(() => {});
		this.#stop = [every(options.clock, historyIntervalMs, sample)];
		if (options.fleet.cluster) this.#stop.push(every(options.clock, nodesIntervalMs, () => this.#showNodes()));
		sample();
	}

	/** A code that logs a browser in once. */
	createLogin(rights: SessionRights): { code: string; expiresAt: number } {
		return this.#sessions.createCode(rights);
	}

	/** What the session of a request allows. */
	rightsOf(request: IncomingMessage): SessionRights | 'none' {
		return this.#sessions.rightsOf(request);
	}

	/** An event of the fleet, for the pages that are open. */
	event(event: FleetEvent): void {
		for (const rights of new Set(this.#streams.values())) {
			const frame = eventFrame({ type: 'event', data: sentence(event, rights) });
			for (const [stream, itsRights] of this.#streams) if (itsRights === rights) stream.send(frame);
		}
	}

	close(): void {
		for (const stop of this.#stop) stop();
		this.#following?.abort();
	}

	/** Responds to a request for the page or its data; `false` for everything else. */
	respond(request: IncomingMessage, response: ServerResponse, { path, query }: RequestTarget): boolean {
		if (path === '/') {
			if (request.method !== 'GET' || !this.#isOwnHost(request)) return false;
			response.writeHead(302, { location: `${root}/` }).end();
			return true;
		}
		if (path !== root && !path.startsWith(`${root}/`)) return false;
		if (!this.#isOwnHost(request))
			refuse(response, 403, 'this name is not one of the dashboard; use the address that "shardctl dashboard" prints');
		else if (path === root) response.writeHead(302, { location: `${root}/` }).end();
		else if (path === `${root}/login`) this.#logIn(request, response);
		else if (path === `${root}/live`) this.#live(request, response);
		else if (path === `${root}/history`) this.#readHistory(request, response, query);
		else this.#file(request, response, path.slice(root.length + 1));
		return true;
	}

	#isOwnHost({ headers: { host } }: IncomingMessage): boolean {
		return host !== undefined && this.#sessions.isOwnHost(host);
	}

	#file(request: IncomingMessage, response: ServerResponse, name: string): void {
		const file = this.#page.get(name);
		if (!file) {
			refuse(response, 404, 'there is no such file');
			return;
		}
		if (request.method !== 'GET' && request.method !== 'HEAD') {
			refuse(response, 405, 'this can only be read');
			return;
		}
		const zips = /\bgzip\b/.test(String(request.headers['accept-encoding'] ?? ''));
		const body = zips ? file.zipped : file.body;
		response.writeHead(200, { ...file.headers, ...(zips ? { 'content-encoding': 'gzip' } : {}), 'content-length': body.length });
		response.end(body);
	}

	#logIn(request: IncomingMessage, response: ServerResponse): void {
		const code = request.headers[loginHeader];
		if (request.method !== 'POST' || typeof code !== 'string' || !this.#sessions.isOwnPage(request)) {
			refuse(response, 403, 'a login is only possible from the page of the dashboard');
			return;
		}
		const session = this.#sessions.logIn(code);
		if (!session) {
			refuse(response, 401, 'this address has been used or is too old; run "shardctl dashboard" for a new one');
			return;
		}
		const { cookie, pageKey, rights } = session;
		// Behind a proxy that ends TLS, no request without TLS may carry it.
		const secure = request.headers.origin?.startsWith('https:') === true;
		response.setHeader('set-cookie', secure ? `${cookie}; Secure` : cookie);
		sendJson(response, 200, { pageKey, rights });
	}

	#live(request: IncomingMessage, response: ServerResponse): void {
		const rights = this.#needSession(request, response);
		if (rights === undefined) return;
		const { fleet, feed, clock, redact, maxStreams } = this.#options;
		if (feed.readers >= maxStreams) {
			refuse(response, 429, `this manager already has ${maxStreams} readers`);
			return;
		}
		const gone = new AbortController();
		response.once('close', () => gone.abort());
		const stream = new EventStream(response, { clock, allowedBytes: feed.allowedBytes, redact });
		const hello: DashboardHello = {
			name: fleet.name,
			version: fleet.version,
			pid: process.pid,
			...(this.#whole.node === undefined ? {} : { node: this.#whole.node }),
			rights,
			now: clock.now(),
			events: firstOf(feed.recentEvents()).map((event) => sentence(event, rights)),
		};
		stream.send(eventFrame({ type: 'hello', data: hello }));
		this.#streams.set(stream, rights);
		gone.signal.addEventListener('abort', () => this.#streams.delete(stream), { once: true });
		feed.followStats(stream, { intervalMs: statsIntervalMs, fleet: this.#whole }, gone.signal);
		if (!fleet.cluster) return;
		this.#showNodes();
		// Those that are reported meanwhile arrive twice, which the page notices.
		this.#whole
			.earlierEvents()
			.then((earlier) => {
				if (gone.signal.aborted || earlier.length === 0) return;
				stream.send(eventFrame({ type: 'events', data: firstOf(earlier).map((event) => sentence(event, rights)) }));
			})
			.catch(() => {});
	}

	#readHistory(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
		if (this.#needSession(request, response) === undefined) return;
		const range: HistoryRange = query.get('range') === 'day' ? 'day' : 'hour';
		const worker = query.get('worker');
		sendJson(response, 200, worker === null ? this.#history.read(range) : this.#workers.read(Number(worker), range));
	}

	/** The rights of a request for data; undefined where it was refused. */
	#needSession(request: IncomingMessage, response: ServerResponse): SessionRights | undefined {
		const rights = request.method === 'GET' ? this.#sessions.rightsOf(request) : 'none';
		if (rights !== 'none') return rights;
		refuse(response, 401, 'log in with the address that "shardctl dashboard" prints');
		return undefined;
	}

	async #sample(): Promise<void> {
		const stats = await this.#whole.getStats();
		const at = this.#options.clock.now();
		const point = historyPoint(at, stats, this.#restBefore);
		this.#restBefore = stats.rest && { at, requests: stats.rest.requests };
		this.#history.add(point);
		this.#workers.add(at, stats);
		if (this.#streams.size > 0) this.#send(eventFrame({ type: 'point', data: point }));
	}

	/** Sends the nodes, and follows their events, while a page is open. What cannot be read now is tried again a second later. */
	#showNodes(): void {
		if (this.#streams.size === 0) {
			this.#following?.abort();
			this.#following = undefined;
			return;
		}
		this.#followOthers();
		if (this.#reads) return;
		this.#reads = true;
		this.#whole
			.readCluster()
			.then((cluster) => cluster && this.#send(eventFrame({ type: 'cluster', data: cluster })))
			.catch(() => {})
			.finally(() => {
				this.#reads = false;
			});
	}

	#followOthers(): void {
		if (this.#following) return;
		const following = new AbortController();
		this.#following = following;
		const notYet = () => {
			if (this.#following === following) this.#following = undefined;
		};
		this.#whole
			.followEvents((event) => this.event(event), following.signal)
			.then((follows) => {
				if (!follows) notYet();
			}, notYet);
	}

	#send(frame: Buffer): void {
		for (const stream of this.#streams.keys()) stream.send(frame);
	}
}

/** What a bot wrote is not for a page that may only read. */
function sentence(event: FleetEvent, rights: SessionRights): DashboardEvent {
	const { seq, at, type, node } = event;
	const sentenced: DashboardEvent = { seq, at, type, ...describeEvent(event), ...(node === undefined ? {} : { node }) };
	if (event.type === 'gateway:notice') return { ...sentenced, notice: { kind: event.kind, shardIds: event.shardIds } };
	if (event.type !== 'worker:exited') return sentenced;
	const { reason, stack, stderrTail } = event.exit;
	const lines = rights === 'act' ? stderrTail.slice(-keptLines) : [];
	return { ...sentenced, exit: { workerId: event.workerId, reason, stack, stderrTail: lines } };
}

/** The latest, and those before that a developer has to look at. */
function firstOf(events: readonly FleetEvent[]): FleetEvent[] {
	const earlier = events.slice(0, -firstEvents).filter(isSetAside);
	return [...earlier.slice(-keptSetAside), ...events.slice(-firstEvents)];
}

function isSetAside(event: FleetEvent): boolean {
	return event.type === 'gateway:notice' && event.kind === 'events:poisoned';
}

function refuse(response: ServerResponse, status: number, message: string): void {
	sendJson(response, status, { error: { code: status === 401 ? 'UNAUTHORIZED' : 'FORBIDDEN', message } });
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, {
		'content-type': 'application/json',
		'cache-control': 'no-store',
		'x-content-type-options': 'nosniff',
	});
	response.end(`${JSON.stringify(body)}\n`);
}
