// Serves the control API of one fleet: on a Unix socket that only this user can open, and over TCP with a token if configured. Owns the
// sockets, the lock and the feed.
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { type Clock, type Deferred, deferred, every, messageOf, ShardctlError } from '@shardctl/core';
import type { Logger } from 'pino';
import { FleetFeed } from '../feed/fleet-feed.js';
import type { Fleet } from '../fleet/fleet.js';
import type { FleetEnd } from '../history/ended-fleet.js';
import { killedFleet, writeEnd } from '../history/ended-fleet.js';
import { Journal } from '../history/journal.js';
import { type Lock, takeLock } from '../state-dir/lock.js';
import { processIdentity } from '../state-dir/process-identity.js';
import { socketPath, stateDir } from '../state-dir/state-dir.js';
import { bearerCheck, keptToken } from './bearer.js';
import { type ControlOptions, shortestToken } from './control-options.js';
import { noRedaction, redactionOf } from './redaction.js';
import { type Access, requestHandler } from './request-handler.js';

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

const limits = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5000 };
const maxConnections = 8192;
/** Requests without the right token are logged at most this often. */
const unauthorisedLogMs = 1000;
/** How often the record says that its manager is alive. */
const aliveMs = 5000;
/** How long clients have to read their last response before their connection is closed. */
const closeGraceMs = 1000;

/** Takes the manager's name and opens its sockets. Throws `MANAGER_RUNNING`, `ADDRESS_IN_USE` or `STATE_DIR_UNUSABLE`. */
export async function startControl(fleet: Fleet, options: ControlOptions, setup: ControlSetup): Promise<Control> {
	const { logger, clock, file } = setup;
	const { name } = fleet;
	const dir = stateDir();
	const path = socketPath(dir, name);
	const command = process.argv.slice(1);
	const record = { ...processIdentity(), name, cwd: process.cwd(), file, since: clock.now(), command };
	const lock = await takeLock(dir, record, (owner) => writeEnd(dir, killedFleet(dir, owner)));
	const journal = openJournal(dir, fleet, setup);
	const feed = new FleetFeed(fleet, clock, (event) => journal?.event(event));
	const stopTouching = every(clock, aliveMs, () => lock.touch());
	const closing = deferred();
	const handling = { fleet, feed, clock, closing: closing.promise, onUnauthorised: unauthorisedLog(logger, clock) };
	const servers: Server[] = [];
	const serving = { servers, lock, feed, journal, stopTouching, clock, closing };
	let tokenFile: string | undefined;
	let readTokenFile: string | undefined;
	const open = (access: Access) => {
		const server = createServer(limits, requestHandler(handling, access));
		server.maxConnections = maxConnections;
		server.on('error', (error) => logger.warn({ err: error }, `control API: ${error.message}`));
		servers.push(server);
		return server;
	};
	try {
		const local = open({ rightsOf: () => 'act', allowEval: true, redaction: noRedaction });
		await listenLocally(local, path);
		let url: string | undefined;
		if (options.port !== undefined) {
			const token = options.token ?? givenToken('SHARDCTL_CONTROL_TOKEN');
			const readToken = options.readToken ?? givenToken('SHARDCTL_CONTROL_READ_TOKEN');
			if (token === undefined) tokenFile = join(dir, `${name}.token`);
			if (readToken === undefined) readTokenFile = join(dir, `${name}.read-token`);
			const mayAct = bearerCheck(token ?? keptToken(tokenFile as string));
			const mayRead = bearerCheck(readToken ?? keptToken(readTokenFile as string));
			const tcp = open({
				rightsOf: ({ headers: { authorization } }) => {
					if (mayAct(authorization)) return 'act';
					return mayRead(authorization) ? 'read' : 'none';
				},
				allowEval: options.allowEval ?? false,
				redaction: redactionOf(setup.token),
			});
			url = await listenOnTcp(tcp, { port: options.port, host: options.host ?? '127.0.0.1' });
			logger.info(
				{ url, ...(tokenFile ? { tokenFile } : {}), ...(readTokenFile ? { readTokenFile } : {}) },
				`control API on ${url}${tokenFile ? `; its token is in ${tokenFile}` : ''}${readTokenFile ? `; the token for reading is in ${readTokenFile}` : ''}`,
			);
		}
		return {
			url,
			tokenFile,
			readTokenFile,
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
	servers: Server[];
	lock: Lock;
	feed: FleetFeed;
	journal: Journal | undefined;
	stopTouching: () => void;
	clock: Clock;
	closing: Deferred<void>;
}

async function close({ servers, lock, feed, journal, stopTouching, clock, closing }: Serving): Promise<void> {
	// It no longer listens, and the lock is released: a client that gets its "stopped" below can start the next manager immediately.
	const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
	stopTouching();
	journal?.close();
	lock.release();
	closing.resolve();
	feed.close();
	for (const server of servers) server.closeIdleConnections();
	const cutOff = clock.setTimeout(() => {
		for (const server of servers) server.closeAllConnections();
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
