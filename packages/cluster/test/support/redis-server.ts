// Real Redis servers for tests, as children on loopback. Without redis-server the tests are skipped, with one notice that says so.
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { waitFor } from '@shardctl/test-support';
import { describe } from 'vitest';
import { IoredisPort, type IoredisPortOptions } from '../../src/redis/ioredis-port.js';

function findServer(): string | undefined {
	return process.env.SHARDCTL_TEST_REDIS || findProgram('redis-server', 'valkey-server');
}

function findProgram(...names: readonly string[]): string | undefined {
	return (process.env.PATH ?? '')
		.split(delimiter)
		.flatMap((folder) => names.map((name) => join(folder, name)))
		.find((path) => {
			try {
				accessSync(path, constants.X_OK);
				return true;
			} catch {
				return false;
			}
		});
}

const serverPath = findServer();

/** A suite that needs a real Redis. `covers` is what stays untested where there is none. */
export function describeWithRedis(covers: string, body: () => void): void {
	if (!serverPath) {
		process.stderr.write(
			`NOT TESTED, because neither redis-server nor valkey-server is on the PATH (or in SHARDCTL_TEST_REDIS): ${covers}\n`,
		);
	}
	// oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- both are the caller's.
	describe.skipIf(!serverPath)(covers, body);
}

/** A suite that needs this very server. */
export function describeWithServer(
	name: 'redis-server' | 'valkey-server',
	covers: string,
	body: (program: string) => void,
): void {
	const program = findProgram(name);
	if (!program) process.stderr.write(`NOT TESTED, because ${name} is not on the PATH: ${covers}\n`);
	// oxlint-disable-next-line vitest/valid-title, vitest/valid-describe-callback -- both are the caller's.
	describe.skipIf(!program)(covers, () => body(program as string));
}

export interface RedisServer {
	readonly port: number;
	readonly url: string;
	readonly pid: number;
	/** Stops it hard and starts it again on the same port; with what it had saved, if it was started with `persist` and not `empty`. */
	restart(options?: { empty?: boolean }): Promise<void>;
	kill(signal: NodeJS.Signals): void;
	close(): Promise<void>;
}

export interface RedisServerOptions {
	/** The server (default: the first that there is). */
	program?: string;
	/** Further arguments of redis-server. */
	args?: readonly string[];
	/** Keeps every write in a file, so that a restart has them. */
	persist?: boolean;
	/** The lines of a Sentinel, which this is then. */
	sentinel?: readonly string[];
	/** The address that it listens on (default 127.0.0.1). */
	host?: string;
	/** Files of the server's own certificate; it then accepts TLS only. */
	tls?: { readonly ca: string; readonly cert: string; readonly key: string; readonly clients: 'yes' | 'no' };
}

export async function redisServer(options: RedisServerOptions = {}): Promise<RedisServer> {
	const { program = serverPath as string, args = [], persist = false, sentinel, host = '127.0.0.1', tls } = options;
	const dir = mkdtempSync(join(tmpdir(), 'shardctl-redis-'));
	const port = await freePort();
	let child: ChildProcess | undefined;
	const start = async () => {
		const common = ['--bind', host, '--dir', dir];
		const ports = tls ? ['--port', '0', '--tls-port', String(port)] : ['--port', String(port)];
		const certificates = tls
			? ['--tls-ca-cert-file', tls.ca, '--tls-cert-file', tls.cert, '--tls-key-file', tls.key, '--tls-auth-clients', tls.clients]
			: [];
		const files = persist ? ['--appendonly', 'yes', '--appendfsync', 'always'] : [];
		const role = [];
		if (sentinel) {
			const config = join(dir, 'sentinel.conf');
			writeFileSync(config, `${sentinel.join('\n')}\n`);
			role.push(config, '--sentinel');
		} else files.push('--save', '');
		const started = spawn(program, [...role, ...ports, ...common, ...certificates, ...files, ...args], {
			stdio: ['ignore', 'pipe', 'inherit'],
		});
		child = started;
		let output = '';
		started.stdout?.on('data', (chunk: Buffer) => {
			output += chunk.toString();
		});
		await waitFor(
			'redis-server to accept connections',
			() => /Ready to accept connections|Sentinel ID is/.test(output) || started.exitCode !== null,
		);
		if (started.exitCode !== null) throw new Error(`redis-server did not start: ${output}`);
	};
	const end = async () => {
		const ending = child;
		child = undefined;
		if (!ending || ending.exitCode !== null || ending.signalCode !== null) return;
		const exited = new Promise<void>((resolve) => ending.once('exit', () => resolve()));
		ending.kill('SIGKILL');
		await exited;
	};
	await start();
	return {
		port,
		url: `${tls ? 'rediss' : 'redis'}://${host.includes(':') ? `[${host}]` : host}:${port}`,
		get pid() {
			return child?.pid as number;
		},
		restart: async ({ empty = false } = {}) => {
			await end();
			if (empty) rmSync(join(dir, 'appendonlydir'), { recursive: true, force: true });
			await start();
		},
		kill: (signal) => {
			child?.kill(signal);
		},
		close: async () => {
			await end();
			rmSync(dir, { recursive: true, force: true });
		},
	};
}

/** A connection to a server that is ready. */
export async function connectTo(
	server: Pick<RedisServer, 'url'>,
	options: Omit<IoredisPortOptions, 'url'> = {},
	readyMs = 20_000,
): Promise<IoredisPort> {
	const port = new IoredisPort({ url: server.url, ...options });
	try {
		await port.ready(readyMs);
	} catch (error) {
		await port.close();
		throw error;
	}
	return port;
}

async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}
