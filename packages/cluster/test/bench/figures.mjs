// Figures of the cluster on a redis-server of its own: a call to another node beside the same round trip over plain pub/sub, taking turns in
// one run; the commands that an idle node sends; the memory that saved state takes.     node packages/cluster/test/bench/figures.mjs
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ClusterNode, clusterKeys, IoredisPort, MessageSeal, NodeBus, RedisSnapshotStore, timingsFor } from '@shardctl/cluster';

const blocks = 12;
const callsABlock = 400;
const idleSeconds = 30;

const dir = mkdtempSync(join(tmpdir(), 'shardctl-bench-'));
const probe = createServer().listen(0, '127.0.0.1');
await once(probe, 'listening');
const { port } = probe.address();
await new Promise((resolve) => probe.close(resolve));
const server = spawn(
	process.env.SHARDCTL_TEST_REDIS ?? 'redis-server',
	['--port', port, '--bind', '127.0.0.1', '--dir', dir, '--save', ''],
	{
		stdio: 'ignore',
	},
);
const url = `redis://127.0.0.1:${port}`;
const open = [];
const connect = async () => {
	const redis = new IoredisPort({ url });
	open.push(redis);
	await redis.ready(20_000);
	return redis;
};
try {
	const admin = await connect();
	await calls();
	await idle(admin);
	await memory(admin);
} finally {
	await Promise.all(open.map((redis) => redis.close()));
	server.kill('SIGKILL');
	await once(server, 'exit');
	rmSync(dir, { recursive: true, force: true });
}

async function calls() {
	const [one, other] = [await connect(), await connect()];
	const payload = { guild: '123456789012345678', text: 'x'.repeat(60) };
	// Plain: a channel for each side, JSON, one call at a time.
	let answered;
	await one.subscribe('plain:one', () => answered());
	await other.subscribe(
		'plain:other',
		(message) => void other.publish('plain:one', JSON.stringify(JSON.parse(message.toString()))),
	);
	const plain = () =>
		new Promise((resolve) => {
			answered = resolve;
			void one.publish('plain:other', JSON.stringify(payload));
		});
	const keys = clusterKeys('bench');
	const seal = new MessageSeal({ secret: 'a secret of this benchmark', applicationId: '1' });
	const bus = (redis, node) => new NodeBus({ redis, keys, node, seal, serve: (peer) => peer.handle('echo', (value) => value) });
	const [a, b] = [bus(one, 'a'), bus(other, 'b')];
	await Promise.all([a.start(), b.start()]);
	const peer = await a.peer('b');
	const ways = { 'plain pub/sub': plain, 'call to a node': () => peer.request('echo', payload) };
	const times = Object.fromEntries(Object.keys(ways).map((name) => [name, []]));
	for (let block = 0; block < blocks; block++) {
		for (const [name, call] of Object.entries(ways)) {
			for (let n = 0; n < callsABlock; n++) {
				const begun = performance.now();
				await call();
				// The first block warms up.
				if (block > 0) times[name].push(performance.now() - begun);
			}
		}
	}
	const at = (name, share) => times[name].sort((x, y) => x - y)[Math.floor(times[name].length * share)];
	for (const name of Object.keys(ways)) {
		print(`${name}: p50 ${at(name, 0.5).toFixed(3)} ms, p99 ${at(name, 0.99).toFixed(3)} ms (${times[name].length} calls)`);
	}
	print(`p50 of a call: ${(at('call to a node', 0.5) / at('plain pub/sub', 0.5)).toFixed(2)} × plain pub/sub`);
	await Promise.all([a.close(), b.close()]);
}

async function idle(admin) {
	const host = { own() {}, disown() {}, muted() {}, unmuted() {}, prepare: async () => {}, handOver: async () => '{}' };
	const nodes = [];
	for (const name of ['a', 'b', 'c']) {
		const node = new ClusterNode({
			redis: await connect(),
			keys: clusterKeys('idle'),
			timings: timingsFor(),
			host,
			member: { name, version: '0', pid: process.pid, startedAt: Date.now(), capacity: 100 },
			layout: { totalShards: 96, sessions: 96 },
			assignAhead: 100,
		});
		await node.start();
		nodes.push(node);
	}
	while (nodes.reduce((sum, { state }) => sum + state.sessions.length, 0) < 96) await delay(200);
	// Until the rebalancing has found nothing to do.
	await delay(15_000);
	const count = async () => {
		const [info] = await admin.batch([['INFO', 'commandstats']]);
		const counts = [...info.toString().matchAll(/cmdstat_(evalsha|eval|publish|ping):calls=(\d+)/g)];
		return counts.reduce((sum, [, , calls]) => sum + Number(calls), 0);
	};
	const before = await count();
	await delay(idleSeconds * 1000);
	const sent = (await count()) - before;
	print(`idle: ${(sent / idleSeconds / nodes.length).toFixed(2)} commands a second for each of 3 nodes with 96 sessions`);
	await Promise.all(nodes.map((node) => node.stop()));
}

async function memory(admin) {
	const used = async () => Number(/used_memory:(\d+)/.exec((await admin.batch([['INFO', 'memory']]))[0].toString())[1]);
	const before = await used();
	const store = new RedisSnapshotStore({ redis: admin, keys: clusterKeys('memory'), scope: '0' });
	const bytes = 8 * 2 ** 20;
	await store.write('state', Buffer.alloc(bytes, 'a guild, '), '1');
	print(
		`saved state: ${(((await used()) - before) / bytes).toFixed(2)} bytes of Redis for each byte (${bytes / 2 ** 20} MB in pieces)`,
	);
}

function print(line) {
	process.stdout.write(`${line}\n`);
}
