// Memory of the manager, and of a worker compared with the same bot without a manager, for the same 64 shards in many workers
// and in few.
import { bots, noWindowMs } from '../harness/host.mjs';
import { medianOf } from '../harness/measurements.mjs';
import { hasProc, rssBytes } from '../harness/processes.mjs';
import { median } from '../harness/statistics.mjs';

export const name = 'memory';
export const title = '64 shards in 64, 8 and 1 workers';

const shards = 64;
const mb = 2 ** 20;

export async function run({ host, measurements, quick }) {
	if (!hasProc) return;
	for (const workers of quick ? [8] : [64, 8, 1]) {
		// discord.js has one shard in each worker, and hybrid-sharding is for more; a fleet of 64 bots takes a while to boot.
		const contenders = ['node', 'shardctl', workers === shards ? 'discord.js' : 'hybrid-sharding'];
		for (const contender of contenders) {
			const simulator = await host.simulator({ maxConcurrency: 64, identifyWindowMs: noWindowMs });
			const fleet = host.contender(contender);
			await fleet.start(simulator, { bot: bots.discordJs, shards, shardsPerWorker: shards / workers, spawnDelayMs: 0 });
			await settle();
			const { rssBytes: manager } = await fleet.request('usage');
			const each = (await fleet.request('pids')).map(rssBytes);
			const add = (what, value) =>
				measurements.add({ scenario: name, title: `${workers} workers: ${what}`, unit: 'MB', digits: 1 }, contender, value / mb);
			if (contender !== 'node') add('manager', manager);
			add('one worker', median(each));
			add(
				'all workers',
				each.reduce((sum, bytes) => sum + bytes, 0),
			);
			await fleet.end();
			await simulator.stop();
		}
	}
	const row = measurements.row(name, '64 workers: manager');
	if (!row) return;
	const [own, theirs] = [medianOf(row, 'shardctl'), medianOf(row, 'discord.js')];
	measurements.claim({
		text: "memory of the manager at 64 workers not above discord.js's",
		found: `${own.toFixed(1)} MB against ${theirs.toFixed(1)} MB`,
		holds: own <= theirs,
	});
}

/** Until what the start left behind has been used or collected. */
function settle() {
	return new Promise((resolve) => setTimeout(resolve, 3000));
}
