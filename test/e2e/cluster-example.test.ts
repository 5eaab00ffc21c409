// The files of apps/examples/cluster are what their tools accept, and start the command line with options that it has.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (name: string) => readFileSync(join(root, 'apps/examples/cluster', name), 'utf8');
const bin = join(root, 'apps/shardctl/bin/shardctl.js');

/** The reference of the command line, which is compared with the options in its own test. */
const reference = readFileSync(join(root, 'apps/shardctl/README.md'), 'utf8');

/** The options of a command, as its own help lists them. */
function helpOf(command: string): string {
	return spawnSync(process.execPath, [bin, command, '--help'], { encoding: 'utf8' }).stdout;
}

function expectKnown(command: string, args: readonly string[]): void {
	const help = helpOf(command);
	for (const arg of args.filter((text) => text.startsWith('--'))) expect(help).toContain(arg);
}

interface Container {
	command: string[];
	env?: { name: string }[];
	readinessProbe?: { exec: { command: string[] } };
}

it('compose: Valkey keeps its data, and three nodes have time to drain', () => {
	const { services, volumes } = parse(read('compose.yaml'), { strict: true, uniqueKeys: true }) as {
		services: Record<string, Record<string, unknown>>;
		volumes: Record<string, unknown>;
	};
	expect(Object.keys(services)).toEqual(['valkey', 'bot']);
	expect(services.valkey?.command).toEqual(['valkey-server', '--appendonly', 'yes', '--maxmemory-policy', 'noeviction']);
	expect(Object.keys(volumes)).toEqual(['valkey']);
	const { build, command, deploy, stop_grace_period, environment } = services.bot as {
		build: string;
		command: string[];
		deploy: { replicas: number };
		stop_grace_period: string;
		environment: Record<string, string>;
	};
	expect({ replicas: deploy.replicas, stop_grace_period }).toEqual({ replicas: 3, stop_grace_period: '2m' });
	expectKnown(command[1] as string, command);
	const image = read(join(build, 'Dockerfile'));
	expect(image).toContain(`CMD ${JSON.stringify(command).replaceAll('","', '", "')}`);
	expect(image).toMatch(/^USER node$/m);
	expect(read('.dockerignore').split('\n')).toContain('.env*');
	for (const name of Object.keys(environment).filter((key) => key !== 'SHARDCTL_STATE_DIR' && key.startsWith('SHARDCTL_'))) {
		expect(reference).toContain(`\`${name}\``);
	}
});

describe('Kubernetes', () => {
	const documents = parseAllDocuments(read('kubernetes.yaml'), { strict: true, uniqueKeys: true });
	const [deployment, budget] = documents.map((document) => document.toJS() as unknown) as [
		{
			kind: string;
			spec: {
				replicas: number;
				selector: { matchLabels: object };
				strategy: { rollingUpdate: object };
				template: {
					metadata: { labels: object };
					spec: { terminationGracePeriodSeconds: number; containers: Container[] };
				};
			};
		},
		{ kind: string; spec: { maxUnavailable: number; selector: { matchLabels: object } } },
	];

	it('is a Deployment whose pods join before others leave, and a budget that matches it', () => {
		expect(documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])).toEqual([]);
		expect([deployment.kind, budget.kind]).toEqual(['Deployment', 'PodDisruptionBudget']);
		const { spec } = deployment;
		expect(spec.replicas).toBe(3);
		expect(spec.strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
		expect(spec.template.metadata.labels).toEqual(spec.selector.matchLabels);
		expect(budget.spec.selector.matchLabels).toEqual(spec.selector.matchLabels);
		expect(budget.spec.maxUnavailable).toBeLessThan(spec.replicas);
		expect(spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(120);
	});

	it('runs commands and sets variables that exist', () => {
		const [{ command, env = [], readinessProbe }] = deployment.spec.template.spec.containers as [Container];
		expectKnown(command[1] as string, command);
		const probe = readinessProbe?.exec.command ?? [];
		expect(helpOf(probe[1] as string)).toMatch(/^Usage: shardctl health/);
		for (const { name } of env.filter((variable) => variable.name !== 'SHARDCTL_STATE_DIR')) {
			expect(reference).toContain(`\`${name}\``);
		}
	});
});

describe('systemd', () => {
	const unit = read('my-bot.service');
	const value = (key: string) => new RegExp(`^${key}=(.*)$`, 'm').exec(unit)?.[1];

	it('starts a command that exists, signals the manager alone, and gives it time to drain', () => {
		const words = value('ExecStart')?.split(' ') ?? [];
		// npx and npm would not pass the signal on.
		expect(words.slice(0, 2)).toEqual([`${value('WorkingDirectory')}/node_modules/.bin/shardctl`, 'start']);
		expectKnown('start', words.slice(2));
		expect(value('KillMode')).toBe('mixed');
		expect(Number(value('TimeoutStopSec'))).toBeGreaterThan(120);
		expect(value('EnvironmentFile')).toBe('/etc/my-bot.env');
	});

	it.skipIf(spawnSync('systemd-analyze', ['--version']).status !== 0)('is a unit that systemd reads without a complaint', () => {
		const dir = mkdtempSync(join(tmpdir(), 'shardctl-unit-'));
		try {
			const path = join(dir, 'my-bot.service');
			writeFileSync(path, unit.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`).replace(/^User=.*\n/m, ''));
			const { stderr } = spawnSync('systemd-analyze', ['verify', path], { encoding: 'utf8' });
			expect(stderr.split('\n').filter((line) => line.includes('my-bot.service'))).toEqual([]);
		} finally {
			rmSync(dir, { recursive: true, force: true });
		}
	});
});
