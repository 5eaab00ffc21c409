// The floor: forked children without any manager, and raw `process.send` both ways. It supervises nothing and enforces no rule of
// Discord's.
import { fork } from 'node:child_process';

export const title = `node ${process.versions.node}`;

/** @param {import('./contender.mjs').FleetOptions & { detached?: boolean }} options */
export function start({ bot, shards, shardsPerWorker, token, detached = false }) {
	const waiting = new Map();
	let lastId = 0;
	const children = [];
	const ready = [];
	for (let first = 0; first < shards; first += shardsPerWorker) {
		const ids = Array.from({ length: Math.min(shardsPerWorker, shards - first) }, (_, index) => first + index);
		const env = { ...process.env, DISCORD_TOKEN: token, SHARDS: JSON.stringify(ids), SHARD_COUNT: String(shards) };
		const child = fork(bot, [], { env, detached });
		children.push(child);
		ready.push(
			new Promise((resolve) => {
				child.on('message', (message) => {
					if (message === 'ready') return resolve();
					waiting.get(message.id)(message.value);
					waiting.delete(message.id);
				});
			}),
		);
	}
	const echo = (child, value) =>
		new Promise((resolve) => {
			waiting.set(++lastId, resolve);
			child.send({ id: lastId, value });
		});
	const echoAll = (value) => Promise.all(children.map((child) => echo(child, value)));
	return {
		ready: Promise.all(ready),
		pids: () => children.filter((child) => child.exitCode === null && child.signalCode === null).map(({ pid }) => pid),
		broadcastEval: (_script, context) => echoAll(context),
		fetchClientValues: (path) => echoAll(path),
		call: echoAll,
		kill: () => Promise.reject(new Error('plain node restarts nothing')),
		stop() {
			for (const child of children) child.kill();
		},
	};
}
