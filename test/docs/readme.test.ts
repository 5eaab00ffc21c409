// The README matches the code: its tables are compared with the code's own, and its links resolve.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { exitCodes } from '../../apps/shardctl/src/exit-codes.js';
import { healthExitCodes } from '../../apps/shardctl/src/health/read-health.js';
import { metrics } from '../../packages/control/src/metrics/exposition.js';
import { errorCodes } from '../../packages/core/src/errors.js';
import { managerOptionsSchema } from '../../packages/manager/src/options/manager-options.js';
import { optionDocs } from '../../packages/manager/src/options/option-table.js';

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

const optionRows = /(?<=\| option \| default \| \|\n\|---\|---\|---\|\n)(?:\|.*\n)+/;

it('lists every option of createShardManager, and no other; UPDATE_README=1 writes the table', () => {
	const wanted = `${optionDocs().join('\n')}\n`;
	if (process.env.UPDATE_README) writeFileSync(join(root, 'README.md'), readme.replace(optionRows, wanted));
	expect(optionRows.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[0]).toBe(wanted);
	expect(Object.keys(managerOptionsSchema.shape)).toEqual(optionDocs().map((row) => /^\| `(\w+)`/.exec(row)?.[1]));
});

it('lists every error code with its meaning', () => {
	for (const [code, meaning] of Object.entries(errorCodes)) expect(readme).toContain(`| \`${code}\` | ${meaning} |`);
	expect(firstColumn('| code | |')).toEqual(Object.keys(errorCodes));
});

it('lists every exit status', () => {
	expect(firstColumn('| exit status | |').map(Number)).toEqual(Object.values(exitCodes));
});

it('lists every exit status of health', () => {
	const rows = [...readme.matchAll(/^\| (healthy|degraded|down) \| (\d) \|/gm)].map(([, status, code]) => [status, Number(code)]);
	expect(Object.fromEntries(rows)).toEqual(healthExitCodes);
	expect(readme).toContain(`| no such fleet | ${exitCodes.noManager} |`);
});

const appReadme = join(root, 'apps/shardctl/README.md');
const metricsSection = /(?<=<!-- metrics -->\n)[\s\S]*(?=<!-- end of metrics -->)/;

it('lists every metric, and no other; UPDATE_README=1 writes the table', () => {
	const rows = metrics.map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`);
	const wanted = `\n| metric | type | labels | |\n|---|---|---|---|\n${rows.join('\n')}\n\n`;
	if (process.env.UPDATE_README) writeFileSync(appReadme, readFileSync(appReadme, 'utf8').replace(metricsSection, wanted));
	expect(metricsSection.exec(readFileSync(appReadme, 'utf8'))?.[0]).toBe(wanted);
});

it('names only existing metrics in its rules', () => {
	const named = [...readme.matchAll(/\bshardctl_[a-z_]+/g)].map(([name]) => name);
	const known = new Set(metrics.map(({ name }) => name));
	expect(named.length).toBeGreaterThan(0);
	expect(named.filter((name) => !known.has(name))).toEqual([]);
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
