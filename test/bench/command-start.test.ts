// Keeps the short commands short: the processor time of whole processes beside bare node's in the same run, with room for noise.
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

interface Row {
	command: string;
	cpuRatio: number;
}

const benchmark = fileURLToPath(new URL('./command-start.mjs', import.meta.url));

/** Measured: 1.1, 1.6 and 1.5 on a busy machine. apps/shardctl/test/light.test.ts checks that they load few files. */
const limits: Readonly<Record<string, number>> = { 'shardctl --help': 3, 'shardctl list': 4, 'shardctl stats': 4 };

it('keeps short commands near the cost of node itself', async () => {
	const { stdout } = await promisify(execFile)(process.execPath, [benchmark, '3', '--json']);
	const rows = JSON.parse(stdout) as Row[];
	const over = rows.filter(({ command, cpuRatio }) => cpuRatio > (limits[command] ?? Number.POSITIVE_INFINITY));
	expect(rows.map(({ command }) => command)).toEqual(expect.arrayContaining(Object.keys(limits)));
	expect(over).toEqual([]);
});
