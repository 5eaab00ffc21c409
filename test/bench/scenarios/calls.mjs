// What calls into the fleet cost: all contenders' fleets run at the same time, and they take short turns. The floor is a raw echo
// over node's own IPC to as many children.
import { bots, noWindowMs } from '../harness/host.mjs';
import { medianOf, ratio } from '../harness/measurements.mjs';
import { quantile } from '../harness/statistics.mjs';

export const name = 'calls';
export const title = 'Calls into the fleet: one after the other, and many at once with distinct arguments';

const contenders = ['node', 'node detached', 'shardctl', 'discord.js', 'hybrid-sharding'];

/** Enough calls in a turn that it takes some tens of ms. Identical concurrent calls prove nothing: discord.js runs them once. */
const cases = [
	{ operation: 'broadcastEval', size: '100 B', bytes: 100, sequential: 100, concurrent: 1000 },
	{ operation: 'broadcastEval', size: '10 kB', bytes: 10_000, sequential: 20, concurrent: 50 },
	{ operation: 'broadcastEval', size: '1 MB', bytes: 1_000_000, sequential: 2, concurrent: 3 },
	{ operation: 'fetchClientValues', bytes: 0, sequential: 100 },
	{ operation: 'call', size: '100 B', bytes: 100, sequential: 100, concurrent: 1000, not: 'discord.js' },
];

export async function run({ host, measurements, rounds, quick }) {
	for (const workers of quick ? [8] : [1, 8, 32]) {
		const fleets = await startFleets(host, workers, contenders);
		for (const each of cases) {
			if ((workers !== 8 || quick) && each.bytes > 100) continue;
			await measureCalls({ scenario: name, host, fleets, workers, measurements, rounds }, each);
		}
		await Promise.all(fleets.map((fleet) => fleet.end()));
	}
	claims(measurements);
}

export async function startFleets(host, workers, contenders) {
	const simulator = await host.simulator({ maxConcurrency: 1000, identifyWindowMs: noWindowMs });
	const fleets = contenders.map((contender) => host.contender(contender));
	for (const fleet of fleets) {
		const bot = fleet.name.startsWith('node') ? bots.echo : bots.discordJs;
		await fleet.start(simulator, { bot, shards: workers, spawnDelayMs: 0 });
	}
	return fleets;
}

/** Takes turns with one operation; adds the rows of its p50 and p99 one after the other, and of many at once. */
export async function measureCalls({ scenario, host, fleets, workers, measurements, rounds }, each) {
	const { operation, size, bytes, sequential, concurrent, not } = each;
	const taking = fleets.filter(({ name: contender }) => contender !== not);
	const what = `${operation}${size ? ` ${size}` : ''}, ${workers} worker${workers > 1 ? 's' : ''}`;
	const turns = bytes > 100_000 ? 2 : 5;
	// The first round warms the engines up.
	for (let round = -1; round < rounds; round++) {
		const times = new Map(taking.map((fleet) => [fleet, []]));
		for (let turn = 0; turn < turns; turn++) {
			for (const fleet of taking) {
				await host.noise.sample();
				times.get(fleet).push(...(await fleet.request('sequential', { operation, bytes, count: sequential })));
			}
		}
		const rates = new Map();
		for (const fleet of concurrent ? taking : []) {
			await host.noise.sample();
			rates.set(fleet, await fleet.request('concurrent', { operation, bytes, count: concurrent }));
		}
		if (round < 0) continue;
		for (const fleet of taking) {
			const add = (row, value) => measurements.add({ scenario, ...row }, fleet.name, value);
			add({ title: `${what}: p50`, unit: 'ms', digits: 3 }, quantile(times.get(fleet), 0.5));
			if (bytes < 100_000) add({ title: `${what}: p99`, unit: 'ms' }, quantile(times.get(fleet), 0.99));
		}
		for (const [fleet, rate] of rates) {
			const row = { scenario, title: `${what}: ${concurrent} at once`, unit: 'calls/s', better: 'higher', digits: 0 };
			measurements.add(row, fleet.name, rate);
		}
	}
}

function claims(measurements) {
	const sequential = measurements.row(name, 'broadcastEval 100 B, 8 workers: p50');
	const concurrent = measurements.row(name, 'broadcastEval 100 B, 8 workers: 1000 at once');
	const calls = measurements.row(name, 'call 100 B, 8 workers: 1000 at once');
	if (medianOf(sequential, 'shardctl') === undefined) return;
	const show = ({ median, min, max }) => `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
	const claim = (text, found, holds) => found && measurements.claim({ text, found: show(found), holds: holds(found) });
	claim(
		'sequential broadcastEval, 8 workers: p50 at most 1.3 × the raw IPC floor',
		ratio(sequential, 'shardctl', 'node'),
		({ median }) => median <= 1.3,
	);
	claim(
		'sequential broadcastEval, 8 workers: p50 behind discord.js in no round',
		ratio(sequential, 'shardctl', 'discord.js'),
		({ max }) => max <= 1,
	);
	claim(
		'1000 distinct broadcastEvals at once, 8 workers: at least 4 × discord.js in every round',
		ratio(concurrent, 'shardctl', 'discord.js'),
		({ min }) => min >= 4,
	);
	claim(
		'1000 distinct broadcastEvals at once, 8 workers: at least 3 × hybrid-sharding in every round',
		ratio(concurrent, 'shardctl', 'hybrid-sharding'),
		({ min }) => min >= 3,
	);
	const both = { values: { broadcastEval: concurrent?.values.shardctl, call: calls?.values.shardctl } };
	claim(
		'1000 distinct broadcastEvals at once, 8 workers: at least 0.83 × as many as calls of handlers',
		ratio(both, 'broadcastEval', 'call'),
		({ median }) => median >= 1 / 1.2,
	);
}
