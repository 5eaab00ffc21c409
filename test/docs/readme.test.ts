// The README says what the code does: its tables are held against the code's own, and its links lead somewhere.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { exitCodes } from '../../apps/shardctl/src/exit-codes.js';
import { errorCodes } from '../../packages/core/src/errors.js';
import { managerOptionsSchema } from '../../packages/manager/src/options.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The first cells of the table under a heading line such as `| option | default | |`, without back ticks. */
function firstColumn(header: string): string[] {
	const lines = readme.slice(readme.indexOf(header)).split('\n').slice(2);
	const rows = lines.slice(
		0,
		lines.findIndex((line) => !line.startsWith('|')),
	);
	return rows.map((row) => (row.split('|')[1] ?? '').trim().replaceAll('`', ''));
}

it('lists every option of createShardManager, and no other', () => {
	expect(firstColumn('| option | default |').sort()).toEqual(Object.keys(managerOptionsSchema.shape).sort());
});

it('lists every error code with its meaning', () => {
	for (const [code, meaning] of Object.entries(errorCodes)) expect(readme).toContain(`| \`${code}\` | ${meaning} |`);
	expect(firstColumn('| code | |')).toEqual(Object.keys(errorCodes));
});

it('lists every exit status', () => {
	expect(firstColumn('| exit status | |').map(Number)).toEqual(Object.values(exitCodes));
});

const pages = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.md'], { cwd: root, encoding: 'utf8' })
	.trim()
	.split('\n');

it.each(pages)('%s has no dead links', (file) => {
	const text = readFileSync(join(root, file), 'utf8');
	const links = [...text.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target as string);
	const dead = links.filter((target) => !existsSync(join(root, dirname(file), target)));
	expect(dead).toEqual([]);
});
