// The benchmark's command: `pnpm bench [scenario…] [--quick] [--rounds N] [--json]`. Reads the arguments, runs the scenarios one after
// the other, and writes what they measured: a table to the terminal, JSON and a plot to reports/bench/.
import { parseArgs } from 'node:util';
import { Host } from './harness/host.mjs';
import { Measurements } from './harness/measurements.mjs';
import { describeNoise } from './harness/noise.mjs';
import { environment } from './report/environment.mjs';
import { writeReports } from './report/files.mjs';
import { printClaims, printRows } from './report/tables.mjs';
import * as calls from './scenarios/calls.mjs';
import * as codec from './scenarios/codec.mjs';
import * as crashLoop from './scenarios/crash-loop.mjs';
import * as gateway from './scenarios/gateway.mjs';
import * as guard from './scenarios/guard.mjs';
import * as memory from './scenarios/memory.mjs';
import * as recovery from './scenarios/recovery.mjs';
import * as rpc from './scenarios/rpc.mjs';
import * as scale from './scenarios/scale.mjs';
import { startUp, startUpDefaults, startUpLarge } from './scenarios/start-up.mjs';

const scenarios = [startUp, calls, recovery, memory, scale, startUpDefaults, crashLoop];
/** Scenarios that take long, or concern one part only. */
const onlyByName = [startUpLarge, gateway, rpc, codec, guard];

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: {
		quick: { type: 'boolean', default: false },
		rounds: { type: 'string' },
		json: { type: 'boolean', default: false },
		help: { type: 'boolean', short: 'h', default: false },
	},
});
const all = [...scenarios, ...onlyByName];
const unknown = positionals.find((given) => !all.some(({ name }) => name === given));
const rounds = Number(values.rounds ?? 3);
if (values.help || unknown !== undefined || !Number.isInteger(rounds) || rounds < 1) {
	if (unknown !== undefined) console.error(`there is no scenario "${unknown}"`);
	console.error('usage: pnpm bench [scenario…] [--quick] [--rounds N] [--json]\n');
	for (const { name, title } of all) console.error(`  ${name.padEnd(19)}${title}`);
	process.exit(values.help ? 0 : 2);
}

const chosen = positionals.length > 0 ? all.filter(({ name }) => positionals.includes(name)) : scenarios;
const host = new Host();
const measurements = new Measurements();
const about = environment();
/** How noisy the machine was, by scenario. */
const noise = {};
const end = () => {
	// The measurements so far may have taken minutes.
	if (!values.json) printRows(measurements.rows);
	void host.close().then(() => process.exit(130));
};
process.once('SIGINT', end).once('SIGTERM', end);

try {
	for (const scenario of chosen) await run(scenario);
} finally {
	await host.close();
}

async function run(scenario) {
	const startedAt = performance.now();
	console.error(`${scenario.name}: ${scenario.title} …`);
	await scenario.run({ host, measurements, rounds, quick: values.quick });
	console.error(`${scenario.name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
	const found = host.noise.take();
	if (found) {
		noise[scenario.name] = found;
		console.error(`${scenario.name}: ${describeNoise(found)}`);
	}
	if (!values.json) printRows(measurements.rows.filter((row) => row.scenario === scenario.name));
}

const { rows, claims } = measurements;
const report = { about, rounds, noise, rows, claims };
if (values.json) {
	console.log(JSON.stringify(report));
} else {
	printClaims(claims);
	for (const file of await writeReports(report)) console.error(`wrote ${file}`);
}
