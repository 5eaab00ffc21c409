// The table of faults in the README: a real fleet is broken in each way, and its report, its exit status of health, the alert and the time
// match the table. FAULTS=all breaks all of them (about five minutes), else those that are quick; UPDATE_README=1 writes the table.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { waitFor } from '@shardctl/test-support';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { healthExitCodes } from '../../../apps/shardctl/src/health/read-health.js';
import { statsTable } from '../../../apps/shardctl/src/stats/stats-table.js';
import { firingAlerts, readRules, type Scrape } from './alert-rules.js';
import { type Fault, faults } from './faults.js';
import { type FleetUnderFault, startFleetUnderFault } from './fleet-under-fault.js';

const root = join(import.meta.dirname, '../../..');
const readmePath = join(root, 'README.md');
const section = /(?<=<!-- faults -->\n)[\s\S]*(?=<!-- end of faults -->)/;
const alertsPath = join(root, 'apps/shardctl/alerts.yml');
const rules = readRules(readFileSync(alertsPath, 'utf8'));
const whole = process.env.FAULTS === 'all';
const width = 200;
const noAlert = 'none: it recovers by itself';

/** A row, cell by cell. */
interface Row {
	fault: string;
	stats: string;
	metric: string;
	alert: string;
	health: string;
	time: string;
}

const measured = new Map<string, Row>();

beforeEach(() => {
	vi.stubEnv('SHARDCTL_STATE_DIR', '');
	return () => vi.unstubAllEnvs();
});

const tried = faults.filter(({ quick }) => whole || quick);
if (!whole)
	process.stderr.write(`notice: ${faults.length - tried.length} of ${faults.length} faults are tried with FAULTS=all only\n`);

for (const fault of tried) {
	it(`${fault.fault}: is reported in time, and only by its alert`, async (context) => {
		const setup = fault.setup ? fault.setup() : {};
		if (!setup) {
			process.stderr.write(`notice: not tried, this machine does not allow it: ${fault.fault}\n`);
			context.skip();
			return;
		}
		const fleet = await startFleetUnderFault(setup);
		const before = await fleet.metrics();
		const beganAt = performance.now();
		await fault.cause(fleet);
		const said = fault.says === 'ends' ? await whenEnded(fleet, beganAt) : await whenSaid(fleet, fault, beganAt);
		await fault.until?.(fleet);
		const after = fault.says === 'ends' ? undefined : await fleet.metrics();
		const fired = firingAlerts(rules, [...held(before), said.scrape, ...held(after)], scrapeMs);
		expect({ fired, stats: said.lines }).toMatchObject({ fired: fault.alert === null ? [] : [fault.alert] });
		const exitStatus = fault.exitStatus === undefined ? undefined : await fleet.run.exit;
		expect(exitStatus).toBe(fault.exitStatus);
		expect(said.tookMs).toBeLessThan(fault.withinMs + slackMs);
		measured.set(fault.fault, {
			fault: fault.fault,
			stats: said.lines.map((line) => `\`${line.replaceAll(fleet.stateDir, '/var/lib/shardctl')}\``).join('<br>'),
			metric: metricOf(fault),
			alert: fault.alert ?? noAlert,
			health: `${said.exitCode}${fault.exitStatus === undefined ? '' : ` (\`start\`: ${fault.exitStatus})`}`,
			time: `${(Math.max(100, said.tookMs) / 1000).toFixed(1)} s`,
		});
		if (fleet.run.process.exitCode === null) fleet.run.process.kill('SIGKILL');
	});
}

afterAll(() => {
	if (!process.env.UPDATE_README) return;
	const kept = rowsOf(readFileSync(readmePath, 'utf8'));
	const rows = faults.flatMap(({ fault }) => measured.get(fault) ?? kept.get(fault) ?? []);
	const lines = rows.map(
		({ fault, stats, metric, alert, health, time }) => `| ${[fault, stats, metric, alert, health, time].join(' | ')} |`,
	);
	const table = `\n| fault | \`stats\`, first lines | metric | alert | \`health\` | after |\n|---|---|---|---|---|---|\n${lines.join('\n')}\n\n`;
	writeFileSync(readmePath, readFileSync(readmePath, 'utf8').replace(section, table));
});

describe('the table in the README', () => {
	const rows = rowsOf(readFileSync(readmePath, 'utf8'));

	it.skipIf(process.env.UPDATE_README)('has every fault with its alert and its exit status, reported in time', () => {
		expect([...rows.keys()]).toEqual(faults.map(({ fault }) => fault));
		for (const { fault, alert, withinMs, says, exitStatus = '' } of faults) {
			const { alert: listed = '', health = '', time = '' } = rows.get(fault) ?? {};
			expect({ fault, listed }).toEqual({ fault, listed: alert ?? noAlert });
			const [, code, ended = ''] = /^(\d)(?: \(`start`: (\d)\))?$/.exec(health) ?? [];
			expect({ fault, ends: code === '3', ended }).toEqual({ fault, ends: says === 'ends', ended: String(exitStatus) });
			expect(Number.parseFloat(time) * 1000).toBeLessThanOrEqual(withinMs);
		}
	});

	it.skipIf(process.env.UPDATE_README)('matches the reports of this run', () => {
		for (const [fault, row] of measured) {
			const expected = rows.get(fault);
			expect({ ...row, stats: shape(row.stats), time: '' }).toEqual({
				...expected,
				stats: shape(expected?.stats ?? ''),
				time: '',
			});
		}
	});

	it('has alert rules that Prometheus reads', (context) => {
		const { error, status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', alertsPath], { encoding: 'utf8' });
		if (error) {
			process.stderr.write('notice: promtool is not installed, so the alert rules are not checked by it\n');
			context.skip();
			return;
		}
		expect(`${stdout}${stderr}`).toMatch(`SUCCESS: ${rules.length} rules found`);
		expect(status).toBe(0);
	});

	it('has the alert rules of the package, each of which a fault fires', () => {
		const listed = /```yaml\n(groups:[\s\S]*?)```/.exec(readFileSync(readmePath, 'utf8'))?.[1];
		expect(listed).toBe(readFileSync(alertsPath, 'utf8'));
		expect([...new Set(faults.map(({ alert }) => alert))].filter((alert) => alert !== null).sort()).toEqual(
			rules.map(({ alert }) => alert).sort(),
		);
	});
});

/** How often Prometheus scrapes here. */
const scrapeMs = 15_000;
/** Reading the figures takes time as well, on a machine with other work. */
const slackMs = 1500;
const pollMs = 50;

/** A state that lasts for ten minutes. */
function held(scrape: Scrape): Scrape[] {
	return Array.from({ length: 40 }, () => scrape);
}

interface Said {
	lines: string[];
	exitCode: number;
	scrape: Scrape;
	tookMs: number;
}

async function whenSaid(fleet: FleetUnderFault, { says, text = /./ }: Fault, beganAt: number): Promise<Said> {
	const found = await waitFor(
		says,
		async () => {
			const [stats, scrape] = await Promise.all([fleet.stats(), fleet.metrics()]);
			const { causes } = stats.health;
			const matches =
				says === 'outgrown' ? stats.sizing?.outgrown : causes.some(({ kind, message }) => kind === says && text.test(message));
			return matches ? { stats, scrape, tookMs: performance.now() - beganAt } : undefined;
		},
		{ everyMs: pollMs, timeoutMs: 90_000 },
	);
	const { stats, scrape, tookMs } = found;
	const lines = statsTable(stats, { width, nowMs: Date.now() }).split('\n').slice(0, 2);
	return { lines: lines.map((line) => line.trimEnd()), exitCode: healthExitCodes[stats.health.status], scrape, tookMs };
}

/** The manager is gone; only the output of the commands is left. */
async function whenEnded({ run, cli, stateDir }: FleetUnderFault, beganAt: number): Promise<Said> {
	await run.exit;
	const tookMs = performance.now() - beganAt;
	const env = { SHARDCTL_STATE_DIR: stateDir };
	const { code } = await cli.output(['health', '--name', 'fleet'], { env });
	const { stderr } = await cli.output(['stats', '--name', 'fleet'], { env });
	return { lines: stderr.trimEnd().split('\n').slice(0, 2), exitCode: Number(code), scrape: undefined, tookMs };
}

function metricOf({ says, alert }: Fault): string {
	if (says === 'ends') return '`up`';
	if (says === 'outgrown') return '`shardctl_sessions_outgrown`';
	const events = { WorkerHangs: 'worker:unresponsive', WorkerOverMemory: 'worker:memory' }[alert ?? ''];
	return events === undefined ? `\`shardctl_health_cause{kind="${says}"}\`` : `\`shardctl_fleet_events_total{type="${events}"}\``;
}

function rowsOf(readme: string): Map<string, Row> {
	const lines = (section.exec(readme)?.[0] ?? '')
		.split('\n')
		.filter((line) => line.startsWith('| '))
		.slice(1);
	return new Map(
		lines.map((line) => {
			const [fault = '', stats = '', metric = '', alert = '', health = '', time = ''] = line.slice(2, -2).split(' | ');
			return [fault, { fault, stats, metric, alert, health, time }];
		}),
	);
}

/** What is the same in each run. */
function shape(text: string): string {
	return (
		text
			.replace(/shards? [\d,-]+/g, 'SHARDS')
			// A first attempt of the restart may have failed by then, or not.
			.replace(/; \d+ failed attempts?/g, '')
			// It waits for the next try at that moment, or tries.
			.replace(/[;,] next try in [\dhms .]+/g, '')
			.replace(/connecting|resuming/g, 'STATE')
			.replace(/\d+h \d+m|\d+(\.\d+)?( ?(ms|s|m|MB))?\b/g, 'N')
	);
}
