// The example for Grafana and the alert rules name only metrics that fleets have.
import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string) => readFileSync(root + path, 'utf8');
/** Metrics of queries; a label or the name of a rule is none. */
const namesIn = (text: string) => [...new Set(text.match(/\bshardctl_[a-z_]+/g))].sort();
/** The reference lists every metric, and a test of the command line keeps it so. */
const known = new Set(namesIn(read('apps/shardctl/README.md')));

it('Grafana queries only metrics that exist, each panel at least one', () => {
	const { panels } = JSON.parse(read('apps/examples/monitoring/grafana.json')) as {
		panels: { id: number; title: string; targets: { expr: string }[] }[];
	};
	expect(panels.length).toBeGreaterThan(10);
	expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
	for (const { title, targets } of panels) {
		const names = namesIn(targets.map(({ expr }) => expr).join('\n'));
		expect({ title, names: names.length > 0 }).toEqual({ title, names: true });
		expect({ title, unknown: names.filter((name) => !known.has(name)) }).toEqual({ title, unknown: [] });
	}
});

it('Grafana shows what only a cluster has: its steps, how long they take, and leases that were not confirmed', () => {
	const queries = read('apps/examples/monitoring/grafana.json');
	for (const name of ['shardctl_cluster_steps_total', 'shardctl_cluster_step_seconds_total', 'cluster:muted'])
		expect(queries).toContain(name);
	// The kinds of steps are those that a node counts.
	const steps = read('packages/control/src/fleet/node-steps.ts');
	for (const [, kinds] of queries.matchAll(/kind=~\\"([^"]*)\\"/g)) {
		for (const kind of (kinds as string).split('|')) expect(steps).toContain(kind.replace(/\.\*$|_$/, ''));
	}
});

it('Prometheus reads the example as it is copied, with its rules', (context) => {
	const folder = tempDir();
	copyFileSync(`${root}apps/shardctl/alerts.yml`, join(folder, 'alerts.yml'));
	for (const file of ['prometheus.yml', 'cluster-alerts.yml', 'queue-alerts.yml'])
		copyFileSync(`${root}apps/examples/monitoring/${file}`, join(folder, file));
	writeFileSync(join(folder, 'shardctl.read-token'), 'secret');
	const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'config', 'prometheus.yml'], {
		cwd: folder,
		encoding: 'utf8',
	});
	if (error) {
		process.stderr.write('notice: promtool is not installed, so the example is not checked by it\n');
		context.skip();
		return;
	}
	expect(`${stdout}${stderr}`).toMatch(
		/SUCCESS: .*prometheus\.yml is valid[\s\S]*SUCCESS: \d+ rules found[\s\S]*SUCCESS: 3 rules found[\s\S]*SUCCESS: 4 rules found/,
	);
	expect(status).toBe(0);
});

it('the alert rules name only metrics that exist', () => {
	for (const file of ['shardctl/alerts.yml', 'examples/monitoring/cluster-alerts.yml', 'examples/monitoring/queue-alerts.yml']) {
		const names = namesIn(read(`apps/${file}`));
		expect({ file, names: names.length > 1 }).toEqual({ file, names: true });
		expect({ file, unknown: names.filter((name) => !known.has(name)) }).toEqual({ file, unknown: [] });
	}
});
