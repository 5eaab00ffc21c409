// Serves the control API of one manager: HTTP with JSON over a Unix socket that only this user can open.
import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { messageOf } from '@shardctl/core';
import type { ShardManager } from '../shard-manager.js';
import { takeLock } from './lock.js';
import { lockPath, socketPath } from './state-dir.js';

export interface ControlOptions {
	port?: number;
	host?: string;
	token?: string;
}

export interface Control {
	close(): Promise<void>;
}

type Route = (manager: ShardManager, query: URLSearchParams) => unknown;

const routes = new Map<string, Route>([
	['GET /v1/stats', (manager, query) => manager.getStats({ fresh: query.get('fresh') === 'true' })],
	[
		'POST /v1/stop',
		(manager) => {
			setImmediate(() => void manager.stop());
			return { stopping: true };
		},
	],
]);

/** Takes the manager's name and opens its socket. Throws `MANAGER_RUNNING` when another one has it. */
export async function startControl(manager: ShardManager, _options: ControlOptions): Promise<Control> {
	const lock = takeLock(lockPath(manager.name), manager.name);
	const path = socketPath(manager.name);
	const server = createServer((request, response) => void answer(manager, request, response));
	try {
		if (process.platform !== 'win32') rmSync(path, { force: true });
		await new Promise<void>((resolve, reject) => {
			server.once('error', reject);
			server.listen(path, resolve);
		});
		if (process.platform !== 'win32') chmodSync(path, 0o600);
	} catch (error) {
		lock.release();
		throw error;
	}
	return {
		async close() {
			server.closeAllConnections();
			await new Promise<void>((resolve) => server.close(() => resolve()));
			lock.release();
		},
	};
}

async function answer(manager: ShardManager, request: IncomingMessage, response: ServerResponse): Promise<void> {
	const url = new URL(request.url ?? '/', 'http://manager');
	const route = routes.get(`${request.method} ${url.pathname}`);
	try {
		if (!route)
			return send(response, 404, { error: { code: 'METHOD_NOT_FOUND', message: `no ${request.method} ${url.pathname} here` } });
		send(response, 200, await route(manager, url.searchParams));
	} catch (error) {
		send(response, 500, { error: { code: (error as { code?: unknown }).code ?? 'INTERNAL', message: messageOf(error) } });
	}
}

function send(response: ServerResponse, status: number, body: unknown): void {
	response.writeHead(status, { 'content-type': 'application/json' });
	response.end(JSON.stringify(body));
}
