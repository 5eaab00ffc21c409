// What calls into the fleet cost: all contenders' fleets run at the same time, and they take short turns. The floor is a raw echo
// over node's own IPC to as many children.
import { bots, noWindowMs } from '../harness/host.mjs';
import { medianOf, ratio } from '../harness/measurements.mjs';
import { quantile } from '../harness/statistics.mjs';

export const name = 'calls';
export const title = 'Calls into the fleet: one after the other, and many at once with distinct arguments';

const contenders = ['node', 'node detached', 'node, bot loaded', 'shardctl', 'discord.js', 'hybrid-sharding'];

/** Those whose children do nothing but echo. */
const echoing = new Set(['node', 'node detached']);

/**
 * Enough calls in a turn that it takes some tens of ms. Identical concurrent calls prove nothing: discord.js runs them once. The cases of a group
 * take turns in each round: measured one after the other, the first is run by engines that are still cold, and the last by warm ones.
 */
const groups = [
	[
		{ operation: 'broadcastEval', size: '100 B', bytes: 100, sequential: 100, concurrent: 1000 },
		{ operation: 'call', size: '100 B', bytes: 100, sequential: 100, concurrent: 1000, not: 'discord.js' },
		{ operation: 'fetchClientValues', bytes: 0, sequential: 100 },
	],
	[{ operation: 'broadcastEval', size: '10 kB', bytes: 10_000, sequential: 20, concurrent: 50 }],
	[{ operation: 'broadcastEval', size: '1 MB', bytes: 1_000_000, sequential: 2, concurrent: 3 }],
];

export async function run({ host, measurements, rounds, quick }) {
	for (const workers of quick ? [8] : [1, 8, 32]) {
		const fleets = await startFleets(host, workers, contenders);
		for (const group of workers === 8 && !quick ? groups : groups.slice(0, 1)) {
			await measureCalls({ scenario: name, host, fleets, workers, measurements, rounds }, group);
		}
		await Promise.all(fleets.map((fleet) => fleet.end()));
	}
	claims(measurements);
}

export async function startFleets(host, workers, contenders) {
	const simulator = await host.simulator({ maxConcurrency: 1000, identifyWindowMs: noWindowMs });
	const fleets = contenders.map((contender) => host.contender(contender));
	for (const fleet of fleets) {
		const bot = echoing.has(fleet.name) ? bots.echo : bots.discordJs;
		await fleet.start(simulator, { bot, shards: workers, spawnDelayMs: 0 });
	}
	return fleets;
}

/** Takes turns with some operations; adds the rows of their p50 and p99 one after the other, and of many at once. */
export async function measureCalls({ scenario, host, fleets, workers, measurements, rounds }, group) {
	// The first round warms the engines up.
	for (let round = -1; round < rounds; round++) {
		const results = [];
		for (const each of round % 2 === 0 ? group : group.toReversed()) {
			const taking = fleets.filter(({ name: contender }) => contender !== each.not);
			const times = await callsInSequence(host, taking, each);
			const rates = await callsAtOnce(host, each.concurrent ? taking : [], each);
			results.push({ each, times, rates });
		}
		if (round < 0) continue;
		for (const { each, times, rates } of results.toSorted((one, other) => group.indexOf(one.each) - group.indexOf(other.each))) {
			const { operation, size, bytes, concurrent } = each;
			const what = `${operation}${size ? ` ${size}` : ''}, ${workers} worker${workers > 1 ? 's' : ''}`;
			for (const [fleet, took] of times) {
				const add = (row, value) => measurements.add({ scenario, ...row }, fleet.name, value);
				add({ title: `${what}: p50`, unit: 'ms', digits: 3 }, quantile(took, 0.5));
				if (bytes < 100_000) add({ title: `${what}: p99`, unit: 'ms' }, quantile(took, 0.99));
			}
			for (const [fleet, rate] of rates) {
				const row = { scenario, title: `${what}: ${concurrent} at once`, unit: 'calls/s', better: 'higher', digits: 0 };
				measurements.add(row, fleet.name, rate);
			}
		}
	}
}

async function callsInSequence(host, fleets, { operation, bytes, sequential }) {
	const times = new Map(fleets.map((fleet) => [fleet, []]));
	for (let turn = 0; turn < (bytes > 100_000 ? 2 : 5); turn++) {
		for (const fleet of fleets) {
			await host.noise.sample();
			times.get(fleet).push(...(await fleet.request('sequential', { operation, bytes, count: sequential })));
		}
	}
	return times;
}

async function callsAtOnce(host, fleets, { operation, bytes, concurrent }) {
	const rates = new Map();
	for (const fleet of fleets) {
		await host.noise.sample();
		rates.set(fleet, await fleet.request('concurrent', { operation, bytes, count: concurrent }));
	}
	return rates;
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
