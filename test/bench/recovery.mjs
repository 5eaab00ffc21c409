// How long a fleet is without a shard after `kill -9` of its worker, against the boot of the same bot alone: both from the same
// run, taking turns, on a simulated Discord. The identify window is short and over each time, so nothing is waited for.
//
//   node test/bench/recovery.mjs [rounds]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createShardManager } from 'shardctl';
import { createSimulator } from 'shardctl/simulator';

const identifyWindowMs = 100;
const quiet = { info() {}, warn() {}, error() {}, debug() {}, trace() {}, fatal() {} };

/** What each of `rounds` rounds took, in ms. */
export async function measureRecovery(file, rounds) {
	const simulator = await createSimulator({ guilds: 20, shards: 1, identifyWindowMs });
	const env = { SHARDCTL_API: simulator.url };
	const manager = createShardManager(file, {
		token: simulator.token,
		api: simulator.url,
		control: false,
		identifyWindowMs,
		logger: quiet,
		silent: true,
		env,
		// A round is a crash, and they come fast.
		respawn: { maxRestarts: 10_000, stableAfterMs: 1 },
	});
	const bare = [];
	const recovery = [];
	try {
		await manager.spawn();
		// The first boot after a build reads its files from the disk; it does not count.
		await bareBoot(file, { ...env, DISCORD_TOKEN: simulator.token });
		for (let round = 0; round < rounds; round++) {
			await sleep(identifyWindowMs * 2);
			bare.push(await bareBoot(file, { ...env, DISCORD_TOKEN: simulator.token }));
			await sleep(identifyWindowMs * 2);
			const ready = once(manager, 'worker:ready');
			const since = performance.now();
			process.kill(manager.workers[0].child.pid, 'SIGKILL');
			await ready;
			recovery.push(performance.now() - since);
		}
	} finally {
		await manager.stop();
		await simulator.stop();
	}
	return { bareMs: bare, recoveryMs: recovery };
}

/** From the start of the process to the line in which the bot reports ready. */
async function bareBoot(file, env) {
	const since = performance.now();
	const child = spawn(process.execPath, [file], { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'inherit'] });
	const exit = once(child, 'exit');
	await once(child.stdout, 'data');
	const tookMs = performance.now() - since;
	child.kill('SIGKILL');
	await exit;
	return tookMs;
}

function median(values) {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	const rounds = Number(process.argv[2] ?? 9);
	for (const bot of ['discordjs-bot.cjs', 'tiny-bot.mjs']) {
		const file = fileURLToPath(new URL(`../faults/fixtures/${bot}`, import.meta.url));
		const measured = await measureRecovery(file, rounds);
		const [bareMs, recoveryMs] = [median(measured.bareMs), median(measured.recoveryMs)];
		console.log(
			`${bot}: alone ready after ${bareMs.toFixed(0)} ms; ready again ${recoveryMs.toFixed(0)} ms after kill -9: ${(recoveryMs / bareMs).toFixed(2)} times (medians of ${rounds})`,
		);
	}
}
