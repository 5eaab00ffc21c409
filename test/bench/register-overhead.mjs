// What our register module costs a bot: the same bot bare and as a worker, in turn, over several rounds; medians, and the lowest time
// of each, to which everything else on the machine only adds. Most of the cost is paid before the bot's first line, where 60 ms were used
// and not 400: its processor time until there, at the lower quartile, says most on a busy machine.
// node test/bench/register-overhead.mjs [rounds]      (build first)
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { fileURLToPath } from 'node:url';
import { quantile } from './harness/statistics.mjs';

const rounds = Number(process.argv[2] ?? 15);
const limits = { startMs: 40, rssMb: 6 };
const bot = fileURLToPath(new URL('fixtures/overhead-bot.cjs', import.meta.url));
const register = fileURLToPath(new URL('../../packages/worker/dist/register.cjs', import.meta.url));
const brief = {
	workerId: 0,
	epoch: 1,
	shardIds: [0],
	totalShards: 1,
	botFile: bot,
	api: 'http://127.0.0.1:1/api',
	gateway: {
		url: 'ws://127.0.0.1:1',
		shards: 1,
		session_start_limit: { total: 1000, remaining: 1000, reset_after: 1, max_concurrency: 1 },
	},
	statsIntervalMs: 5000,
	shutdownGraceMs: 1000,
};
const shards = { SHARDS: '[0]', SHARD_COUNT: '1', DISCORD_TOKEN: 'none' };
const contenders = {
	bare: { execArgv: [], env: { ...process.env, ...shards } },
	worker: {
		execArgv: ['--require', register],
		env: {
			...process.env,
			...shards,
			SHARDING_MANAGER: 'true',
			SHARDING_MANAGER_MODE: 'process',
			SHARDCTL_WORKER: JSON.stringify(brief),
		},
	},
};

async function run(options) {
	const child = fork(bot, options);
	const [exited, message] = await Promise.all([once(child, 'exit'), reading(child)]);
	if (message) return message;
	throw new Error(`the bot ended without a reading: ${exited.join(' ')}`);
}

/** The reading that the bot sends, besides the frames of a worker; undefined when it ends without one. */
function reading(child) {
	return new Promise((resolve) => {
		child.on('message', (message) => message.startMs !== undefined && resolve(message));
		child.once('exit', () => resolve(undefined));
	});
}

/** Each round starts with another contender, so that none always runs after the same one. */
function inTurn(round) {
	const names = Object.keys(contenders);
	return names.map((_, index) => names[(index + round + names.length) % names.length]);
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const results = { bare: [], worker: [] };
for (let round = -1; round < rounds; round++) {
	for (const name of inTurn(round)) {
		const result = await run(contenders[name]);
		if (round >= 0) results[name].push(result);
	}
}

const of = (name, key) => median(results[name].map((result) => result[key]));
const more = (name, key) => of(name, key) - of('bare', key);
const lowest = (name) => Math.min(...results[name].map(({ startMs }) => startMs));
const moreLowest = (name) => lowest(name) - lowest('bare');
const firstLine = (name) =>
	quantile(
		results[name].map(({ firstLineCpuMs }) => firstLineCpuMs),
		0.25,
	);
const mib = (bytes) => bytes / 2 ** 20;
console.table(
	Object.keys(contenders).map((name) => ({
		contender: name,
		'start ms': of(name, 'startMs').toFixed(1),
		'more ms': more(name, 'startMs').toFixed(1),
		'lowest ms': lowest(name).toFixed(1),
		'more of the lowest': moreLowest(name).toFixed(1),
		'more cpu ms': more(name, 'cpuMs').toFixed(1),
		'of it before the bot': (firstLine(name) - firstLine('bare')).toFixed(1),
		'rss MiB': mib(of(name, 'laterRssBytes')).toFixed(1),
		'more rss MiB': mib(more(name, 'laterRssBytes')).toFixed(1),
		'more heap MiB': mib(more(name, 'heapBytes')).toFixed(1),
	})),
);
const kept = moreLowest('worker') < limits.startMs && mib(more('worker', 'laterRssBytes')) < limits.rssMb;
console.log(
	`limits: ${limits.startMs} ms and ${limits.rssMb} MiB more: ${kept ? 'kept' : 'MISSED'} (lowest time and median memory of ${rounds} rounds; load ${loadavg()[0]?.toFixed(1)}, which should be low)`,
);
process.exitCode = kept ? 0 : 1;
