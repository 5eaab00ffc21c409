// Writes a run to reports/bench/: everything as JSON, and the plot.
import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { plot } from './plot.mjs';

const folder = fileURLToPath(new URL('../../../reports/bench/', import.meta.url));

/** Returns the paths of the written files. */
export async function writeReports(report) {
	await mkdir(folder, { recursive: true });
	const files = {
		'bench.json': `${JSON.stringify(report, null, '\t')}\n`,
		'bench.svg': plot(report),
	};
	for (const [name, text] of Object.entries(files)) await writeFile(`${folder}${name}`, text);
	return Object.keys(files).map((name) => `reports/bench/${name}`);
}
