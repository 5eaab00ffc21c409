// How long a fleet takes to be ready, compared with what Discord's rate limit and this machine allow. The rate limit: one IDENTIFY per key and
// window, so ceil(N / max_concurrency) - 1 windows. This machine: as many of the same bots, forked at once with no rule at all.
import { bots, noWindowMs } from '../harness/host.mjs';
import { ratio } from '../harness/measurements.mjs';
import { median } from '../harness/statistics.mjs';

/** Discord's window is 5 s. A shorter one keeps the run short; the row with the defaults has the real one. */
const shortWindowMs = 300;
const realWindowMs = 5000;

const peers = ['discord.js', 'hybrid-sharding'];

/** Its rows take minutes, so those of 32 shards are a scenario of their own. */
export const startUp = byCountAndConcurrency('start-up', [4, 16]);
export const startUpLarge = byCountAndConcurrency('start-up-32', [32]);

/** Once, because it takes minutes: each with its defaults. The peers mostly wait, so they run side by side. */
export const startUpDefaults = {
	name: 'start-up-defaults',
	title: 'Start of 16 shards at max_concurrency 16 when nothing is set',
	async run({ host, measurements, quick }) {
		if (quick) return;
		const options = { shards: 16, maxConcurrency: 16, windowMs: realWindowMs };
		const row = { scenario: this.name, title: '16 shards, max_concurrency 16, window 5 s: ready', unit: 's' };
		const own = await startFleet(host, 'shardctl', options);
		measurements.add(row, 'shardctl', own.tookMs / 1000);
		const others = await Promise.all(peers.map((peer) => startFleet(host, peer, options)));
		peers.forEach((peer, index) => {
			measurements.add(row, peer, others[index].tookMs / 1000);
		});
		const found = ratio(measurements.row(this.name, row.title), 'discord.js', 'shardctl').median;
		measurements.claim({
			text: 'start-up: 16 shards, max_concurrency 16: at least 5 × faster than discord.js with its defaults',
			found: `${found.toFixed(1)} ×`,
			holds: found >= 5,
		});
	},
};

function byCountAndConcurrency(name, counts) {
	return {
		name,
		title: `Start to all shards ready, ${counts.join(' and ')} shards by max_concurrency`,
		async run({ host, measurements, rounds, quick }) {
			const concurrencies = quick ? [4] : [1, 4, 16];
			const measured = quick ? counts.slice(0, 1) : counts;
			// A round takes a minute or two, so there are fewer of them than in other scenarios.
			for (let round = 0; round < Math.ceil(rounds / 5); round++) {
				const together = measured.flatMap((shards) => concurrencies.map((each) => Math.min(shards, each)));
				const floors = await bootFloors(host, new Set([1, ...measured, ...together]));
				for (const shards of measured) {
					// A max_concurrency above the count of shards changes nothing.
					for (const maxConcurrency of concurrencies.filter((each) => each <= shards)) {
						await measureCase({ scenario: name, host, measurements, shards, maxConcurrency, floors });
					}
				}
			}
			claims(measurements, name);
		},
	};
}

/** Time in which the machine starts that many bots, all at once and without a manager. */
async function bootFloors(host, counts) {
	const floors = new Map();
	for (const shards of counts) {
		const { tookMs } = await startFleet(host, 'node', { shards, maxConcurrency: 1000, windowMs: noWindowMs });
		floors.set(shards, tookMs);
	}
	return floors;
}

async function measureCase({ scenario, host, measurements, shards, maxConcurrency, floors }) {
	const add = (what, contender, value) =>
		measurements.add(
			{ scenario, title: `${shards} shards, max_concurrency ${maxConcurrency}: ${what}`, ...units[what] },
			contender,
			value,
		);
	const windows = Math.ceil(shards / maxConcurrency) - 1;
	const limitMs = Math.max(windows * shortWindowMs + floors.get(Math.min(shards, maxConcurrency)), floors.get(shards));
	add('ready', 'node', limitMs / 1000);
	// The fastest that keeps Discord's rules: at once when every shard has its own key, else a window's share apart.
	const spawnDelayMs = shards <= maxConcurrency ? 0 : Math.ceil((shortWindowMs / maxConcurrency) * 1.1);
	for (const contender of ['shardctl', ...peers]) {
		const options = { shards, maxConcurrency, windowMs: shortWindowMs, spawnDelayMs };
		const { tookMs, violations } = await startFleet(host, contender, options);
		add('ready', contender, tookMs / 1000);
		add('identify violations', contender, violations);
		if (contender === 'shardctl') add('over the limit and one boot', contender, (tookMs - limitMs * 1.05 - floors.get(1)) / 1000);
	}
}

const units = {
	ready: { unit: 's' },
	'identify violations': { unit: 'count', digits: 0 },
	'over the limit and one boot': { unit: 's' },
};

async function startFleet(host, contender, { shards, maxConcurrency, windowMs, spawnDelayMs }) {
	const simulator = await host.simulator({ maxConcurrency, identifyWindowMs: windowMs });
	const fleet = host.contender(contender);
	const tookMs = await fleet.start(simulator, { bot: bots.discordJs, shards, spawnDelayMs });
	const { violations } = await simulator.counts();
	await fleet.end();
	await simulator.stop();
	return { tookMs, violations };
}

function claims(measurements, name) {
	const rows = measurements.rows.filter(({ scenario }) => scenario === name);
	const over = rows.filter(({ title: of }) => of.endsWith('over the limit and one boot'));
	const late = over.filter(({ values }) => !(median(values.shardctl) <= 0));
	const worst = Math.max(...over.map(({ values }) => median(values.shardctl)));
	measurements.claim({
		text: `${name}: within 5% and one boot of the limit in every row`,
		found: `in ${over.length - late.length} of ${over.length}; ${worst > 0 ? `${worst.toFixed(2)} s over` : `${(-worst).toFixed(2)} s to spare`} at worst`,
		holds: late.length === 0,
	});

	const ready = rows.filter(({ title: of, values }) => of.endsWith(': ready') && values.shardctl);
	const slower = ready.flatMap((row) =>
		peers
			.map((peer) => ({ row, peer, to: ratio(row, 'shardctl', peer) }))
			.filter(({ row: { title: of }, peer, to }) => isLegal(rows, of, peer) && to.median > 1.05),
	);
	measurements.claim({
		text: `${name}: not slower (beyond 5% of noise) than a peer at its fastest legal setting`,
		found:
			slower.length === 0
				? `in ${ready.length} of ${ready.length} rows`
				: slower.map(({ row, peer, to }) => `${row.title} ${peer} ×${to.median.toFixed(2)}`).join('\n'),
		holds: slower.length === 0,
	});

	const violations = rows.filter(({ title: of }) => of.endsWith('identify violations')).flatMap(({ values }) => values.shardctl);
	const sum = violations.reduce((total, count) => total + count, 0);
	measurements.claim({ text: `${name}: no identify violation`, found: String(sum), holds: sum === 0 });
}

/** A setting that Discord counts as a violation is not compared. */
function isLegal(rows, readyTitle, peer) {
	const row = rows.find(({ title: of }) => of === readyTitle.replace(': ready', ': identify violations'));
	return row.values[peer].every((count) => count === 0);
}
