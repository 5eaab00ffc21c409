// Prints the findings of the doctor; returns the exit status.
import { exitCodes } from '../exit-codes.js';
import { out } from '../terminal/colours.js';
import { plural } from '../terminal/count.js';
import { printErr, printOut } from '../terminal/print.js';
import type { Finding } from './finding.js';

const marks = { ok: out.green('✔'), warn: out.yellow('▲'), fail: out.red('✖'), skip: out.dim('-') } as const;

export function printFindings(findings: readonly Finding[], { json }: { json: boolean }): number {
	const failed = findings.filter(({ status }) => status === 'fail').length;
	if (json) printOut(`${JSON.stringify({ ok: failed === 0, findings }, null, 2)}\n`);
	else {
		const width = Math.max(...findings.map(({ check }) => check.length));
		for (const { check, status, message, remedy } of findings) {
			printOut(`${marks[status]} ${check.padEnd(width)}  ${message}\n`);
			if (remedy) printOut(`  ${' '.repeat(width)}  ${out.dim('→')} ${remedy}\n`);
		}
		const warned = findings.filter(({ status }) => status === 'warn').length;
		printErr(
			failed > 0
				? `${plural(failed, 'problem')}: the fleet would not start\n`
				: warned > 0
					? `no problem; ${plural(warned, 'warning')}\n`
					: 'no problem found\n',
		);
	}
	return failed > 0 ? exitCodes.failed : exitCodes.fine;
}
