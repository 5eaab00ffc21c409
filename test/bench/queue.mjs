// The event queue beside plain Redis, on a redis-server of its own. The same client writes the same events in turns: as pipelined XADD, and as a
// gateway process does. Then a worker whose handler does nothing reads them, and two processes show the delay from an event's arrival at the
// writer to its handler.
//
//   node test/bench/queue.mjs [--events 60000] [--rounds 5] [--seconds 10]
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { IoredisPort } from '@shardctl/cluster';
import { shardIdForGuild, systemClock } from '@shardctl/core';
import { connectQueue, queueKeys, queueLayout, ShardWriter } from '@shardctl/queue';
import { Redis } from 'ioredis';

const applicationId = '80351110224678912';
const token = `${Buffer.from(applicationId).toString('base64')}.abc.def`;
const keys = queueKeys(applicationId);
const shards = 8;
const layout = queueLayout(shards);
const guilds = Array.from({ length: 400 }, (_, n) => String((BigInt(n) * 7919n + 1n) << 22n));
const pipelined = { commands: 100, inFlight: 4 };
const perSecond = 2000;

if (process.send) await worker();
else await main();

async function main() {
	const { values } = parseArgs({
		options: {
			events: { type: 'string', default: '60000' },
			rounds: { type: 'string', default: '5' },
			seconds: { type: 'string', default: '10' },
		},
	});
	const [events, rounds, seconds] = [values.events, values.rounds, values.seconds].map(Number);
	const server = await redisServer();
	const redis = new IoredisPort({ url: server.url });
	await redis.ready(20_000);
	const list = await prepared(events);
	const results = { 'raw XADD': [], writer: [], worker: [] };
	try {
		console.log(
			`${events} events of ${list[0].data.length} bytes, ${guilds.length} guilds, ${shards} shards; ${cpus().length} cores, load ${loadavg()[0].toFixed(1)}`,
		);
		for (let round = 0; round <= rounds; round++) {
			const measured = {
				'raw XADD': await timed(server, () => raw(server.url, list)),
				...(await throughQueue(server, redis, list)),
			};
			// The first round warms up.
			if (round > 0) for (const [name, figures] of Object.entries(measured)) results[name].push(figures);
		}
		for (const [name, all] of Object.entries(results)) {
			const of = (field) => median(all.map((each) => each[field]));
			console.log(
				`${name.padEnd(9)} ${thousands(of('perSecond'))} events/s   ${thousands(of('perCpuSecond'))} a second of its processor time   ` +
					`${(1e6 / of('perCpuSecond')).toFixed(1)} µs each   Redis ${of('redisMicros').toFixed(1)} µs each`,
			);
		}
		for (const field of ['perSecond', 'perCpuSecond']) {
			const ratios = results.writer.map((each, n) => each[field] / results['raw XADD'][n][field]).sort((a, b) => a - b);
			console.log(
				`writer : raw XADD, ${field}: ${median(ratios).toFixed(2)} (${ratios[0].toFixed(2)}-${ratios.at(-1).toFixed(2)})`,
			);
		}
		console.log(await delays(server, redis, seconds));
	} finally {
		await redis.close();
		await server.close();
	}
}

async function timed(server, run) {
	const before = { cpu: process.cpuUsage(), redis: await server.cpuMicros(), at: performance.now() };
	const events = await run();
	const seconds = (performance.now() - before.at) / 1000;
	const { user, system } = process.cpuUsage(before.cpu);
	const redisMicros = ((await server.cpuMicros()) - before.redis) / events;
	return { perSecond: events / seconds, perCpuSecond: events / ((user + system) / 1e6), redisMicros };
}

async function raw(url, list) {
	const redis = new Redis(url);
	await once(redis, 'ready');
	const waiting = new Set();
	for (let from = 0; from < list.length; from += pipelined.commands) {
		const pipeline = redis.pipeline();
		for (const { key, seq, guildId, data } of list.slice(from, from + pipelined.commands)) {
			pipeline.xadd(
				key,
				'MAXLEN',
				'~',
				'100000',
				'*',
				'n',
				seq,
				't',
				'MESSAGE_CREATE',
				's',
				seq,
				'sid',
				'a',
				'g',
				guildId,
				'd',
				data,
			);
		}
		const done = pipeline.exec().finally(() => waiting.delete(done));
		waiting.add(done);
		if (waiting.size >= pipelined.inFlight) await Promise.race(waiting);
	}
	await Promise.all(waiting);
	redis.disconnect();
	return list.length;
}

async function throughQueue(server, redis, list) {
	await redis.batch([['FLUSHALL']]);
	const writers = await startWriters(redis);
	const first = await connectQueue({ group: 'g', events: ['MESSAGE_CREATE'], url: server.url, token });
	await first.close();
	const writing = await timed(server, async () => {
		await writeAll(writers, list);
		return list.length;
	});
	for (const { writer } of writers) writer.stop();
	const queue = await connectQueue({ group: 'g', events: ['MESSAGE_CREATE'], url: server.url, token });
	let handled = 0;
	let running = Promise.resolve();
	queue.handle(() => void handled++);
	const reading = await timed(server, async () => {
		running = queue.run();
		while (handled < list.length) await new Promise((resolve) => setTimeout(resolve, 2));
		return handled;
	});
	await queue.close();
	await running;
	await redis.batch([['FLUSHALL']]);
	return { writer: writing, worker: reading };
}

async function startWriters(redis) {
	const writers = Array.from({ length: shards }, (_, shard) => {
		const state = { position: 0, written: 0, onWritten: () => {} };
		state.writer = new ShardWriter({
			redis,
			keys,
			layout,
			shard,
			clock: systemClock,
			keep: { bytes: 2 ** 30, ageMs: 600_000 },
			onWritten: (position) => {
				state.written = position;
				state.onWritten();
			},
			onChange: () => {},
			onFailed: (error) => {
				throw error;
			},
			onRecovered: () => {},
		});
		state.writer.start();
		return state;
	});
	while (writers.some(({ writer }) => writer.state !== 'writing')) await new Promise((resolve) => setTimeout(resolve, 2));
	await redis.batch([['HSET', keys.meta, 'since', 0]]);
	return writers;
}

/** As fast as the writers take them: a few hundred wait at most, as in a gateway process. */
async function writeAll(writers, list) {
	let next = 0;
	const waiting = () => writers.reduce((sum, { position, written }) => sum + position - written, 0);
	await new Promise((resolve) => {
		const feed = () => {
			while (next < list.length && waiting() < 2000)
				for (let n = 0; n < 64 && next < list.length; n++) push(writers, list[next++]);
			if (next === list.length && waiting() === 0) resolve();
		};
		for (const state of writers) state.onWritten = feed;
		feed();
	});
}

function push(writers, { shard, guildId, data }) {
	const state = writers[shard];
	const position = ++state.position;
	state.writer.push({
		position,
		session: 'a',
		seq: position,
		type: 'MESSAGE_CREATE',
		guildId,
		subjectId: null,
		sizeBytes: data.length,
		data: () => data,
	});
}

async function delays(server, redis, seconds) {
	const writers = await startWriters(redis);
	const child = fork(fileURLToPath(import.meta.url), {
		env: { ...process.env, SHARDCTL_QUEUE: server.url, DISCORD_TOKEN: token },
	});
	await once(child, 'message');
	const begunAt = performance.now();
	let sent = 0;
	await new Promise((resolve) => {
		const timer = setInterval(() => {
			const due = Math.min(seconds * perSecond, Math.floor(((performance.now() - begunAt) / 1000) * perSecond));
			while (sent < due) {
				const guildId = guilds[sent++ % guilds.length];
				push(writers, {
					shard: shardIdForGuild(guildId, shards),
					guildId,
					data: message(guildId, String(process.hrtime.bigint())),
				});
			}
			if (sent < seconds * perSecond) return;
			clearInterval(timer);
			resolve();
		}, 1);
	});
	child.send({ until: sent });
	const [{ micros }] = await once(child, 'message');
	for (const { writer } of writers) writer.stop();
	child.disconnect();
	await once(child, 'exit');
	const sorted = micros.sort((a, b) => a - b);
	const at = (part) => (sorted[Math.floor(part * (sorted.length - 1))] / 1000).toFixed(2);
	return `delay to the handler at ${perSecond} events/s: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, p99.9 ${at(0.999)} ms (${sorted.length} events, load ${loadavg()[0].toFixed(1)})`;
}

async function worker() {
	const micros = [];
	let until = Number.POSITIVE_INFINITY;
	const report = () => {
		if (micros.length >= until) process.send({ micros });
	};
	const queue = await connectQueue({ group: 'g', events: ['MESSAGE_CREATE'] });
	queue.handle(({ data }) => {
		micros.push(Number(process.hrtime.bigint() - BigInt(data.content)) / 1000);
		report();
	});
	process.on('message', (message) => {
		until = message.until;
		report();
	});
	process.once('disconnect', () => void queue.close());
	const running = queue.run();
	while (queue.stats().partitions < layout.shards * layout.perShard) await new Promise((resolve) => setTimeout(resolve, 5));
	process.send('running');
	await running;
}

async function prepared(count) {
	const { partitionOf } = await import('@shardctl/queue');
	return Array.from({ length: count }, (_, n) => {
		const guildId = guilds[n % guilds.length];
		const shard = shardIdForGuild(guildId, shards);
		return {
			shard,
			guildId,
			seq: String(n + 1),
			key: `raw:${partitionOf(shard, guildId, layout)}`,
			data: message(guildId, `message ${n}`),
		};
	});
}

/** About as large as Discord's. */
function message(guildId, content) {
	return JSON.stringify({
		id: '1234567890123456789',
		channel_id: '1234567890123456788',
		guild_id: guildId,
		content,
		author: { id: '1234567890123456787', username: 'somebody', discriminator: '0', avatar: 'a'.repeat(32), public_flags: 0 },
		member: {
			roles: Array.from({ length: 8 }, (_, n) => `12345678901234567${n}0`),
			joined_at: '2024-01-01T00:00:00.000000+00:00',
			deaf: false,
		},
		attachments: [],
		embeds: [],
		mentions: [],
		padding: 'x'.repeat(240),
		timestamp: '2026-01-01T00:00:00.000000+00:00',
	});
}

async function redisServer() {
	const dir = mkdtempSync(join(tmpdir(), 'shardctl-bench-'));
	const probe = createServer().listen(0, '127.0.0.1');
	await once(probe, 'listening');
	const { port } = probe.address();
	await new Promise((resolve) => probe.close(resolve));
	const program = process.env.SHARDCTL_TEST_REDIS ?? 'redis-server';
	const child = spawn(program, ['--port', port, '--bind', '127.0.0.1', '--dir', dir, '--save', ''], { stdio: 'ignore' });
	const url = `redis://127.0.0.1:${port}`;
	const admin = new IoredisPort({ url });
	await admin.ready(20_000);
	return {
		url,
		async cpuMicros() {
			const [text] = await admin.batch([['INFO', 'cpu']]);
			const seconds = (name) => Number(new RegExp(`${name}:([\\d.]+)`).exec(text)[1]);
			return (seconds('used_cpu_user') + seconds('used_cpu_sys')) * 1e6;
		},
		async close() {
			await admin.close();
			child.kill('SIGKILL');
			await once(child, 'exit');
			rmSync(dir, { recursive: true, force: true });
		},
	};
}

function median(numbers) {
	return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

function thousands(number) {
	return Math.round(number).toLocaleString('en').padStart(8);
}
