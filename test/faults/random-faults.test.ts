// A long night in two minutes: hundreds of random faults on several fleets at once, one after the other in each, and after every
// single one the fleet must be complete again, with one process per worker and no violation of Discord's rules.
//
// SHARDCTL_FAULT_SEED=number has the same faults again (not the same timing); SHARDCTL_FAULTS=number sets how many.
import { readdirSync } from 'node:fs';
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { countingClock } from './counting-clock.js';
import { type Fault, faults } from './faults.js';
import { type Fleet, type FleetSetup, fixture, startFleet } from './fleet.js';
import { ProcessWatch } from './process-watch.js';
import { pickWeighted, type Random, seeded } from './random.js';

const seed = Number(process.env.SHARDCTL_FAULT_SEED ?? 20_261_120);
const total = Number(process.env.SHARDCTL_FAULTS ?? 304);

/** Faults are frequent here, so no worker fails for good; heartbeats are short, so that a hang is detected in time. */
const policy = { initialDelayMs: 10, maxDelayMs: 100, maxRestarts: 10_000, stableAfterMs: 1000 };
const setups: readonly FleetSetup[] = [
	{ simulator: { shards: 2 } },
	{ simulator: { shards: 2 } },
	{ simulator: { shards: 2 } },
	{ simulator: { shards: 3 } },
	{ simulator: { shards: 4 }, manager: { shardsPerWorker: 2 } },
	{ simulator: { shards: 2, maxConcurrency: 1 } },
	{ simulator: { shards: 3, maxConcurrency: 2 } },
	{ simulator: { shards: 2 }, file: fixture('discordjs-bot.cjs') },
];

it(`recovers from each of ${total} random faults (seed ${seed})`, async () => {
	const descriptors = openDescriptors();
	const clocks = setups.map(() => countingClock());
	const fleets = await Promise.all(
		setups.map(({ file, simulator, manager }, lane) =>
			startFleet({
				...(file === undefined ? {} : { file }),
				simulator: { ...simulator },
				manager: {
					respawn: policy,
					heartbeatTimeoutMs: 2500,
					shutdownGraceMs: 3000,
					maxMemoryBytes: 300 * 2 ** 20,
					clock: clocks[lane] as never,
					...manager,
				},
			}),
		),
	);
	using watch = new ProcessWatch(fleets);
	const left = { faults: total };
	const done = (await Promise.all(fleets.map((fleet, lane) => runLane(fleet, { lane, left, watch })))).flat();

	expect(watch.sightings).toEqual([]);
	expect(done.length).toBe(total);
	// As many processes as there are workers, and one for their REST requests where there are several; and four pipes each (three standard
	// streams and the channel), after any faults.
	const children = fleets.reduce((sum, { manager: { workers } }) => sum + workers.length + (workers.length > 1 ? 1 : 0), 0);
	await waitFor('no process too many', () => count('ProcessWrap') === children && count('PipeWrap') <= children * 4 + 8);
	await Promise.all(fleets.map((fleet) => fleet.stop()));
	expect(clocks.map((clock) => clock.pending())).toEqual(setups.map(() => 0));
	await waitFor('every descriptor to be closed', () => openDescriptors() <= descriptors);
	report(done, watch);
});

interface Lane {
	lane: number;
	left: { faults: number };
	watch: ProcessWatch;
}

/** The faults of one fleet: the seed and the lane decide on all of them, the speed of the machine only on how many there are. */
async function runLane(fleet: Fleet, { lane, left, watch }: Lane): Promise<{ name: string; tookMs: number }[]> {
	const random: Random = seeded(seed + lane * 7919);
	const done: { name: string; tookMs: number }[] = [];
	while (left.faults > 0) {
		left.faults--;
		const fault: Fault = pickWeighted(faults, random);
		const since = performance.now();
		fleet.story.push(`--- fault ${done.length} of lane ${lane}: ${fault.name}`);
		try {
			await fault.apply(fleet, random);
			await fleet.allReady();
			watch.look(fleet);
			expect(watch.sightings).toEqual([]);
			expect(violations(fleet)).toEqual([]);
			expect([...fleet.incarnations().values()].map((pids) => pids.length)).toEqual(fleet.manager.workers.map(() => 1));
		} catch (error) {
			left.faults = 0;
			const where = `fault ${done.length} ("${fault.name}") of lane ${lane}; again with SHARDCTL_FAULT_SEED=${seed}`;
			throw new Error(`${where}\n${String(error)}\n${fleet.story.slice(-80).join('\n')}`, { cause: error });
		}
		done.push({ name: fault.name, tookMs: performance.now() - since });
	}
	return done;
}

/** Without the closes that are faults themselves. */
function violations({ simulator }: Fleet): unknown[] {
	return simulator.violations({ hardOnly: true }).filter(({ detail }) => detail !== 'fault');
}

function report(done: readonly { name: string; tookMs: number }[], watch: ProcessWatch): void {
	const byName = new Map<string, number[]>();
	for (const { name, tookMs } of done) byName.set(name, [...(byName.get(name) ?? []), tookMs]);
	const lines = [...byName]
		.sort(([, a], [, b]) => b.length - a.length)
		.map(([name, times]) => `${String(times.length).padStart(4)} × ${name}, ${Math.round(median(times))} ms`);
	process.stdout.write(`seed ${seed}: ${done.length} faults, ${watch.looks} looks at the processes\n${lines.join('\n')}\n`);
}

function median(values: readonly number[]): number {
	return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function openDescriptors(): number {
	return readdirSync('/proc/self/fd').length;
}

function count(resource: string): number {
	return process.getActiveResourcesInfo().filter((name) => name === resource).length;
}
