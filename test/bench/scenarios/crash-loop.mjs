// A bot that logs in and exits: how many IDENTIFYs it uses in a minute. Discord allows 1000 a day and resets the token after.
import { bots } from '../harness/host.mjs';
import { ratio } from '../harness/measurements.mjs';

export const name = 'crash-loop';
export const title = 'IDENTIFYs that a bot burns which dies after each of them';

const contenders = ['shardctl', 'discord.js', 'hybrid-sharding'];

/**
 * All contenders at the same time, each with its own Discord, since only counts are compared. At their fastest settings, which
 * change nothing but the first start.
 */
export async function run({ host, measurements, quick }) {
	const lastsMs = quick ? 10_000 : 60_000;
	const row = { scenario: name, title: `IDENTIFYs in ${lastsMs / 1000} s`, unit: 'count', digits: 0 };
	const burnt = await Promise.all(contenders.map((contender) => burn({ host, contender, lastsMs })));
	contenders.forEach((contender, index) => {
		measurements.add(row, contender, burnt[index]);
	});
	// In a few seconds none has started often enough for a twentieth.
	if (quick) return;
	const share = ratio(measurements.row(name, row.title), 'shardctl', 'discord.js').median;
	measurements.claim({
		text: `crash loop of ${lastsMs / 1000} s: at most 1/20 of discord.js's IDENTIFYs`,
		found: `${burnt[0]} against ${burnt[1]}: 1/${(1 / share).toFixed(0)}`,
		holds: share <= 1 / 20,
	});
}

/** How many IDENTIFYs a crash loop under this contender sends. */
export async function burn({ host, contender, lastsMs }) {
	const simulator = await host.simulator({ maxConcurrency: 16 });
	const fleet = host.contender(contender, { BENCH_DIES_ON: 'identify' });
	const { api, token, identifyWindowMs } = simulator;
	await fleet.request('begin', {
		bot: bots.discordJs,
		shards: 1,
		shardsPerWorker: 1,
		spawnDelayMs: 0,
		api,
		token,
		identifyWindowMs,
	});
	await new Promise((resolve) => setTimeout(resolve, lastsMs));
	const { identifies } = await simulator.counts();
	await fleet.end();
	await simulator.stop();
	return identifies;
}
