// What the start of a manager costs: `shardctl start` with two workers without a library on a simulator, in turns with the same of other
// checkouts that are built; the processor time and memory of the manager alone when the fleet is ready. Linux only.
// node test/bench/manager-start.mjs [rounds] [other checkout …]      (build first)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const rounds = Number(process.argv[2] ?? 10);
const checkouts = [fileURLToPath(new URL('../..', import.meta.url)), ...process.argv.slice(3)];

async function run(checkout) {
	const folder = mkdtempSync(join(tmpdir(), 'shardctl-start-'));
	const app = join(checkout, 'apps', 'shardctl');
	const args = [
		'start',
		join(app, 'test', 'fixtures', 'bot.mjs'),
		'--simulate',
		'4',
		'--shards',
		'2',
		'--shards-per-worker',
		'1',
	];
	const child = spawn(process.execPath, [join(app, 'bin', 'shardctl.js'), ...args], {
		env: { ...process.env, SHARDCTL_STATE_DIR: folder, SHARDCTL_LOG_FORMAT: 'json' },
		stdio: ['ignore', 'pipe', 'inherit'],
	});
	const ended = once(child, 'exit');
	try {
		let log = '';
		for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
			log += chunk;
			if (log.includes('"fleet ready')) break;
		}
		child.stdout.resume();
		if (!log.includes('"fleet ready')) throw new Error(`the fleet ended:\n${log}`);
		return figures(child.pid);
	} finally {
		child.kill('SIGTERM');
		await ended;
		rmSync(folder, { recursive: true });
	}
}

/** Of all threads of a process. */
function figures(pid) {
	const times = readdirSync(`/proc/${pid}/task`).map((task) => readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8'));
	const status = readFileSync(`/proc/${pid}/status`, 'utf8');
	const mb = (field) => Number(new RegExp(`${field}:\\s+(\\d+)`).exec(status)[1]) / 1000;
	const cpuMs = times.reduce((sum, text) => sum + Number(text.split(' ')[0]) / 1e6, 0);
	return { cpuMs, rssMb: mb('VmRSS'), ownMb: mb('RssAnon') };
}

const results = checkouts.map(() => []);
// Each round starts with another checkout; the first warms the file cache.
for (let round = 0; round <= rounds; round++) {
	for (let i = 0; i < checkouts.length; i++) {
		const turn = (i + round) % checkouts.length;
		const result = await run(checkouts[turn]);
		if (round > 0) results[turn].push(result);
	}
}

const sorted = (index, key) => results[index].map((result) => result[key]).sort((a, b) => a - b);
console.table(
	checkouts.map((checkout, index) => ({
		checkout,
		...Object.fromEntries(
			['cpuMs', 'rssMb', 'ownMb'].flatMap((key) => {
				const values = sorted(index, key);
				return [
					[key, values[Math.floor(values.length / 2)].toFixed(1)],
					[`${key}, lowest`, values[0].toFixed(1)],
				];
			}),
		),
	})),
);
console.log(`medians of ${rounds} rounds; load ${loadavg()[0]?.toFixed(1)}, which should be low`);
