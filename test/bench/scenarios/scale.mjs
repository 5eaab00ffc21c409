// What an idle fleet costs its manager, and the manager's code its workers, as the fleet grows. The workers hold no library and no
// connection, so nothing else is in the figures.
import { bots, noWindowMs } from '../harness/host.mjs';
import { medianOf } from '../harness/measurements.mjs';
import { cpuMs, hasProc } from '../harness/processes.mjs';
import { mean } from '../harness/statistics.mjs';

export const name = 'scale';
export const title = 'Cost of an idle fleet at 8, 64 and 256 workers';

const contenders = ['shardctl', 'discord.js', 'hybrid-sharding'];
/** Two beats of what shardctl does by itself: figures from every worker and a look at its event loop, each 5 s. */
const idleMs = 10_000;
const mb = 2 ** 20;

export async function run({ host, measurements, quick }) {
	if (!hasProc) return;
	for (const workers of quick ? [8] : [8, 64, 256]) {
		for (const contender of contenders) await measure({ host, measurements, workers, contender });
	}
	claims(measurements);
}

async function measure({ host, measurements, workers, contender }) {
	const simulator = await host.simulator({ maxConcurrency: 1000, identifyWindowMs: noWindowMs });
	const fleet = host.contender(contender);
	const tookMs = await fleet.start(simulator, { bot: bots.tiny, shards: workers, spawnDelayMs: 0 });
	await pause(2000);
	const pids = await fleet.request('pids');
	const before = { at: performance.now(), manager: await fleet.request('usage'), workers: pids.map(cpuMs) };
	await pause(idleMs);
	const after = { at: performance.now(), manager: await fleet.request('usage'), workers: pids.map(cpuMs) };
	const seconds = (after.at - before.at) / 1000;
	const add = (what, unit, value) =>
		measurements.add({ scenario: name, title: `${workers} workers: ${what}`, unit, digits: 3 }, contender, value);
	add('start', 's', tookMs / 1000);
	add('processor, manager, per worker', 'ms/s', (after.manager.cpuMs - before.manager.cpuMs) / seconds / workers);
	add('processor, one worker', 'ms/s', mean(after.workers.map((total, index) => total - before.workers[index])) / seconds);
	add('memory, manager', 'MB', after.manager.rssBytes / mb);
	await fleet.end();
	await simulator.stop();
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
