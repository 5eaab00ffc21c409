// What a bot that dies 100 ms after its login costs, under discord.js's ShardingManager and under shardctl: the same bot, real
// processes, the same simulated Discord with its 5 s identify window and a small day of session starts. Each manager runs until
// the day is used up, or as long as the other one took. A whole day of shardctl on a fake clock: packages/manager/test/crash-loop.test.ts.
//
//   node test/bench/crash-loop.mjs [session starts of the day, default 12]
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ShardingManager } from 'discord.js';
import { createShardManager } from 'shardctl';
import { createSimulator } from 'shardctl/simulator';

const file = fileURLToPath(new URL('../faults/fixtures/dies-after-login.cjs', import.meta.url));
const total = Number(process.argv[2] ?? 12);
const quiet = { info() {}, warn() {}, error() {}, debug() {}, trace() {}, fatal() {} };

async function underDiscordJs() {
	const simulator = await createSimulator({ guilds: 5, shards: 1, sessionStarts: { total } });
	process.env.SHARDCTL_API = simulator.url;
	const manager = new ShardingManager(file, { token: simulator.token, totalShards: 1 });
	const shards = [];
	manager.on('shardCreate', (shard) => {
		shards.push(shard);
		shard.on('error', () => {});
	});
	const since = performance.now();
	manager.spawn({ timeout: -1 }).catch(() => {});
	while (simulator.state().sessionStarts.remaining > 0) await sleep(50);
	const tookMs = performance.now() - since;
	manager.respawn = false;
	for (const shard of shards) shard.kill();
	delete process.env.SHARDCTL_API;
	const result = figures(simulator, tookMs);
	await simulator.stop();
	return result;
}

async function underShardctl(forMs) {
	const simulator = await createSimulator({ guilds: 5, shards: 1, sessionStarts: { total } });
	const manager = createShardManager(file, {
		token: simulator.token,
		api: simulator.url,
		control: false,
		logger: quiet,
		silent: true,
	});
	manager.spawn().catch(() => {});
	await sleep(forMs);
	const result = figures(simulator, forMs);
	await manager.stop();
	await simulator.stop();
	return result;
}

function figures(simulator, tookMs) {
	const early = simulator.violations({ hardOnly: true }).filter(({ kind }) => kind === 'identify-window').length;
	const sent = simulator.log.entries({ type: 'identify' }).length;
	const { remaining } = simulator.state().sessionStarts;
	return { tookMs, sent, early, used: total - remaining };
}

function print(who, { tookMs, sent, early, used }) {
	console.log(
		`${who}: ${used} of ${total} session starts used in ${(tookMs / 1000).toFixed(0)} s, by ${sent} identifies, ${early} of them too early`,
	);
}

const theirs = await underDiscordJs();
print("discord.js's ShardingManager", theirs);
console.log(
	`  at that pace the 1000 session starts of a real day are gone after ${Math.round((theirs.tookMs / theirs.used / 60_000) * 1000)} minutes`,
);
print('shardctl', await underShardctl(theirs.tookMs));
