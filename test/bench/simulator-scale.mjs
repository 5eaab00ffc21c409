// How the simulator handles a large fleet: many shards with many guilds each, all identifying at once.
//
//   pnpm -s build && node test/bench/simulator-scale.mjs [--shards 500] [--guilds-per-shard 100] [--max-rss-mb 1024] [--json]
//
// Prints how long it took until every guild had arrived, and the memory of the simulator process; fails over the bound.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createSimulator } from '@shardctl/simulator';
import WebSocket from 'ws';

const { values } = parseArgs({
	options: {
		shards: { type: 'string', default: '500' },
		'guilds-per-shard': { type: 'string', default: '100' },
		'max-rss-mb': { type: 'string', default: '1024' },
		json: { type: 'boolean', default: false },
	},
});
const shards = Number(values.shards);
const guilds = shards * Number(values['guilds-per-shard']);

if (process.env.SIMULATOR_BENCH_CHILD) await serve();
else await main();

async function serve() {
	const sim = await createSimulator({ guilds, shards, maxConcurrency: shards });
	let peak = 0;
	const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 50);
	process.on('message', () => {
		const { sessions } = sim.state();
		const connected = sessions.filter((session) => session.connected && session.pendingGuilds === 0).length;
		process.send({
			connected,
			violations: sim.violations().length,
			peakMb: Math.round(Math.max(peak, process.memoryUsage.rss()) / 1024 / 1024),
		});
	});
	process.on('disconnect', () => {
		clearInterval(watch);
		void sim.stop().then(() => process.exit());
	});
	process.send({ port: sim.port, token: sim.token });
}

async function main() {
	const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2), {
		env: { ...process.env, SIMULATOR_BENCH_CHILD: '1' },
	});
	const [{ port, token }] = await once(child, 'message');
	const start = performance.now();
	let messages = 0;
	let bytes = 0;
	const sockets = [];
	for (let id = 0; id < shards; id++) {
		const socket = new WebSocket(`ws://127.0.0.1:${port}/?v=10&encoding=json`);
		socket.on('message', (data) => {
			messages++;
			bytes += data.length;
		});
		socket.once('open', () => {
			socket.send(JSON.stringify({ op: 2, d: { token, properties: {}, intents: 53_608_447, shard: [id, shards] } }));
		});
		sockets.push(socket);
	}
	while (messages < shards * 2 + guilds) await new Promise((resolve) => setTimeout(resolve, 5));
	const tookMs = Math.round(performance.now() - start);
	child.send('state');
	const [{ connected, violations, peakMb }] = await once(child, 'message');
	for (const socket of sockets) socket.terminate();
	child.disconnect();
	await once(child, 'exit');
	const result = { shards, guilds, connected, violations, tookMs, peakMb, sentMb: Math.round(bytes / 1024 / 1024) };
	if (values.json) console.log(JSON.stringify(result));
	else
		console.log(
			`${connected} of ${shards} shards with ${guilds} guilds up in ${tookMs} ms (${result.sentMb} MB sent); simulator at most ${peakMb} MB`,
		);
	process.exit(connected === shards && violations === 0 && peakMb < Number(values['max-rss-mb']) ? 0 : 1);
}
