// Events relayed per second of processor time by the gateway process of this checkout, against that of another one, for a figure before
// and after a change. Both relay from one simulated Discord to one client and take short turns, so that other load on the machine affects
// both alike. The median of the ratios of pairs counts; on a busy machine the highest figures do, because other load only takes from them.
//
//   pnpm -s build && node test/bench/relay-against.mjs OTHER_CHECKOUT [rounds] [compression]
//
// The other checkout must be built.
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as here from './gateway/processes.mjs';
import { Host } from './harness/host.mjs';
import { measureRelay } from './scenarios/gateway.mjs';

const [checkout, rounds = '40', compression = 'none'] = process.argv.slice(2);
if (!checkout) throw new Error('usage: node test/bench/relay-against.mjs OTHER_CHECKOUT [rounds] [none|zlib-stream]');
const before = await import(pathToFileURL(join(resolve(checkout), 'test/bench/gateway/processes.mjs')).href);

const host = new Host();
const shards = 4;
const [source, sink] = [here.startSource(host), here.startSink(host)];
sink.on('arrived', (arrived) => source.notify('arrived', arrived));
const ways = new Map();
for (const [way, { startGateway }] of Object.entries({ before, after: here })) {
	const size = { guilds: 200, guildSizes: { min: 10, max: 10 } };
	const discord = await source.request('create', { way, ...size, maxConcurrency: 16, identifyWindowMs: 1 });
	const gateway = await startGateway(host, { discord, shards, compression });
	await sink.request('connect', { way, url: gateway.url, token: discord.token, shards }, { timeoutMs: 60_000 });
	ways.set(way, gateway);
}

for (const kind of ['small', 'mixed']) {
	const figures = { before: [], after: [] };
	for (let round = 0; round < Number(rounds); round++) {
		for (const way of round % 2 ? ['after', 'before'] : ['before', 'after']) {
			const add = (_row, _unit, _contender, value) => figures[way].push(value);
			await measureRelay({ source, sink, ways }, { add, rounds: 1, ways: [way], kind, what: kind, events: 10_000 });
		}
	}
	const ratios = figures.after.map((after, round) => after / figures.before[round]);
	const [low, high] = [Math.min(...ratios), Math.max(...ratios)];
	const rate = (way) => `${way} ${median(figures[way]).toFixed(0)}`;
	const highest = (way) => Math.max(...figures[way]);
	console.log(
		`${kind}: ${rate('before')}, ${rate('after')} events per second of processor time; after / before ${median(ratios).toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}); highest ${highest('before').toFixed(0)}, ${highest('after').toFixed(0)}: ${(highest('after') / highest('before')).toFixed(2)}`,
	);
}
await Promise.all([...ways.values()].map((gateway) => gateway.end()));
await host.close();

function median(values) {
	return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}
