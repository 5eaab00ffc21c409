// How many small dispatches one simulator process (one core) delivers to one client process.
//
//   pnpm -s build && node test/bench/simulator-dispatch.mjs [--shards 4] [--events 100000] [--rounds 5] [--compress zlib-stream] [--json]
//
// The client only counts messages, so that what is measured is the simulator. `emitted`: events made by hand, the cheapest
// there are. `lived`: the activity engine at full speed, with the world changing under it. Higher is better; medians of rounds.
// Per second of processor time is what a busy machine does not distort.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createSimulator } from '@shardctl/simulator';
import WebSocket from 'ws';

if (process.env.SIMULATOR_BENCH_CHILD) await serve();
else await main();

/** The simulator's side: sends a number of events on request, and reports how much processor time they took. */
async function serve() {
	const sim = await createSimulator({ guilds: 400, maxConcurrency: 1000, heartbeatGraceFactor: 100 });
	const guilds = [...sim.world.guilds.ids()];
	const makers = {
		emitted: (n) =>
			sim.emit('TYPING_START', { channel_id: '1', user_id: '2', timestamp: n }, { guildId: guilds[n % guilds.length] }),
		lived: () => sim.activity.once(),
	};
	const run = async ({ kind, events }) => {
		const before = sim.state().dispatches;
		const cpu = process.cpuUsage();
		for (let n = 0; n < events; n++) {
			makers[kind](n);
			// A turn of the loop now and then lets the sockets work, as in normal operation.
			if (n % 200 === 199) await new Promise((resolve) => setImmediate(resolve));
		}
		const { user, system } = process.cpuUsage(cpu);
		process.send({
			delivered: sim.state().dispatches - before,
			cpuMs: (user + system) / 1000,
			rssBytes: process.memoryUsage.rss(),
		});
	};
	process.on('message', (order) => void run(order));
	process.on('disconnect', () => void sim.stop().then(() => process.exit()));
	process.send({ port: sim.port, token: sim.token });
}

async function main() {
	const { values } = parseArgs({
		options: {
			shards: { type: 'string', default: '4' },
			events: { type: 'string', default: '100000' },
			rounds: { type: 'string', default: '5' },
			compress: { type: 'string', default: '' },
			json: { type: 'boolean', default: false },
		},
	});
	const shards = Number(values.shards);
	const child = fork(fileURLToPath(import.meta.url), [], { env: { ...process.env, SIMULATOR_BENCH_CHILD: '1' } });
	const [{ port, token }] = await once(child, 'message');
	let received = 0;
	const query = `v=10&encoding=json${values.compress ? `&compress=${values.compress}` : ''}`;
	for (let id = 0; id < shards; id++) {
		const socket = new WebSocket(`ws://127.0.0.1:${port}/?${query}`);
		socket.on('message', () => received++);
		await once(socket, 'open');
		socket.send(JSON.stringify({ op: 2, d: { token, properties: {}, intents: 53_608_447, shard: [id, shards] } }));
	}
	// HELLO and READY of each shard, and every guild.
	await until(() => received >= shards * 2 + 400);
	const results = {};
	for (const kind of ['emitted', 'lived']) {
		const perSecond = [];
		const perCpuSecond = [];
		for (let round = 0; round < Number(values.rounds) + 1; round++) {
			const start = performance.now();
			let delivered = 0;
			let cpuMs = 0;
			// In portions, so that a client without a core falls behind by no more than one of them.
			while (delivered < Number(values.events)) {
				const before = received;
				child.send({ kind, events: 10_000 });
				const [portion] = await once(child, 'message');
				await until(() => received - before >= portion.delivered);
				delivered += portion.delivered;
				cpuMs += portion.cpuMs;
				results.rssMb = Math.round(portion.rssBytes / 1024 / 1024);
			}
			if (round === 0) continue;
			perSecond.push((delivered / (performance.now() - start)) * 1000);
			perCpuSecond.push((delivered / cpuMs) * 1000);
		}
		results[kind] = { perSecond: median(perSecond), perCpuSecond: median(perCpuSecond) };
	}
	child.disconnect();
	await once(child, 'exit');
	if (values.json) console.log(JSON.stringify(results));
	else {
		for (const kind of ['emitted', 'lived']) {
			console.log(
				`${kind}: ${results[kind].perSecond} dispatches a second, ${results[kind].perCpuSecond} per second of the simulator's processor time`,
			);
		}
		console.log(`memory of the simulator: ${results.rssMb} MB`);
	}
	process.exit();
}

async function until(condition) {
	while (!condition()) await new Promise((resolve) => setTimeout(resolve, 1));
}

function median(numbers) {
	return Math.round(numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)]);
}
