// What a short command costs as a whole process, beside node itself: bare node, an empty module of each kind, `shardctl --help`,
// and commands against a running fleet, in turn, over several rounds; medians. Read the ratios: times depend on the machine.
// node test/bench/command-start.mjs [rounds] [--json]      (build first)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

const rounds = Number(process.argv.slice(2).find((arg) => /^\d+$/.test(arg)) ?? 20);
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const shardctl = path('../../apps/shardctl/bin/shardctl.js');
const reportCpu = path('fixtures/report-cpu.cjs');
const folder = mkdtempSync(join(tmpdir(), 'shardctl-start-'));
const env = { ...process.env, SHARDCTL_STATE_DIR: folder, NO_COLOR: '1', NODE_COMPILE_CACHE: join(folder, 'compiled') };
for (const ending of ['cjs', 'mjs']) writeFileSync(join(folder, `empty.${ending}`), '');

const contenders = {
	'node -e 0': ['-e', '0'],
	'empty.cjs': [join(folder, 'empty.cjs')],
	'empty.mjs': [join(folder, 'empty.mjs')],
	'shardctl --help': [shardctl, '--help'],
	'shardctl --version': [shardctl, '--version'],
	'shardctl list': [shardctl, 'list'],
	'shardctl stats': [shardctl, 'stats'],
	'shardctl stats --json': [shardctl, 'stats', '--json'],
};

async function run(args) {
	const startedAt = performance.now();
	const child = spawn(process.execPath, ['--require', reportCpu, ...args], { env, stdio: ['ignore', 'pipe', 'pipe', 'pipe'] });
	const outputs = Promise.all([child.stdout, child.stderr, child.stdio[3]].map((stream) => text(stream)));
	const [code] = await once(child, 'close');
	const wallMs = performance.now() - startedAt;
	const [stdout, stderr, cpu] = await outputs;
	if (code !== 0) throw new Error(`node ${args.join(' ')} ended with ${code}: ${stdout}${stderr}`);
	return { wallMs, cpuMs: Number(cpu) / 1000 };
}

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const names = Object.keys(contenders);
const results = Object.fromEntries(names.map((name) => [name, []]));
const fleet = spawn(
	process.execPath,
	[
		shardctl,
		'start',
		path('../../apps/shardctl/test/fixtures/bot.mjs'),
		'--name',
		'measured',
		'--simulate',
		'4',
		'--shards',
		'4',
		'--shards-per-worker',
		'4',
	],
	{ env: { ...env, SHARDCTL_LOG_FORMAT: 'json' }, stdio: ['ignore', 'pipe', 'inherit'] },
);
const fleetEnded = once(fleet, 'exit');
try {
	await fleetReady();
	// Each round starts with another contender, so that none always runs after the same one. The first warms the file cache.
	for (let round = -1; round < rounds; round++) {
		for (let i = 0; i < names.length; i++) {
			const name = names[(i + round + names.length) % names.length];
			const result = await run(contenders[name]);
			if (round >= 0) results[name].push(result);
		}
	}
} finally {
	fleet.kill('SIGTERM');
	await fleetEnded;
	rmSync(folder, { recursive: true });
}

/** Resolves with the first "fleet ready" of the log. */
function fleetReady() {
	let log = '';
	return new Promise((resolve, reject) => {
		fleet.stdout.setEncoding('utf8').on('data', (chunk) => {
			log += chunk;
			if (log.includes('"fleet ready')) resolve();
		});
		void fleetEnded.then(() => reject(new Error(`the fleet ended:\n${log}`)));
	});
}

const of = (name, key) => median(results[name].map((result) => result[key]));
const [bare] = names;
const rows = names.map((name) => ({
	command: name,
	wallMs: of(name, 'wallMs'),
	wallRatio: of(name, 'wallMs') / of(bare, 'wallMs'),
	cpuMs: of(name, 'cpuMs'),
	cpuRatio: of(name, 'cpuMs') / of(bare, 'cpuMs'),
}));
if (process.argv.includes('--json')) console.log(JSON.stringify(rows));
else {
	console.table(
		rows.map(({ command, wallMs, wallRatio, cpuMs, cpuRatio }) => ({
			command,
			'wall ms': wallMs.toFixed(0),
			'of bare node': wallRatio.toFixed(2),
			'cpu ms': cpuMs.toFixed(0),
			'of its cpu': cpuRatio.toFixed(2),
		})),
	);
	console.log(`medians of ${rounds} rounds; load ${loadavg()[0]?.toFixed(1)}, which should be low`);
}
