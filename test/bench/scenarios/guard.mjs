// A short subset with bounds several times as wide as usual, so that only a real regression exceeds them under any other load
// of the machine: ratios and counts, no times. It runs with the tests (guard.test.ts), and only when it is requested by name.
import { ratio } from '../harness/measurements.mjs';
import { cpuMs, hasProc } from '../harness/processes.mjs';
import { measureCalls, startFleets } from './calls.mjs';
import { burn } from './crash-loop.mjs';
import { compressed, measureRelay, startLines } from './gateway.mjs';

export const name = 'guard';
export const title = 'The short subset that runs with the tests';

const workers = 2;
const slowMs = 300;

export async function run({ host, measurements }) {
	// It mostly waits, beside the others.
	const crashLoop = burn({ host, contender: 'shardctl', lastsMs: 8000 });
	const fleets = await startFleets(host, workers, ['node', 'shardctl', 'discord.js']);
	const each = { operation: 'broadcastEval', size: '100 B', bytes: 100, sequential: 50, concurrent: 1000 };
	await measureCalls({ scenario: name, host, fleets, workers, measurements, rounds: 3 }, [each]);
	const what = `broadcastEval 100 B, ${workers} workers`;

	if (hasProc) {
		// Processor time, because on a busy machine a round trip is mostly waiting.
		const row = { scenario: name, title: `${what}: processor, all processes`, unit: 'ms', digits: 3 };
		for (let round = 0; round < 5; round++) {
			for (const fleet of fleets) measurements.add(row, fleet.name, await processorPerCall(fleet));
		}
		const floor = ratio(measurements.row(name, row.title), 'shardctl', 'node');
		const text = 'broadcastEval: at most 10 × the processor time of the raw IPC floor';
		measurements.claim({ text, found: show(floor), holds: floor.median <= 10 });
	}
	const many = ratio(measurements.row(name, `${what}: 1000 at once`), 'shardctl', 'discord.js');
	measurements.claim({
		text: '1000 distinct broadcastEvals at once: at least as many a second as with discord.js',
		found: show(many),
		holds: many.median >= 1,
	});

	await guardRecovery(fleets[1], measurements);
	await Promise.all(fleets.map((fleet) => fleet.end()));
	guardCrashLoop(await crashLoop, measurements);
	if (hasProc) await guardRelay(host, measurements);
}

async function processorPerCall(fleet) {
	const count = 200;
	const pids = [fleet.pid, ...(await fleet.request('pids'))];
	const spent = () => pids.reduce((sum, pid) => sum + cpuMs(pid), 0);
	const before = spent();
	await fleet.request('sequential', { operation: 'broadcastEval', bytes: 100, count });
	return (spent() - before) / count;
}

async function guardRecovery(fleet, measurements) {
	await fleet.request('kill', { index: 0, callsInFlight: 50, delayMs: slowMs });
	// The calls to the surviving worker end by themselves; the successor of the killed one is ready by now.
	await pause(slowMs);
	const hanging = await fleet.request('hanging');
	measurements.claim({
		text: 'calls that never settle when a worker is killed: 0',
		found: String(hanging),
		holds: hanging === 0,
	});
}

function guardCrashLoop(identifies, measurements) {
	// The third is after 14 s at the earliest, however fast the machine is.
	measurements.claim({
		text: 'crash loop of 8 s: at most 2 IDENTIFYs',
		found: String(identifies),
		holds: identifies <= 2,
	});
}

async function guardRelay(host, measurements) {
	const ways = ['ws relay', 'shardctl', compressed];
	const lines = await startLines(host, ways);
	const row = { scenario: name, title: 'relayed per second of processor time', unit: 'events', better: 'higher', digits: 0 };
	const add = (_what, _unit, way, value) => measurements.add(row, way, value);
	await measureRelay(lines, { add, rounds: 3, ways, kind: 'small', events: 20_000 });
	await lines.end();
	const share = ratio(measurements.row(name, row.title), 'shardctl', 'ws relay');
	measurements.claim({
		text: 'events relayed by a gateway process: at least 0.5 × those of a bare relay, per second of processor time',
		found: show(share),
		holds: share.median >= 0.5,
	});
	const inflated = ratio(measurements.row(name, row.title), compressed, 'shardctl');
	measurements.claim({
		text: 'compressed events relayed by a gateway process: at least 0.25 × as many as uncompressed',
		found: show(inflated),
		holds: inflated.median >= 0.25,
	});
}

function show({ median, min, max }) {
	return `${median.toFixed(2)} (${min.toFixed(2)}–${max.toFixed(2)})`;
}

function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
