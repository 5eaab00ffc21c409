// Starts the processes of the gateway's benchmark: Discord and the reading client, and what is between them on each path.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gatewayConfigVariable } from '@shardctl/core';
import { gatewayExecArgv } from '../../../packages/manager/dist/gateways/gateway-exec-argv.js';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));

export function startSource(host) {
	return host.process(file('./source-main.mjs')).peer;
}

export function startSink(host) {
	return host.process(file('./sink-main.mjs')).peer;
}

/** A gateway process as the manager starts it, for all shards of one Discord: `{ pid, url, api, stats(), end() }`. */
export async function startGateway(host, { discord, shards, compression = 'none' }) {
	const snapshotDir = mkdtempSync(join(tmpdir(), 'shardctl-bench-gateway-'));
	const config = {
		gatewayId: 0,
		epoch: 1,
		shardIds: Array.from({ length: shards }, (_, id) => id),
		layout: { generation: 0, totalShards: shards, sessions: shards },
		api: discord.api,
		gateway: {
			url: discord.url,
			shards,
			session_start_limit: { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: shards },
		},
		port: 0,
		snapshotDir,
		delivery: 'at-most-once',
		compression,
		workers: [],
		buffer: { events: 100_000, bytes: 256 * 2 ** 20, ageMs: 600_000 },
	};
	const main = fileURLToPath(import.meta.resolve('@shardctl/gateway/process'));
	const { child, peer } = host.process(main, {
		execArgv: [...gatewayExecArgv],
		env: { DISCORD_TOKEN: discord.token, [gatewayConfigVariable]: JSON.stringify(config) },
	});
	let lastSlot = 0;
	peer.handle('identify.acquire', () => ({ slotId: ++lastSlot }));
	const port = await new Promise((resolve) => peer.on('listening', (listening) => resolve(listening.port)));
	return {
		pid: child.pid,
		url: `ws://127.0.0.1:${port}`,
		api: `http://127.0.0.1:${port}/api`,
		stats: () => peer.request('stats', null),
		async end() {
			const exited = once(child, 'exit');
			await peer.request('shutdown', { reason: 'the benchmark is done', keepSessions: false }, { timeoutMs: 10_000 });
			await exited;
			rmSync(snapshotDir, { recursive: true, force: true });
		},
	};
}

/** The bare relay: `{ pid, url }`. */
export async function startRelay(host, { discord }) {
	const { child } = host.process(file('./relay-main.mjs'), {
		env: { BENCH_UPSTREAM: discord.url, DISCORD_TOKEN: discord.token },
	});
	const [{ port }] = await once(child, 'message');
	return { pid: child.pid, url: `ws://127.0.0.1:${port}` };
}

/** Starts a worker, lets it log in, and returns how long that took until it was ready with all of its guilds. */
export async function workerReady(host, { api, token, guilds }) {
	const { child } = host.process(file('./client-main.cjs'), { env: { BENCH_API: api, DISCORD_TOKEN: token } });
	await once(child, 'message');
	child.send('log in');
	const [report] = await once(child, 'message');
	if (report.guilds !== guilds) throw new Error(`the worker has ${report.guilds} of ${guilds} guilds`);
	return report.tookMs;
}
