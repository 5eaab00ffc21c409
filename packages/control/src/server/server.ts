// Serves the control API of one manager: on a Unix socket that only this user can open, and over TCP behind a token where that
// was asked for. Owns the sockets, the lock and the feed.
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { type Clock, ShardctlError } from '@shardctl/core';
import type { Logger } from 'pino';
import { FleetFeed } from '../feed/fleet-feed.js';
import type { Fleet } from '../fleet/fleet.js';
import { type Lock, takeLock } from '../state-dir/lock.js';
import { processIdentity } from '../state-dir/process-identity.js';
import { socketPath, stateDir } from '../state-dir/state-dir.js';
import { bearerCheck, keptToken } from './bearer.js';
import { type ControlOptions, shortestToken } from './control-options.js';
import { type Door, requestHandler } from './request-handler.js';

export interface ControlSetup {
	file: string;
	logger: Logger;
	clock: Clock;
}

export interface Control {
	/** Base URL over TCP; undefined where it is not served. */
	readonly url: string | undefined;
	/** The file that holds the token that was made up; undefined where one was given. */
	readonly tokenFile: string | undefined;
	/** Frees the name, answers those who wait for the stop, ends every stream. */
	close(): Promise<void>;
}

const limits = { requestTimeout: 30_000, headersTimeout: 10_000, keepAliveTimeout: 5000 };
const maxConnections = 8192;
/** Attempts without the token are logged, but not each of a flood. */
const refusalLogMs = 1000;
/** How long those who are being answered have to read it. */
const farewellMs = 1000;

/** Takes the manager's name and opens its sockets. Throws `MANAGER_RUNNING`, `ADDRESS_IN_USE` or `STATE_DIR_UNUSABLE`. */
export async function startControl(fleet: Fleet, options: ControlOptions, setup: ControlSetup): Promise<Control> {
	const { logger, clock, file } = setup;
	const { name } = fleet;
	const dir = stateDir();
	const path = socketPath(dir, name);
	const record = { ...processIdentity(), name, cwd: process.cwd(), file, since: Date.now() };
	const lock = await takeLock(dir, record);
	const feed = new FleetFeed(fleet, clock);
	let drain: () => void = () => {};
	const drained = new Promise<void>((resolve) => {
		drain = resolve;
	});
	const serving = { fleet, feed, clock, drained, onRefused: refusalLog(logger, clock) };
	const servers: Server[] = [];
	let tokenFile: string | undefined;
	const open = (door: Door) => {
		const server = createServer(limits, requestHandler(serving, door));
		server.maxConnections = maxConnections;
		servers.push(server);
		return server;
	};
	try {
		const local = open({ admits: () => true, allowEval: true });
		await listenLocally(local, path);
		let url: string | undefined;
		if (options.port !== undefined) {
			const token = options.token ?? givenToken(process.env);
			if (token === undefined) tokenFile = join(dir, `${name}.token`);
			const isToken = bearerCheck(token ?? keptToken(tokenFile as string));
			const tcp = open({ admits: (request) => isToken(request.headers.authorization), allowEval: options.allowEval ?? false });
			url = await listenOnTcp(tcp, { port: options.port, host: options.host ?? '127.0.0.1' });
			logger.info(
				{ url, ...(tokenFile ? { tokenFile } : {}) },
				`control API on ${url}${tokenFile ? `, its token in ${tokenFile}` : ''}`,
			);
		}
		return { url, tokenFile, close: () => close({ servers, lock, feed, drain }) };
	} catch (error) {
		await close({ servers, lock, feed, drain });
		throw error;
	}
}

/** The variable's token; one that could be guessed is refused, as the option refuses it. */
function givenToken({ SHARDCTL_CONTROL_TOKEN: token }: NodeJS.ProcessEnv): string | undefined {
	if (token === undefined || token === '' || token.length >= shortestToken) return token || undefined;
	throw new ShardctlError(
		'OPTIONS_INVALID',
		`SHARDCTL_CONTROL_TOKEN must have at least ${shortestToken} characters: whoever has it controls the fleet`,
	);
}

async function close({ servers, lock, feed, drain }: { servers: Server[]; lock: Lock; feed: FleetFeed; drain: () => void }) {
	// No longer listening and the lock gone: whoever is told "stopped" below can start the next manager at once.
	const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
	lock.release();
	drain();
	feed.close();
	for (const server of servers) server.closeIdleConnections();
	const cutOff = setTimeout(() => {
		for (const server of servers) server.closeAllConnections();
	}, farewellMs);
	await Promise.all(closed);
	clearTimeout(cutOff);
}

async function listenLocally(server: Server, path: string): Promise<void> {
	// The lock is ours, so a socket that is still here was left by a manager that could not tidy up.
	if (process.platform !== 'win32') rmSync(path, { force: true });
	await listening(server, () => server.listen(path), path);
	if (process.platform !== 'win32') chmodSync(path, 0o600);
}

async function listenOnTcp(server: Server, { port, host }: { port: number; host: string }): Promise<string> {
	await listening(server, () => server.listen(port, host), `${host}:${port}`);
	const { address, family, port: bound } = server.address() as AddressInfo;
	return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`;
}

function listening(server: Server, listen: () => void, where: string): Promise<void> {
	return new Promise((resolve, reject) => {
		server.once('error', (cause: NodeJS.ErrnoException) => {
			const why = cause.code === 'EADDRINUSE' ? 'is taken by another program' : `cannot be listened on: ${cause.message}`;
			const code = cause.code === 'EADDRINUSE' ? 'ADDRESS_IN_USE' : 'OPTIONS_INVALID';
			reject(new ShardctlError(code, `the control API's address ${where} ${why}`, { cause }));
		});
		server.once('listening', resolve);
		listen();
	});
}

/** One line a second at most, with the number of attempts that it stands for. */
function refusalLog(logger: Logger, clock: Clock): (request: IncomingMessage) => void {
	let attempts = 0;
	let lastAt = Number.NEGATIVE_INFINITY;
	return ({ socket, method, url }) => {
		attempts++;
		if (clock.monotonic() - lastAt < refusalLogMs) return;
		lastAt = clock.monotonic();
		logger.warn(
			{ from: socket.remoteAddress, method, path: url?.split('?')[0], attempts },
			`control API: refused a request from ${socket.remoteAddress ?? 'somewhere'} without the right token`,
		);
		attempts = 0;
	};
}
