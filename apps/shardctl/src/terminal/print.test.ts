import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const source = join(import.meta.dirname, '..');

/** Files that draw on their own screen, files that write only our own bytes, a child's whose output doctor reads and filters, and the two functions themselves. */
const direct = ['cli.ts', 'commands/simulate.ts', 'doctor/in-threads.ts', 'stats/screen.ts', 'terminal/print.ts'];

it('finding 12: every command writes to its streams through print.ts, which filters', () => {
	const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
		(file) => file.endsWith('.ts') && !file.endsWith('.test.ts'),
	);
	const writers = files.filter((file) =>
		/\bstd(?:out|err)\.write\(|console\.(?:log|error|warn|info)\(/.test(readFileSync(join(source, file), 'utf8')),
	);
	expect(writers.filter((file) => !direct.includes(file.replaceAll('\\', '/')) && file !== 'start/fleet-output.ts')).toEqual([]);
});
