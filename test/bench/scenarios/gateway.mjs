// The resident gateway: events relayed per second of processor time, what it adds to their delay, how soon a new worker has its
// guilds, what cold guilds take, and how long a guild waits while the bot is replaced. Beside a direct connection, and beside the
// least that a process in between can do.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway, startRelay, startSink, startSource, workerReady } from '../gateway/processes.mjs';
import { bots } from '../harness/host.mjs';
import { medianOf, ratio } from '../harness/measurements.mjs';
import { cpuMs, hasProc } from '../harness/processes.mjs';
import { quantile } from '../harness/statistics.mjs';

export const name = 'gateway';
export const title = 'The resident gateway beside a direct connection';

const perSecond = 5000;
/** The path of a gateway that receives Discord's events compressed; on the others nothing is compressed. */
export const compressed = 'shardctl, zlib-stream';
/** How long after a flood delays are as before. */
const calmMs = 200;
const mb = 1e6;

export async function run({ host, measurements, rounds, quick }) {
	const add = (what, unit, contender, value, more = {}) =>
		measurements.add({ scenario: name, title: what, unit, ...more }, contender, value);
	const lines = await startLines(host, ['direct', 'ws relay', 'shardctl', compressed]);
	const between = ['ws relay', 'shardctl'];
	if (hasProc) {
		await measureRelay(lines, { add, rounds, ways: [...between, compressed], kind: 'small', what: 'small messages' });
		await measureRelay(lines, { add, rounds, ways: between, kind: 'mixed', what: 'a mix as of a chatty server' });
	}
	await measureDelay(lines, { add, rounds, ways: ['direct', ...between] });
	await measureDelay(lines, { add, rounds, ways: ['direct', ...between], afterFlood: true });
	await lines.end();
	await measureStart(host, { add, rounds, guilds: quick ? 200 : 1000 });
	await measureState(host, { add });
	await measureReplacement(host, { add, replacements: quick ? 1 : 3 });
	claims(measurements, { quick });
}

/** Discord and the reading client, and the paths between them: `{ source, sink, ways, end() }`. */
export async function startLines(host, names) {
	const shards = 4;
	const source = startSource(host);
	const sink = startSink(host);
	sink.on('arrived', (arrived) => source.notify('arrived', arrived));
	const ways = new Map();
	for (const way of names) {
		const guildSizes = { min: 10, max: 10 };
		const discord = await source.request('create', { way, guilds: 200, guildSizes, maxConcurrency: 16, identifyWindowMs: 1 });
		const between = await startBetween(host, way, { discord, shards });
		await sink.request('connect', { way, url: between.url, token: discord.token, shards }, { timeoutMs: 60_000 });
		ways.set(way, between);
	}
	return {
		source,
		sink,
		ways,
		noise: host.noise,
		end: () => Promise.all([...ways.values()].map((between) => between.end?.())),
	};
}

function startBetween(host, way, options) {
	if (way === 'shardctl') return startGateway(host, options);
	if (way === compressed) return startGateway(host, { ...options, compression: 'zlib-stream' });
	return way === 'ws relay' ? startRelay(host, options) : options.discord;
}

/** As many events as the path accepts; its processor time counts, because the source and the client want the same cores. */
export async function measureRelay({ source, sink, ways, noise }, { add, rounds, ways: names, kind, what, events = 40_000 }) {
	const flood = async (way) => {
		await noise?.sample();
		const before = await sink.request('count', { way });
		const startMs = cpuMs(ways.get(way).pid);
		const { meanBytes } = await source.request('flood', { way, kind, events, ahead: 2000 }, { timeoutMs: 120_000 });
		while ((await sink.request('count', { way })) - before < events) await pause(2);
		return { perCpuSecond: (events / (cpuMs(ways.get(way).pid) - startMs)) * 1000, meanBytes };
	};
	for (const way of names) await flood(way);
	for (let round = 0; round < rounds; round++) {
		for (const way of names) {
			const { perCpuSecond, meanBytes } = await flood(way);
			const row = `relayed per second of processor time: ${what} (${(Math.round(meanBytes / 10) * 10).toFixed(0)} B)`;
			add(row, 'events', way, perCpuSecond, { better: 'higher', digits: 0 });
		}
	}
}

/** How old events are when they arrive, at a steady rate, the paths in turns. */
async function measureDelay({ source, sink, noise }, { add, rounds, ways, afterFlood = false }) {
	const when = afterFlood ? `, ${calmMs} ms after a flood` : '';
	const window = async (way, forMs) => {
		await noise.sample();
		if (afterFlood) {
			await source.request('flood', { way, kind: 'small', events: 20_000, ahead: 2000 }, { timeoutMs: 120_000 });
			await pause(calmMs);
		}
		await sink.request('delays', { way, next: true });
		await source.request('pace', { way, kind: 'message', perSecond, forMs }, { timeoutMs: 60_000 });
		await pause(50);
		return sink.request('delays', { way, next: false });
	};
	for (const way of ways) await window(way, 1000);
	for (let round = 0; round < rounds; round++) {
		for (const way of ways) {
			const delays = await window(way, 2000);
			add(`delay at ${perSecond} events/s${when}, median`, 'ms', way, quantile(delays, 0.5), { digits: 3 });
			add(`delay at ${perSecond} events/s${when}, p99`, 'ms', way, quantile(delays, 0.99), { digits: 3 });
		}
	}
}

/** A worker that has just been started logs in: from `login()` until all of its guilds have arrived. */
async function measureStart(host, { add, rounds, guilds }) {
	const source = startSource(host);
	const discord = await source.request('create', {
		way: 'start',
		guilds,
		// Members and presences make 25 kB of a guild.
		guildSizes: { min: 43, max: 43 },
		maxConcurrency: 16,
		identifyWindowMs: 1,
	});
	const gateway = await startGateway(host, { discord, shards: 1 });
	await workerReady(host, { api: gateway.api, token: discord.token, guilds });
	for (let round = 0; round < rounds; round++) {
		for (const [way, api] of [
			['direct', discord.api],
			['shardctl', gateway.api],
		]) {
			add(`a worker of ${guilds} guilds is ready`, 'ms', way, await workerReady(host, { api, token: discord.token, guilds }), {
				digits: 0,
			});
		}
	}
	await gateway.end();
}

async function measureState(host, { add }) {
	const cold = async (count) => {
		const { child, peer } = stateProcess(host);
		const figures = await peer.request('cold', { count }, { timeoutMs: 120_000 });
		child.kill();
		return figures;
	};
	const [few, many] = [await cold(1000), await cold(4000)];
	const per1000 = (what) => (many[what] - few[what]) / 3 / mb;
	add('1,000 cold guilds of 25 kB: raw JSON', 'MB', 'shardctl', per1000('rawBytes'));
	add('1,000 cold guilds of 25 kB: heap and buffers', 'MB', 'shardctl', per1000('usedBytes'));
	add('1,000 cold guilds of 25 kB: resident memory of the process', 'MB', 'shardctl', per1000('rssBytes'));
	add('1,000 cold guilds of 25 kB: snapshot as text', 'ms', 'shardctl', few.snapshotMs, { digits: 0 });
	const { child, peer } = stateProcess(host);
	for (const { t, perSecond: rate } of await peer.request('apply', null, { timeoutMs: 120_000 })) {
		add(`applied to the state per second of processor time: ${t}`, 'events', 'shardctl', rate, { better: 'higher', digits: 0 });
	}
	child.kill();
}

function stateProcess(host) {
	return host.process(new URL('../gateway/state-main.mjs', import.meta.url).pathname, { execArgv: ['--expose-gc'] });
}

/** The bot is replaced under 500 events a second: the longest time in which a guild's events were not handled, and how many never. */
async function measureReplacement(host, { add, replacements }) {
	for (const [way, gateway] of [
		['direct', 'direct'],
		['shardctl', 'resident'],
	]) {
		const folder = mkdtempSync(join(tmpdir(), 'shardctl-bench-handled-'));
		const handledFile = join(folder, 'handled');
		const source = startSource(host);
		const discord = await source.request('create', { way, guilds: 20, guildSizes: { min: 10, max: 10 }, identifyWindowMs: 1 });
		const { peer: fleet } = host.process(new URL('../gateway/fleet-main.mjs', import.meta.url).pathname);
		const { api, token } = discord;
		const env = { BENCH_HANDLED: handledFile };
		await fleet.request(
			'start',
			{ bot: bots.stamping, shards: 2, gateway, api, token, identifyWindowMs: 1, env },
			{ timeoutMs: 60_000 },
		);
		const talk = source.request('pace', { way, kind: 'message', perSecond: 500, forMs: null }, { timeoutMs: 300_000 });
		await pause(500);
		for (let n = 0; n < replacements; n++) {
			await fleet.request('replace', { resident: gateway === 'resident' }, { timeoutMs: 60_000 });
			await pause(500);
		}
		await source.request('hush', { way });
		const { sent } = await talk;
		await pause(1000);
		await fleet.request('stop', null, { timeoutMs: 60_000 });
		const lines = readFileSync(handledFile, 'utf8').trim().split('\n');
		add('the bot is replaced under 500 events/s: longest pause of a guild', 'ms', way, longestPauseMs(lines), { digits: 0 });
		add(
			'the bot is replaced under 500 events/s: events never handled, each time',
			'events',
			way,
			(sent - lines.length) / replacements,
			{
				digits: 0,
			},
		);
		rmSync(folder, { recursive: true, force: true });
	}
}

function longestPauseMs(lines) {
	const last = new Map();
	let longest = 0;
	for (const line of lines) {
		const [guildId, at] = line.split(' ');
		const atMs = Number(BigInt(at)) / 1e6;
		longest = Math.max(longest, atMs - (last.get(guildId) ?? atMs));
		last.set(guildId, atMs);
	}
	return longest;
}

function claims(measurements, { quick }) {
	const find = (begin) => measurements.rows.find((row) => row.scenario === name && row.title.startsWith(begin));
	const at = (begin) => medianOf(find(begin), 'shardctl');
	const small = at('relayed per second of processor time: small messages (');
	if (small !== undefined) {
		measurements.claim({
			text: 'at least 50,000 small events relayed per second and core',
			found: small.toFixed(0),
			holds: small >= 50_000,
		});
	}
	const claimRatio = (text, row, [one, other], holds) => {
		const found = ratio(row, one, other);
		if (found)
			measurements.claim({
				text,
				found: `${found.median.toFixed(2)} (${found.min.toFixed(2)}–${found.max.toFixed(2)})`,
				holds: holds(found.median),
			});
	};
	const relayed = find('relayed per second of processor time: small messages (');
	claimRatio(
		'small events per second of processor time: at least 0.95 × a bare relay',
		relayed,
		['shardctl', 'ws relay'],
		(share) => share >= 0.95,
	);
	claimRatio(
		'compressed upstream: at least 0.85 × as many as uncompressed',
		relayed,
		[compressed, 'shardctl'],
		(share) => share >= 0.85,
	);
	for (const when of ['', `, ${calmMs} ms after a flood`]) {
		const delays = find(`delay at ${perSecond} events/s${when}, p99`);
		claimRatio(
			`p99 of the delay at ${perSecond} events/s${when}: at most 1.1 × a bare relay's`,
			delays,
			['shardctl', 'ws relay'],
			(times) => times <= 1.1,
		);
	}
	if (!quick) {
		const ready = at('a worker of 1000 guilds');
		measurements.claim({
			text: 'a worker of 1,000 guilds is ready within 1.5 s',
			found: `${ready.toFixed(0)} ms`,
			holds: ready <= 1500,
		});
	}
	const memory = Math.max(at('1,000 cold guilds of 25 kB: heap'), at('1,000 cold guilds of 25 kB: resident'));
	measurements.claim({
		text: '1,000 cold guilds of 25 kB take at most 15 MB',
		found: `${memory.toFixed(1)} MB`,
		holds: memory <= 15,
	});
	const longest = at('the bot is replaced under 500 events/s: longest');
	const lost = at('the bot is replaced under 500 events/s: events never');
	measurements.claim({
		text: 'a deploy pauses a guild for at most 1.5 s, and loses no event',
		found: `${longest.toFixed(0)} ms, ${lost} lost`,
		holds: longest <= 1500 && lost === 0,
	});
	const update = at('applied to the state per second of processor time: GUILD_MEMBER_UPDATE');
	measurements.claim({
		text: 'GUILD_MEMBER_UPDATE: at least 300,000 applied per second of processor time',
		found: update.toFixed(0),
		holds: update >= 300_000,
	});
}

function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
