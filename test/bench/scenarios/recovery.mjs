// A worker is killed by SIGKILL with calls in flight: how long until its shard is ready again, how many identifies it costs, and how many
// of the calls are never answered, neither with a result nor with an error.
import { bots } from '../harness/host.mjs';

export const name = 'recovery';
export const title = 'kill -9 of a worker under calls';

const contenders = ['shardctl', 'discord.js', 'hybrid-sharding'];
const shards = 4;
const windowMs = 5000;
const callsInFlight = 20;
/** After this long a call that takes half a second is not late, it is lost. */
const lostAfterMs = 10_000;

export async function run({ host, measurements, rounds, quick }) {
	const fleets = [];
	for (const contender of contenders) {
		const simulator = await host.simulator({ maxConcurrency: 16, identifyWindowMs: windowMs });
		const fleet = host.contender(contender);
		await fleet.start(simulator, { bot: bots.discordJs, shards, spawnDelayMs: 0 });
		fleets.push({ fleet, simulator });
	}
	// Each time another worker, as one that has just crashed is not restarted at the same pace.
	for (let round = 0; round < Math.min(rounds, quick ? 1 : shards); round++) {
		await pause(windowMs);
		for (const { fleet, simulator } of fleets) {
			const before = await simulator.counts();
			const tookMs = await fleet.request('kill', { index: round, callsInFlight, delayMs: 500 });
			const after = await simulator.counts();
			const add = (row, value) => measurements.add({ scenario: name, ...row }, fleet.name, value);
			add({ title: 'kill to ready', unit: 's' }, tookMs / 1000);
			add({ title: 'identifies used', unit: 'count', digits: 0 }, after.identifies - before.identifies);
		}
	}
	await pause(lostAfterMs);
	const hanging = {};
	for (const { fleet } of fleets) {
		hanging[fleet.name] = await fleet.request('hanging');
		measurements.add(
			{ scenario: name, title: 'calls that never settle', unit: 'count', digits: 0 },
			fleet.name,
			hanging[fleet.name],
		);
	}
	measurements.claim({
		text: 'calls that never settle: 0 here, more than 0 with discord.js',
		found: contenders.map((contender) => `${contender} ${hanging[contender]}`).join(', '),
		holds: hanging.shardctl === 0 && hanging['discord.js'] > 0,
	});
	await Promise.all(fleets.map(({ fleet }) => fleet.end()));
}

function pause(ms) {
	return new Promise((resolve) => setTimeout(resolve, ms));
}
