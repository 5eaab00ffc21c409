// Workers as threads beside workers as processes, in one run: the same discord.js bot with 16 slices, as 16 processes and as threads of
// 2 processes, in turns. Resident memory (as each process counts it; `pssMb` divides what several share, such as node's code, among them), time until all are ready, calls a
// second, and the delay of calls to the others while one thread crashes and one hangs.
//
//   node test/bench/threads.mjs [rounds, default 3]
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { createShardManager } from 'shardctl';
import { createSimulator } from 'shardctl/simulator';

const bot = fileURLToPath(new URL('../../apps/examples/plain-bot/bot.cjs', import.meta.url));
const rounds = Number(process.argv[2] ?? 3);
const slices = 16;
const quiet = { info() {}, warn() {}, error() {}, debug() {}, trace() {}, fatal() {} };
const modes = { processes: {}, threads: { workerMode: 'thread', threadsPerProcess: 8 } };

const figures = { processes: [], threads: [] };
for (let round = 0; round < rounds; round++) {
	for (const [mode, options] of Object.entries(modes)) {
		const figure = await measure(options);
		figures[mode].push(figure);
		console.log(mode.padEnd(10), JSON.stringify(figure));
	}
}
for (const name of ['readyMs', 'rssMb', 'pssMb', 'callsPerSecond', 'oneByOneMicros']) {
	const [one, other] = Object.values(figures).map((list) => median(list.map((figure) => figure[name])));
	console.log(`${name}: ${one} as processes, ${other} as threads: ${(other / one).toFixed(2)} of it`);
}

async function measure(options) {
	const simulator = await createSimulator({ guilds: 64, shards: slices, maxConcurrency: 16, identifyWindowMs: 300 });
	const manager = createShardManager(bot, {
		token: simulator.token,
		api: simulator.url,
		identifyWindowMs: 300,
		totalShards: slices,
		heartbeatTimeoutMs: 10_000,
		control: false,
		silent: true,
		logger: quiet,
		respawn: { initialDelayMs: 10 },
		...options,
	});
	const since = performance.now();
	await manager.spawn();
	const readyMs = Math.round(performance.now() - since);
	const pids = [...new Set(manager.workers.map(({ child }) => child.pid))];
	const memory = pids.map(memoryOf);
	const calls = await callRates(manager);
	const inTrouble = options.workerMode === 'thread' ? { inTrouble: await callsInTrouble(manager) } : {};
	await manager.stop({ graceMs: 2000 });
	await simulator.stop();
	return {
		processes: pids.length,
		readyMs,
		rssMb: Math.round(sum(memory.map(({ rss }) => rss))),
		pssMb: Math.round(sum(memory.map(({ pss }) => pss))),
		...calls,
		...inTrouble,
	};
}

/** In MiB. Linux. */
function memoryOf(pid) {
	const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
	const of = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0) / 1024;
	return { rss: of('Rss'), pss: of('Pss') };
}

async function callRates(manager) {
	const call = (n) => manager.broadcastEval((_, { n }) => n + 1, { context: { n }, shard: n % slices });
	for (let n = 0; n < 200; n++) await call(n);
	const one = performance.now();
	for (let n = 0; n < 500; n++) await call(n);
	const oneByOneMicros = Math.round(((performance.now() - one) / 500) * 1000);
	const many = performance.now();
	for (let batch = 0; batch < 20; batch++) await Promise.all(Array.from({ length: 1000 }, (_, n) => call(n)));
	return { oneByOneMicros, callsPerSecond: Math.round(20_000 / ((performance.now() - many) / 1000)) };
}

/** One thread of the first process crashes and one hangs until it is replaced; the others are called all the time. */
async function callsInTrouble(manager) {
	const broken = new Set();
	const bothBack = new Promise((resolve) => {
		manager.on('worker:ready', ({ workerId }) => {
			broken.add(workerId);
			if (broken.size === 2) resolve();
		});
	});
	let over = false;
	void bothBack.then(() => {
		over = true;
	});
	await manager.broadcastEval('setTimeout(() => { throw new Error("crash") }, 10), 1', { shard: 0 });
	await manager.broadcastEval('setTimeout(() => { for (;;); }, 10), 1', { shard: 1 });
	const delays = [];
	let failed = 0;
	for (let n = 2; !over; n = n + 1 < slices ? n + 1 : 2) {
		const since = performance.now();
		await manager.broadcastEval('1 + 1', { shard: n }).catch(() => failed++);
		delays.push(performance.now() - since);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
	delays.sort((a, b) => a - b);
	const at = (part) => Number(delays[Math.floor(delays.length * part)].toFixed(1));
	return { replaced: [...broken].sort(), calls: delays.length, failed, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function sum(numbers) {
	return numbers.reduce((total, number) => total + number, 0);
}

function median(numbers) {
	return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
