// The benchmark's command: `pnpm bench [scenario…] [--quick] [--rounds N]`. Reads the arguments, runs the scenarios one after the
// other, and writes what they measured: a table to the terminal, JSON and a plot to reports/bench/.
import { parseArgs } from 'node:util';
import { Host } from './harness/host.mjs';
import { Measurements } from './harness/measurements.mjs';
import { environment } from './report/environment.mjs';
import { writeReports } from './report/files.mjs';
import { printClaims, printRows } from './report/tables.mjs';
import * as calls from './scenarios/calls.mjs';
import * as codec from './scenarios/codec.mjs';
import * as crashLoop from './scenarios/crash-loop.mjs';
import * as memory from './scenarios/memory.mjs';
import * as recovery from './scenarios/recovery.mjs';
import * as rpc from './scenarios/rpc.mjs';
import * as scale from './scenarios/scale.mjs';
import * as startUp from './scenarios/start-up.mjs';

const scenarios = [startUp, calls, rpc, codec, recovery, crashLoop, memory, scale];

const { values, positionals } = parseArgs({
	allowPositionals: true,
	options: { quick: { type: 'boolean', default: false }, rounds: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const unknown = positionals.find((given) => !scenarios.some(({ name }) => name === given));
if (values.help || unknown) {
	if (unknown) console.error(`there is no scenario "${unknown}"`);
	console.error('usage: pnpm bench [scenario…] [--quick] [--rounds N]\n');
	for (const { name, title } of scenarios) console.error(`  ${name.padEnd(12)}${title}`);
	process.exit(unknown ? 2 : 0);
}

const rounds = Number(values.rounds ?? (values.quick ? 3 : 5));
const host = new Host();
const measurements = new Measurements();
const about = environment();
const end = () => void host.close().then(() => process.exit(130));
process.once('SIGINT', end).once('SIGTERM', end);

try {
	for (const scenario of scenarios) {
		if (positionals.length > 0 && !positionals.includes(scenario.name)) continue;
		const startedAt = performance.now();
		console.error(`${scenario.name}: ${scenario.title} …`);
		await scenario.run({ host, measurements, rounds, quick: values.quick });
		console.error(`${scenario.name}: ${((performance.now() - startedAt) / 1000).toFixed(0)} s`);
		printRows(measurements.rows.filter((row) => row.scenario === scenario.name));
	}
} finally {
	await host.close();
}
printClaims(measurements.claims);
for (const file of await writeReports({ about, measurements, rounds })) console.error(`wrote ${file}`);
process.exit(0);
