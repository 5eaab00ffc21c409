// What an idle fleet costs its manager, and the manager's code its workers, as the fleet grows. The workers have no library and no
// connection, so nothing else is in the figures.
import { bots, noWindowMs } from '../harness/host.mjs';
import { medianOf } from '../harness/measurements.mjs';
import { cpuMs, hasProc } from '../harness/processes.mjs';

export const name = 'scale';
export const title = 'Cost of an idle fleet at 8, 64 and 256 workers';

const contenders = ['shardctl', 'discord.js', 'hybrid-sharding'];
/** V8 collects garbage once when a process becomes idle; that is the end of its start, not the cost of idling. */
const settleMs = 10_000;
/** A period of shardctl's own work: figures from every worker and a check of its event loop, each 5 s. */
const idleMs = 5000;
/** From here on only shardctl runs: the others take minutes, and the question is whether its own cost grows evenly. */
const alone = 256;
const mb = 2 ** 20;

export async function run({ host, measurements, quick }) {
	if (!hasProc) return;
	for (const workers of quick ? [8] : [8, 64, alone]) {
		const group = workers === alone ? ['shardctl'] : contenders;
		console.error(`  ${workers} workers: ${group.join(', ')}`);
		await measure({ host, measurements, workers, group });
	}
	claims(measurements);
}

async function measure({ host, measurements, workers, group }) {
	const simulator = await host.simulator({ maxConcurrency: 1000, identifyWindowMs: noWindowMs });
	const add = (contender, what, unit, value) =>
		measurements.add({ scenario: name, title: `${workers} workers: ${what}`, unit, digits: 3 }, contender, value);
	const fleets = [];
	for (const contender of group) {
		const fleet = host.contender(contender);
		const tookMs = await fleet.start(simulator, { bot: bots.tiny, shards: workers, spawnDelayMs: 0 });
		add(contender, 'start', 's', tookMs / 1000);
		fleets.push({ fleet, pids: await fleet.request('pids') });
	}
	await pause(settleMs);
	const before = await readAll(fleets);
	await pause(idleMs);
	const after = await readAll(fleets);
	for (const [index, { fleet }] of fleets.entries()) {
		const [first, last] = [before[index], after[index]];
		const seconds = (last.at - first.at) / 1000;
		add(fleet.name, 'processor, manager, per worker', 'ms/s', (last.managerMs - first.managerMs) / seconds / workers);
		add(fleet.name, 'processor, one worker', 'ms/s', (last.workersMs - first.workersMs) / seconds / workers);
		add(fleet.name, 'memory, manager', 'MB', last.rssBytes / mb);
	}
	await Promise.all(fleets.map(({ fleet }) => fleet.end()));
	await simulator.stop();
}

function readAll(fleets) {
	return Promise.all(
		fleets.map(async ({ fleet, pids }) => {
			const { cpuMs: managerMs, rssBytes } = await fleet.request('usage');
			return { at: performance.now(), managerMs, rssBytes, workersMs: pids.reduce((sum, pid) => sum + cpuMs(pid), 0) };
		}),
	);
}

function claims(measurements) {
	const figure = (workers, what) => medianOf(measurements.row(name, `${workers} workers: ${what}`), 'shardctl');
	const [small, large] = [64, 256].map((workers) => figure(workers, 'processor, manager, per worker'));
	const worker = figure(64, 'processor, one worker') ?? figure(8, 'processor, one worker');
	const manager = small ?? figure(8, 'processor, manager, per worker');
	measurements.claim({
		text: 'processor per idle worker under 0.2% of a core, in the manager and in the worker together',
		found: `${(manager / 10).toFixed(3)}% and ${(worker / 10).toFixed(3)}%`,
		holds: manager + worker < 2,
	});
	if (large === undefined) return;
	measurements.claim({
		text: 'cost grows linearly: per worker at 256 at most 1.5 × that at 64',
		found: `${(large / small).toFixed(2)} ×`,
		holds: large <= small * 1.5,
	});
}

function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
