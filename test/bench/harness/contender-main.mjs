// The process of one contender's manager. It runs the timed calls, because a program that uses a contender runs in its
// manager's process too.
import { ipcPort, Peer } from '@shardctl/rpc';
import { contenders } from '../contenders/contender.mjs';
import { payload } from './payload.mjs';

const { start, title } = await import(`../contenders/${contenders[process.env.BENCH_CONTENDER]}`);
const peer = new Peer({ port: ipcPort(process), epoch: 1 });
let fleet;
let lastCall = 0;
const hanging = new Set();

const echo = (_client, context) => context;
const slowEcho = (_client, context) => new Promise((resolve) => setTimeout(resolve, context.delayMs));

/** One call with a unique argument, and a check of the result. */
const calls = {
	async broadcastEval(value) {
		const number = ++lastCall;
		checkAll(await fleet.broadcastEval(echo, { number, value }), (answer) => answer.number === number);
	},
	async fetchClientValues() {
		checkAll(await fleet.fetchClientValues('guilds.cache.size'), (answer) => answer !== undefined);
	},
	async call(value) {
		const number = ++lastCall;
		checkAll(await fleet.call({ number, value }), (answer) => answer.number === number);
	},
};

function checkAll(answers, isRight) {
	if (!Array.isArray(answers) || answers.length === 0 || !answers.every(isRight)) {
		throw new Error(`${title} answered wrongly: ${JSON.stringify(answers).slice(0, 200)}`);
	}
}

peer.handle('title', () => title);
peer.handle('start', async (options) => {
	process.env.BENCH_API = options.api;
	const startedAt = performance.now();
	fleet = await start(options);
	await fleet.ready;
	return performance.now() - startedAt;
});
peer.handle('begin', async (options) => {
	process.env.BENCH_API = options.api;
	fleet = await start(options);
	fleet.ready.catch(() => {});
	return null;
});
/** Round trips in ms, one call after the other. */
peer.handle('sequential', async ({ operation, bytes, count }) => {
	const value = payload(bytes);
	const times = [];
	for (let i = 0; i < count; i++) {
		const startedAt = performance.now();
		await calls[operation](value);
		times.push(performance.now() - startedAt);
	}
	return times;
});
/** Calls per second, all of them in flight at the same time. */
peer.handle('concurrent', async ({ operation, bytes, count }) => {
	const value = payload(bytes);
	const startedAt = performance.now();
	await Promise.all(Array.from({ length: count }, () => calls[operation](value)));
	return (count / (performance.now() - startedAt)) * 1000;
});
/** Makes slow calls, kills a worker during them, and returns how long its successor took. The calls are counted later. */
peer.handle('kill', async ({ index, callsInFlight, delayMs }) => {
	for (let i = 0; i < callsInFlight; i++) {
		const call = fleet.broadcastEval(slowEcho, { number: ++lastCall, delayMs });
		hanging.add(call);
		const settled = () => hanging.delete(call);
		call.then(settled, settled);
	}
	await new Promise((resolve) => setTimeout(resolve, delayMs / 3));
	const startedAt = performance.now();
	await fleet.kill(index);
	return performance.now() - startedAt;
});
peer.handle('hanging', () => hanging.size);
peer.handle('pids', () => fleet.pids());
peer.handle('usage', () => {
	const { user, system } = process.cpuUsage();
	return { rssBytes: process.memoryUsage.rss(), cpuMs: (user + system) / 1000 };
});
peer.handle('stop', async () => {
	await fleet?.stop();
	return null;
});
