// How much our RPC costs over what Node itself asks for the same echo: raw `process.send` in both directions. Both use one and
// the same channel, in short turns, because a process pair that the scheduler has placed well is five times as fast as one
// that it has not. What is printed are ratios of medians.
//
//   pnpm -s build && node test/bench/rpc-echo.mjs [--rounds 9] [--json]
//
// sequential: one call after the other, the median of their round trips; lower is better.
// concurrent: many calls at once, calls per second; higher is better. Raw IPC sends one message per call here, as a program
// without a queue does.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { ipcPort, isFrame, Peer } from '@shardctl/rpc';

if (process.env.RPC_ECHO_CHILD) {
	const peer = new Peer({ port: ipcPort(process), epoch: 1 });
	peer.handle('echo', (value) => value);
	process.on('message', (message) => {
		if (!isFrame(message)) process.send(message);
	});
	process.send('up');
} else {
	await main();
}

/** An object like those that bots send: ids, names, numbers, nested lists. */
function payload(bytes) {
	const guilds = [];
	for (let i = 0, length = 14; length < bytes; i++) {
		const guild = { id: `1000000000000${10_000 + i}`, name: `Guild number ${i}`, memberCount: i * 3, tags: ['a', i, true] };
		guilds.push(guild);
		length += JSON.stringify(guild).length + 1;
	}
	return { guilds };
}

/** Both contenders on one channel, each as a function that echoes one value. */
async function connect() {
	const child = fork(fileURLToPath(import.meta.url), [], { env: { ...process.env, RPC_ECHO_CHILD: '1' } });
	await once(child, 'message');
	const waiting = new Map();
	let lastId = 0;
	child.on('message', (message) => {
		if (isFrame(message)) return;
		waiting.get(message.id)(message.value);
		waiting.delete(message.id);
	});
	const raw = (value) =>
		new Promise((resolve) => {
			waiting.set(++lastId, resolve);
			child.send({ id: lastId, value });
		});
	const peer = new Peer({ port: ipcPort(child), epoch: 1 });
	const rpc = (value) => peer.request('echo', value);
	return { echoes: { raw, rpc }, close: () => child.kill() };
}

async function sequential(echo, value, calls) {
	const times = [];
	for (let i = 0; i < calls; i++) {
		const start = performance.now();
		await echo(value);
		times.push(performance.now() - start);
	}
	return median(times) * 1000;
}

async function concurrent(echo, value, calls) {
	const start = performance.now();
	await Promise.all(Array.from({ length: calls }, () => echo(value)));
	return (calls / (performance.now() - start)) * 1000;
}

function median(numbers) {
	return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

async function main() {
	const { values } = parseArgs({
		options: { rounds: { type: 'string', default: '9' }, json: { type: 'boolean', default: false } },
	});
	const { echoes, close } = await connect();
	const rows = [];
	const scenarios = [
		{ size: '100 B', bytes: 100, turns: 10, calls: { sequential: 200, concurrent: 2000 } },
		{ size: '10 kB', bytes: 10_000, turns: 5, calls: { sequential: 50, concurrent: 200 } },
		{ size: '1 MB', bytes: 1_000_000, turns: 1, calls: { sequential: 5, concurrent: 8 } },
	];
	for (const { size, bytes, turns, calls } of scenarios) {
		const value = payload(bytes);
		for (const [mode, measure] of Object.entries({ sequential, concurrent })) {
			const results = { raw: [], rpc: [] };
			for (let round = -1; round < Number(values.rounds); round++) {
				const samples = { raw: [], rpc: [] };
				for (let turn = 0; turn < turns; turn++) {
					for (const [name, echo] of Object.entries(echoes)) samples[name].push(await measure(echo, value, calls[mode]));
				}
				// The first round warms the engine up.
				if (round >= 0) for (const name of Object.keys(results)) results[name].push(median(samples[name]));
			}
			const ratios = results.rpc.map((each, i) => each / results.raw[i]);
			rows.push({
				payload: size,
				mode,
				unit: mode === 'sequential' ? 'µs p50' : 'calls/s',
				raw: Math.round(median(results.raw)),
				rpc: Math.round(median(results.rpc)),
				ratio: Number(median(ratios).toFixed(2)),
				spread: `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
			});
		}
	}
	close();
	if (values.json) console.log(JSON.stringify({ node: process.version, rows }));
	else console.table(rows);
}
