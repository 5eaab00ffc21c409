// Serves the control API of one fleet: on a Unix socket that only this user can open, and over TCP with a token if configured. Owns the
// sockets, the lock and the feed.
import { chmodSync, rmSync } from 'node:fs';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { type Clock, type Deferred, deferred, every, messageOf, ShardctlError } from '@shardctl/core';
import type { Logger } from 'pino';
import type { Dashboard } from '../dashboard/dashboard.js';
import { FleetFeed } from '../feed/fleet-feed.js';
import type { ServedFleet } from '../fleet/cluster.js';
import type { Fleet } from '../fleet/fleet.js';
import type { FleetEnd } from '../history/ended-fleet.js';
import { killedFleet, writeEnd } from '../history/ended-fleet.js';
import { Journal } from '../history/journal.js';
import { type Lock, takeLock } from '../state-dir/lock.js';
import { processIdentity } from '../state-dir/process-identity.js';
import { shownArguments } from '../state-dir/shown-arguments.js';
import { socketPath, stateDir } from '../state-dir/state-dir.js';
import { bearerCheck, keptToken } from './bearer.js';
import { type ControlOptions, shortestToken } from './control-options.js';
import { createDoor, type Door } from './door.js';
import { noRedaction, redactionOf } from './redaction.js';
import { type Access, maxStreams, requestHandler } from './request-handler.js';

export interface ControlSetup {
	file: string;
	logger: Logger;
	clock: Clock;
	/** Of the bot: it leaves over TCP in no value. */
	token?: string | undefined;
}

export interface Control {
	/** Base URL over TCP; undefined where it is not served. */
	readonly url: string | undefined;
	/** The file with the generated token; undefined if a token was given. */
	readonly tokenFile: string | undefined;
	/** The file with the generated token for reading; undefined if one was given. */
	readonly readTokenFile: string | undefined;
	/** Keeps how the fleet ended, frees the name, responds to requests that wait for the stop, ends every stream. */
	close(end: FleetEnd): Promise<void>;
}

/** Connections over TCP without a request that is allowed. Those of this user's programs, which may connect all at once, are limited in time. */
const mostUnproven = { overTcp: 1024, locally: Number.POSITIVE_INFINITY };
/** Requests without the right token are logged at most this often. */
const unauthorisedLogMs = 1000;
/** How often the record says that its manager is alive. */
const aliveMs = 5000;
/** How long clients have to read their last response before their connection is closed. */
const closeGraceMs = 1000;
const defaultHost = '127.0.0.1';
/** Where the dashboard is served unless a port was chosen: the same after a restart, so that a page finds its fleet again. */
const dashboardPort = 7462;

/** How the control API is served over TCP. */
interface TcpAddress {
	url: string;
	token: string;
	/** The files of the tokens, where they were generated. */
	tokenFile: string | undefined;
	readTokenFile: string | undefined;
}

/** Takes the manager's name and opens its sockets. Throws `MANAGER_RUNNING`, `ADDRESS_IN_USE` or `STATE_DIR_UNUSABLE`. */
export async function startControl(fleet: ServedFleet, options: ControlOptions, setup: ControlSetup): Promise<Control> {
	const { logger, clock, file } = setup;
	const { name } = fleet;
	const dir = stateDir();
	const path = socketPath(dir, name);
	const command = shownArguments(process.argv.slice(1));
	const record = { ...processIdentity(), name, cwd: process.cwd(), file, since: clock.now(), command };
	const lock = await takeLock(dir, record, (owner) => writeEnd(dir, killedFleet(dir, owner)));
	const journal = openJournal(dir, fleet, setup);
	const feed = new FleetFeed(fleet, clock, (event) => {
		journal?.event(event);
		serving.dashboard?.event(event);
	});
	fleet.cluster?.serve({
		recentEvents: () => feed.recentEvents(),
		followEvents: (sink, { tail }, signal) => {
			feed.followEvents(sink, { after: (feed.recentEvents().at(-1)?.seq ?? 0) - tail }, signal);
		},
		followLogs: (sink, options, signal) => feed.followLogs(sink, options, signal),
	});
	const stopTouching = every(clock, aliveMs, () => lock.touch());
	const closing = deferred();
	const doors: Door[] = [];
	const serving: Serving = { doors, lock, feed, journal, dashboard: undefined, stopTouching, clock, closing };
	const onUnauthorised = unauthorisedLog(logger, clock);
	const handling = { fleet, feed, clock, closing: closing.promise, onUnauthorised, openDashboard };
	const redaction = redactionOf(setup.token);
	let tcp: TcpAddress | undefined;
	const open = (access: Omit<Access, 'onServed'>, mostUnproven: number) => {
		const door = createDoor({
			clock,
			logger,
			mostUnproven,
			listener: (onServed) => requestHandler(handling, { ...access, onServed }),
		});
		doors.push(door);
		return door.server;
	};

	/** Serves over TCP as well. The tokens are those of the options or the environment, else generated and kept. */
	async function openTcp(listen: (server: Server) => Promise<string>): Promise<TcpAddress> {
		const given = options.token ?? givenToken('SHARDCTL_CONTROL_TOKEN');
		const givenToRead = options.readToken ?? givenToken('SHARDCTL_CONTROL_READ_TOKEN');
		const tokenFile = given === undefined ? join(dir, `${name}.token`) : undefined;
		const readTokenFile = givenToRead === undefined ? join(dir, `${name}.read-token`) : undefined;
		const token = given ?? keptToken(tokenFile as string);
		const mayAct = bearerCheck(token);
		const mayRead = bearerCheck(givenToRead ?? keptToken(readTokenFile as string));
		const server = open(
			{
				rightsOf(request) {
					const { authorization } = request.headers;
					if (mayAct(authorization)) return 'act';
					if (mayRead(authorization)) return 'read';
					return serving.dashboard?.rightsOf(request) ?? 'none';
				},
				allowEval: options.allowEval ?? false,
				dashboard: () => serving.dashboard,
				redaction,
			},
			mostUnproven.overTcp,
		);
		const url = await listen(server);
		logger.info(
			{ url, ...(tokenFile ? { tokenFile } : {}), ...(readTokenFile ? { readTokenFile } : {}) },
			`control API on ${url}${tokenFile ? `; its token is in ${tokenFile}` : ''}${readTokenFile ? `; the token for reading is in ${readTokenFile}` : ''}`,
		);
		return { url, token, tokenFile, readTokenFile };
	}

	/** Serves the dashboard from now on. */
	async function serveDashboard(): Promise<TcpAddress> {
		const { dashboard } = options;
		const address =
			typeof dashboard === 'number' && dashboard !== options.port
				? await openTcp((server) => listenOnTcp(server, { port: dashboard, host: options.host ?? defaultHost }))
				: (tcp ?? (await openTcp((server) => listenOnPreferredPort(server, options.host ?? defaultHost))));
		tcp ??= address;
		const { Dashboard } = await import('../dashboard/dashboard.js');
		const { host, dashboardHosts = [], dashboardReadOnly: readOnly = false } = options;
		const hosts = host === undefined ? dashboardHosts : [host, ...dashboardHosts];
		serving.dashboard = new Dashboard({
			fleet,
			feed,
			clock,
			secret: address.token,
			readOnly,
			hosts,
			redact: redaction.bytes,
			maxStreams,
		});
		return address;
	}

	let dashboardServed: Promise<TcpAddress> | undefined;
	async function openDashboard({ readOnly }: { readOnly: boolean }) {
		dashboardServed ??= serveDashboard();
		// A port that is taken now may be free when it is asked for again.
		dashboardServed.catch(() => {
			dashboardServed = undefined;
		});
		const { url } = await dashboardServed;
		const mayOnlyRead = readOnly || options.dashboardReadOnly === true;
		const { code, expiresAt } = (serving.dashboard as Dashboard).createLogin(mayOnlyRead ? 'read' : 'act');
		return { url: `${reachable(url)}/dashboard/#login=${code}`, expiresAt, readOnly: mayOnlyRead };
	}

	try {
		const local = open({ rightsOf: () => 'act', allowEval: true, redaction: noRedaction }, mostUnproven.locally);
		await listenLocally(local, path);
		const { port, dashboard } = options;
		if (port !== undefined) tcp = await openTcp((server) => listenOnTcp(server, { port, host: options.host ?? defaultHost }));
		if (dashboard !== undefined && dashboard !== false) {
			dashboardServed = serveDashboard();
			const address = `${reachable((await dashboardServed).url)}/dashboard`;
			logger.info({ url: address }, `dashboard on ${address}; log in with "shardctl dashboard"`);
		}
		return {
			get url() {
				return tcp?.url;
			},
			get tokenFile() {
				return tcp?.tokenFile;
			},
			get readTokenFile() {
				return tcp?.readTokenFile;
			},
			close(end) {
				writeEnd(dir, { ...record, endedAt: clock.now(), end });
				return close(serving);
			},
		};
	} catch (error) {
		await close(serving);
		throw error;
	}
}

/** The token of the environment variable; as with the option, a short one is rejected. */
function givenToken(variable: 'SHARDCTL_CONTROL_TOKEN' | 'SHARDCTL_CONTROL_READ_TOKEN'): string | undefined {
	const token = process.env[variable];
	if (token === undefined || token === '' || token.length >= shortestToken) return token || undefined;
	throw new ShardctlError(
		'OPTIONS_INVALID',
		`${variable} must have at least ${shortestToken} characters, because ${variable === 'SHARDCTL_CONTROL_TOKEN' ? 'it gives full control of the fleet' : 'it can be guessed otherwise'}`,
	);
}

/** A fleet runs without its history where that cannot be written. */
function openJournal(dir: string, fleet: Fleet, { clock, logger }: ControlSetup): Journal | undefined {
	try {
		return new Journal(dir, fleet, clock);
	} catch (error) {
		logger.warn({ err: error }, `the history of this fleet cannot be written: ${messageOf(error)}`);
		return undefined;
	}
}

interface Serving {
	doors: Door[];
	lock: Lock;
	feed: FleetFeed;
	journal: Journal | undefined;
	/** From when it was asked for. */
	dashboard: Dashboard | undefined;
	stopTouching: () => void;
	clock: Clock;
	closing: Deferred<void>;
}

async function close({ doors, lock, feed, journal, dashboard, stopTouching, clock, closing }: Serving): Promise<void> {
	// It no longer listens, and the lock is released: a client that gets its "stopped" below can start the next manager immediately.
	const closed = doors.map((door) => door.close());
	stopTouching();
	journal?.close();
	dashboard?.close();
	lock.release();
	closing.resolve();
	feed.close();
	for (const { server } of doors) server.closeIdleConnections();
	const cutOff = clock.setTimeout(() => {
		for (const { server } of doors) server.closeAllConnections();
	}, closeGraceMs);
	await Promise.all(closed);
	clock.clearTimeout(cutOff);
}

async function listenLocally(server: Server, path: string): Promise<void> {
	// This manager holds the lock, so a socket that still exists was left behind by a manager that was killed.
	if (process.platform !== 'win32') rmSync(path, { force: true });
	await listening(server, () => forThisUserAlone(() => server.listen(path)), path);
	if (process.platform !== 'win32') chmodSync(path, 0o600);
}

/** The socket is created in the same turn; with the right mode from the start, no other user connects before that is set. */
function forThisUserAlone(create: () => void): void {
	const umask = process.platform === 'win32' || !isMainThread ? undefined : process.umask(0o177);
	try {
		create();
	} finally {
		if (umask !== undefined) process.umask(umask);
	}
}

async function listenOnTcp(server: Server, { port, host }: { port: number; host: string }): Promise<string> {
	await listening(server, () => server.listen(port, host), `${host}:${port}`);
	const { address, family, port: bound } = server.address() as AddressInfo;
	return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
}

/** The dashboard's own port, or any other where that is taken. */
async function listenOnPreferredPort(server: Server, host: string): Promise<string> {
	try {
		return await listenOnTcp(server, { port: dashboardPort, host });
	} catch (error) {
		if (!ShardctlError.is(error) || error.code !== 'ADDRESS_IN_USE') throw error;
		return listenOnTcp(server, { port: 0, host });
	}
}

/** An address for a browser on this machine: one that means every address cannot be opened. */
function reachable(url: string): string {
	return url.replace('//0.0.0.0:', '//127.0.0.1:').replace('//[::]:', '//[::1]:');
}

function listening(server: Server, listen: () => void, where: string): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', (cause: NodeJS.ErrnoException) => {
			const inUse = cause.code === 'EADDRINUSE';
			const why = inUse ? 'another program uses that address' : cause.message;
			reject(
				new ShardctlError(inUse ? 'ADDRESS_IN_USE' : 'OPTIONS_INVALID', `the control API cannot listen on ${where}: ${why}`, {
					cause,
				}),
			);
		});
		server.once('listening', resolve);
		listen();
	});
}

/** At most one line a second, with the number of attempts since the last. */
function unauthorisedLog(logger: Logger, clock: Clock): (request: IncomingMessage) => void {
	let attempts = 0;
	let lastAt = Number.NEGATIVE_INFINITY;
	return ({ socket, method, url }) => {
		attempts++;
		if (clock.monotonic() - lastAt < unauthorisedLogMs) return;
		lastAt = clock.monotonic();
		logger.warn(
			{ from: socket.remoteAddress, method, path: url?.split('?')[0], attempts },
			`control API: rejected a request from ${socket.remoteAddress ?? 'an unknown address'} without a valid token`,
		);
		attempts = 0;
	};
}
