// How much our RPC alone costs over raw `process.send`. Both use the same channel, in short turns, because a process pair that
// the scheduler has placed well is five times as fast as one that it has not.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ipcPort, isFrame, Peer } from '@shardctl/rpc';
import { payload } from '../harness/payload.mjs';
import { median } from '../harness/statistics.mjs';

export const name = 'rpc';
export const title = "The RPC alone, over node's own messages on the same channel";

const cases = [
	{ size: '100 B', bytes: 100, turns: 10, calls: { sequential: 200, concurrent: 2000 } },
	{ size: '10 kB', bytes: 10_000, turns: 5, calls: { sequential: 50, concurrent: 200 } },
	{ size: '1 MB', bytes: 1_000_000, turns: 1, calls: { sequential: 5, concurrent: 8 } },
];

/** Raw IPC sends one message per call when many are in flight, as a program without a queue does. */
const modes = {
	sequential: { row: { unit: 'µs', digits: 0 }, title: 'p50', measure: sequential },
	concurrent: { row: { unit: 'calls/s', better: 'higher', digits: 0 }, title: 'at once', measure: concurrent },
};

export async function run({ measurements, rounds }) {
	const { echoes, close } = await connect();
	for (const { size, bytes, turns, calls } of cases) {
		const value = payload(bytes);
		for (const [mode, { row, title: what, measure }] of Object.entries(modes)) {
			// The first round warms the engine up.
			for (let round = -1; round < rounds; round++) {
				const samples = { node: [], shardctl: [] };
				for (let turn = 0; turn < turns; turn++) {
					for (const [contender, echo] of Object.entries(echoes)) {
						samples[contender].push(await measure(echo, value, calls[mode]));
					}
				}
				if (round < 0) continue;
				for (const [contender, figures] of Object.entries(samples)) {
					measurements.add({ scenario: name, title: `echo ${size}: ${what}`, ...row }, contender, median(figures));
				}
			}
		}
	}
	close();
}

async function connect() {
	const child = fork(fileURLToPath(new URL('../bots/rpc-echo.mjs', import.meta.url)));
	await once(child, 'message');
	const waiting = new Map();
	let lastId = 0;
	child.on('message', (message) => {
		if (isFrame(message)) return;
		waiting.get(message.id)(message.value);
		waiting.delete(message.id);
	});
	const node = (value) =>
		new Promise((resolve) => {
			waiting.set(++lastId, resolve);
			child.send({ id: lastId, value });
		});
	const peer = new Peer({ port: ipcPort(child), epoch: 1 });
	const shardctl = (value) => peer.request('echo', value);
	return { echoes: { node, shardctl }, close: () => child.kill() };
}

async function sequential(echo, value, count) {
	const times = [];
	for (let i = 0; i < count; i++) {
		const startedAt = performance.now();
		await echo(value);
		times.push(performance.now() - startedAt);
	}
	return median(times) * 1000;
}

async function concurrent(echo, value, count) {
	const startedAt = performance.now();
	await Promise.all(Array.from({ length: count }, () => echo(value)));
	return (count / (performance.now() - startedAt)) * 1000;
}
