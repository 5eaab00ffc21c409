// How long many shards take to start in resident mode, against direct mode, in turns of one run.
//
//   pnpm -s build && node test/bench/resident-start.mjs [--shards 1000] [--workers 4] [--gateways 4] [--rounds 1] [--bot discord-js-bot.cjs]
//     [--max-concurrency 16] [--window 200] [--json]
//
// Without --max-concurrency as many identifies are allowed at once as there are shards, so what is measured is our own part. With it,
// that many are allowed in each window of --window ms (Discord's is 5,000). Prints seconds until the fleet is
// ready, the processor seconds of each kind of process by then, and how often a worker's shard reconnected, which must be 0.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createSimulator } from '@shardctl/simulator';
import { createShardManager } from 'shardctl';
import { cpuMs } from './harness/processes.mjs';

const { values } = parseArgs({
	options: {
		shards: { type: 'string', default: '1000' },
		workers: { type: 'string', default: '4' },
		gateways: { type: 'string', default: '4' },
		rounds: { type: 'string', default: '1' },
		bot: { type: 'string', default: 'ws-bot.mjs' },
		mode: { type: 'string', default: '' },
		'max-concurrency': { type: 'string', default: '' },
		window: { type: 'string', default: '5000' },
		json: { type: 'boolean', default: false },
	},
});
const shards = Number(values.shards);
const maxConcurrency = Number(values['max-concurrency'] || shards);
const identifyWindowMs = Number(values.window);

if (process.env.RESIDENT_START_SIMULATOR) await serve();
else await main();

/** The simulator runs in a process of its own, as Discord does. */
async function serve() {
	const sim = await createSimulator({ guilds: shards, shards, maxConcurrency, identifyWindowMs });
	process.on('disconnect', () => void sim.stop().then(() => process.exit()));
	process.send({ api: sim.url, token: sim.token });
}

async function main() {
	const rows = [];
	for (let round = 1; round <= Number(values.rounds); round++) {
		for (const mode of values.mode ? [values.mode] : ['direct', 'resident']) rows.push({ round, mode, ...(await start(mode)) });
	}
	if (values.json) console.log(JSON.stringify(rows));
	else
		for (const { mode, seconds, cpuSeconds, reconnects } of rows) {
			const parts = Object.entries(cpuSeconds).map(([kind, spent]) => `${kind} ${spent.toFixed(1)}`);
			console.log(
				`${mode.padEnd(9)} ${seconds.toFixed(1)} s, ${reconnects} reconnects; seconds of processor time: ${parts.join(', ')}`,
			);
		}
	const median = (mode) =>
		rows
			.filter((row) => row.mode === mode)
			.map(({ seconds }) => seconds)
			.sort((a, b) => a - b)[Math.floor((Number(values.rounds) - 1) / 2)];
	if (!values.mode && !values.json) console.log(`resident / direct: ${(median('resident') / median('direct')).toFixed(2)}`);
}

async function start(mode) {
	const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
		env: { ...process.env, RESIDENT_START_SIMULATOR: '1' },
	});
	const [{ api, token }] = await once(child, 'message');
	const manager = createShardManager(fileURLToPath(new URL(`bots/${values.bot}`, import.meta.url)), {
		token,
		api,
		totalShards: shards,
		shardsPerWorker: Math.ceil(shards / Number(values.workers)),
		readyTimeoutMs: 0,
		heartbeatTimeoutMs: 0,
		identifyWindowMs,
		control: false,
		gateway: mode === 'direct' ? 'direct' : { mode: 'resident', shardsPerGateway: Math.ceil(shards / Number(values.gateways)) },
	});
	let reconnects = 0;
	manager.on('shard:reconnecting', () => reconnects++);
	const own = cpuMs(process.pid);
	const startedAt = performance.now();
	try {
		await manager.spawn();
		const seconds = (performance.now() - startedAt) / 1000;
		const { workers, gateways } = await manager.getStats();
		const sum = (processes = []) => processes.reduce((total, { pid }) => total + cpuMs(pid), 0) / 1000;
		const cpuSeconds = {
			manager: (cpuMs(process.pid) - own) / 1000,
			gateways: sum(gateways),
			workers: sum(workers),
			simulator: cpuMs(child.pid) / 1000,
		};
		return { seconds, cpuSeconds, reconnects };
	} finally {
		await manager.stop({ graceMs: 5000 });
		child.disconnect();
		await once(child, 'exit');
	}
}
