// Calls into a fleet of this checkout, against a fleet of another one, for a figure before and after a change. Both fleets run the same bot
// and take turns, so that other load on the machine affects both alike. What counts is the processor time of all processes of a fleet: it
// hardly depends on what else runs, where a round trip is mostly waiting on a busy machine.
//
//   pnpm -s build && node test/bench/calls-against.mjs OTHER_CHECKOUT [rounds] [workers] [concurrent|sequential]
//
// The other checkout must be built.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as here from './harness/host.mjs';
import { cpuMs } from './harness/processes.mjs';
import { median, quantile } from './harness/statistics.mjs';

const [checkout, rounds = '8', workers = '8', only] = process.argv.slice(2);
if (!checkout) throw new Error('usage: node test/bench/calls-against.mjs OTHER_CHECKOUT [rounds] [workers]');
const before = await import(pathToFileURL(join(resolve(checkout), 'test/bench/harness/host.mjs')).href);

const simulators = new here.Host();
const simulator = await simulators.simulator({ maxConcurrency: 1000, identifyWindowMs: here.noWindowMs });
const hosts = [];
const fleets = new Map();
for (const [name, { Host, bots }] of Object.entries({ before, after: here })) {
	const host = new Host();
	hosts.push(host);
	const fleet = host.contender('shardctl');
	await fleet.start(simulator, { bot: bots.discordJs, shards: Number(workers), spawnDelayMs: 0 });
	fleets.set(name, { fleet, pids: await fleet.request('pids') });
}

const cases = [
	{ operation: 'broadcastEval', bytes: 100, how: 'concurrent', count: 1000 },
	{ operation: 'call', bytes: 100, how: 'concurrent', count: 1000 },
	{ operation: 'broadcastEval', bytes: 100, how: 'sequential', count: 200 },
	{ operation: 'fetchClientValues', bytes: 0, how: 'sequential', count: 200 },
];
for (const each of cases) {
	if (only && each.how !== only) continue;
	const figures = { before: [], after: [] };
	for (let round = -1; round < Number(rounds); round++) {
		for (const name of round % 2 ? ['after', 'before'] : ['before', 'after']) {
			const figure = await measure(fleets.get(name), each);
			if (round >= 0) figures[name].push(figure);
		}
	}
	console.log(
		`${each.operation}, ${each.count} ${each.how === 'concurrent' ? 'at once' : 'one after the other'}, ${workers} workers`,
	);
	report('processor, manager', 'µs a call', figures, ({ managerUs }) => managerUs);
	report('processor, all workers', 'µs a call', figures, ({ workersUs }) => workersUs);
	report('processor, together', 'µs a call', figures, ({ managerUs, workersUs }) => managerUs + workersUs);
	report(each.how === 'concurrent' ? 'time' : 'median round trip', 'µs a call', figures, ({ timeUs }) => timeUs);
}
await Promise.all([...fleets.values()].map(({ fleet }) => fleet.end()));
await Promise.all([simulators, ...hosts].map((host) => host.close()));

async function measure({ fleet, pids }, { operation, bytes, how, count }) {
	const workersMs = () => pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
	const start = { manager: cpuMs(fleet.pid), workers: workersMs() };
	const result = await fleet.request(how, { operation, bytes, count });
	return {
		managerUs: ((cpuMs(fleet.pid) - start.manager) * 1000) / count,
		workersUs: ((workersMs() - start.workers) * 1000) / count,
		timeUs: how === 'concurrent' ? 1e6 / result : quantile(result, 0.5) * 1000,
	};
}

function report(what, unit, { before, after }, figure) {
	const [old, now] = [before.map(figure), after.map(figure)];
	const ratios = now.map((value, round) => value / old[round]);
	const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
	console.log(
		`  ${what.padEnd(24)}before ${median(old).toFixed(0)}, after ${median(now).toFixed(0)} ${unit}; after / before ${median(ratios).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)})`,
	);
}
