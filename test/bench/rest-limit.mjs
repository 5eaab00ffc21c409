// What one rate limit for the whole bot is worth, and what it costs. First 8 workers, each of which wants 40 requests a second, on a simulated
// Discord with a global limit of 50: with the limits of each library alone (direct), and through the REST process (shared). Then 3 workers
// that write to one channel, and the process itself, beside a server that answers at once: latency, requests per second of its processor
// time, memory under uploads.
//
//   node test/bench/rest-limit.mjs [seconds of each run, default 10]
import { fork } from 'node:child_process';
import { Agent, createServer, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { restConfigVariable, WorkerPaths } from '@shardctl/core';
import { ipcPort, Peer } from '@shardctl/rpc';
import { createShardManager } from 'shardctl';
import { createSimulator } from 'shardctl/simulator';

const bot = fileURLToPath(new URL('bots/rest-bot.cjs', import.meta.url));
const seconds = Number(process.argv[2] ?? 10);
const workers = 8;
const quiet = { info() {}, warn() {}, error() {}, debug() {}, trace() {}, fatal() {} };

console.log(`8 workers, 40 requests a second each, global limit 50/s, ${seconds} s`);
for (const rest of ['direct', 'shared']) console.log(JSON.stringify(await fleet(rest)));
console.log('3 workers, 6 messages each to a channel with a limit of 5 in 5 s, and 1 to another channel meanwhile');
for (const rest of ['direct', 'shared']) console.log(JSON.stringify(await oneChannel(rest)));
console.log('the process alone');
console.log(JSON.stringify(await alone()));

async function fleet(rest) {
	const simulator = await createSimulator({ guilds: 64, shards: workers, maxConcurrency: 16, identifyWindowMs: 300 });
	const manager = createShardManager(bot, {
		token: simulator.token,
		api: simulator.url,
		identifyWindowMs: 300,
		totalShards: workers,
		control: false,
		silent: true,
		logger: quiet,
		rest,
	});
	await manager.spawn();
	const before = simulator.log.entries({ type: 'rest' }).length;
	await manager.broadcastEval('client.fire(40)');
	await sleep(2000);
	const answered = (entries) => entries.filter(({ status }) => status === 200).length;
	const first = answered(simulator.log.entries({ type: 'rest' }));
	const done = await manager.broadcastEval('client.callbacks.length = 0; client.done');
	const since = performance.now();
	await sleep(seconds * 1000);
	const entries = simulator.log.entries({ type: 'rest' });
	const took = (performance.now() - since) / 1000;
	const after = await manager.broadcastEval('client.done');
	const shares = after.map((count, n) => count - done[n]);
	const interactions = await manager.broadcastEval('client.callbacks');
	const figures = (await manager.getStats()).rest;
	await manager.stop({ graceMs: 1000 });
	await simulator.stop();
	const late = interactions.flat().sort((a, b) => a - b);
	return {
		rest,
		perSecond: round((answered(entries) - first) / took),
		refused429: count(entries.slice(before).filter(({ status }) => status === 429)),
		fairness: round(Math.min(...shares) / Math.max(...shares)),
		interactionP50Ms: round(late[Math.floor(late.length / 2)]),
		interactionP99Ms: round(late[Math.floor(late.length * 0.99)]),
		figures,
	};
}

/** What Discord refuses, and how long the messages take. */
async function oneChannel(rest) {
	const simulator = await createSimulator({ guilds: 12, shards: 3, maxConcurrency: 16, identifyWindowMs: 300 });
	const manager = createShardManager(bot, {
		token: simulator.token,
		api: simulator.url,
		identifyWindowMs: 300,
		totalShards: 3,
		callTimeoutMs: 120_000,
		control: false,
		silent: true,
		logger: quiet,
		rest,
	});
	await manager.spawn();
	const [busy, other] = [...simulator.world.guilds.ids()].map((id) => {
		return [...simulator.world.guilds.read(id).channels.values()].find(({ type }) => type === 0).id;
	});
	const since = performance.now();
	const all = manager.broadcastEval(`client.say('${busy}', 6)`);
	await sleep(1000);
	const others = (await manager.broadcastEval(`client.say('${other}', 1)`)).flat();
	await all;
	const tookMs = performance.now() - since;
	const entries = simulator.log.entries({ type: 'rest' }).filter(({ status }) => status === 429);
	await manager.stop({ graceMs: 1000 });
	await simulator.stop();
	return { rest, messages: 18, seconds: round(tookMs / 1000), refused429: count(entries), otherChannelMs: others.map(round) };
}

/** The process between a client and a server that answers at once, both in this process. */
async function alone() {
	const discord = createServer((request, response) => {
		request.resume();
		request.on('end', () => response.end('{}'));
	});
	await new Promise((resolve) => discord.listen(0, '127.0.0.1', resolve));
	const direct = `http://127.0.0.1:${discord.address().port}/api`;
	const file = fileURLToPath(new URL('../../packages/rest/dist/process/rest-process.mjs', import.meta.url));
	const config = { epoch: 1, port: 0, api: direct, pathSecret: 'secret', globalPerSecond: 100_000 };
	const child = fork(file, { env: { ...process.env, DISCORD_TOKEN: 'token', [restConfigVariable]: JSON.stringify(config) } });
	const peer = new Peer({ port: ipcPort(child), epoch: 1 });
	const port = await new Promise((resolve) => peer.on('listening', (event) => resolve(event.port)));
	const shared = `http://127.0.0.1:${port}${new WorkerPaths('secret').of(0)}`;
	const idle = await peer.request('stats', null, { timeoutMs: 5000 });
	const agent = new Agent({ keepAlive: true, maxSockets: 64 });
	const ask = (base, path, body) =>
		new Promise((resolve, reject) => {
			const options = {
				agent,
				method: body ? 'POST' : 'GET',
				headers: { authorization: 'Bot token', ...(body && { 'content-length': body.length }) },
			};
			const request = httpRequest(base + path, options, (response) => response.resume().on('end', resolve));
			request.on('error', reject);
			request.end(body);
		});
	const latencies = { direct: [], shared: [] };
	for (let n = 0; n < 3000; n++) {
		for (const [name, base] of [
			['direct', direct],
			['shared', shared],
		]) {
			const since = performance.now();
			await ask(base, `/v10/channels/1234567890123456${(n % 100) + 10}/messages`);
			latencies[name].push(performance.now() - since);
		}
	}
	const before = await peer.request('stats', null, { timeoutMs: 5000 });
	const total = 20_000;
	let next = 0;
	const since = performance.now();
	await Promise.all(
		Array.from({ length: 32 }, async (_, lane) => {
			while (next++ < total) await ask(shared, `/v10/channels/1234567890123456${lane + 10}`);
		}),
	);
	const took = (performance.now() - since) / 1000;
	const after = await peer.request('stats', null, { timeoutMs: 5000 });
	const upload = Buffer.alloc(8 * 2 ** 20);
	let rss = 0;
	let buffered = 0;
	const uploads = Promise.all(
		Array.from({ length: 100 }, (_, n) => ask(shared, `/v10/channels/1234567890123457${(n % 50) + 10}/messages`, upload)),
	);
	let over = false;
	const watching = (async () => {
		while (!over) {
			const now = await peer.request('stats', null, { timeoutMs: 30_000 });
			rss = Math.max(rss, now.rssBytes);
			buffered = Math.max(buffered, now.bufferedBytes);
			await sleep(20);
		}
	})();
	await uploads;
	over = true;
	await watching;
	await peer.request('shutdown', { reason: 'over' }, { timeoutMs: 10_000 });
	agent.destroy();
	discord.closeAllConnections();
	discord.close();
	return {
		latencyP50Ms: { direct: percentile(latencies.direct, 0.5), shared: percentile(latencies.shared, 0.5) },
		latencyP99Ms: { direct: percentile(latencies.direct, 0.99), shared: percentile(latencies.shared, 0.99) },
		requestsPerSecond: Math.round(total / took),
		requestsPerCpuSecond: Math.round(total / (after.cpuSeconds - before.cpuSeconds)),
		idleMiB: mib(idle.rssBytes),
		afterRequestsMiB: mib(after.rssBytes),
		uploads: '100 of 8 MiB',
		mostBufferedMiB: mib(buffered),
		mostRssMiB: mib(rss),
	};
}

/** Of each route. */
function count(entries) {
	const counts = {};
	for (const { route } of entries) counts[route ?? 'unknown'] = (counts[route ?? 'unknown'] ?? 0) + 1;
	return counts;
}

function percentile(values, share) {
	const sorted = [...values].sort((a, b) => a - b);
	return round(sorted[Math.floor(sorted.length * share)]);
}

function mib(bytes) {
	return Math.round(bytes / 2 ** 20);
}

function round(value) {
	return Math.round(value * 100) / 100;
}
