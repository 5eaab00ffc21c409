// What every source of tokens for the global limit must do, with a Discord that counts as strictly as it may: the limit of one process, and
// that of three nodes over a real Redis, in one suite. Then what only the nodes have to do.
import { setMaxListeners } from 'node:events';
import { systemClock } from '@shardctl/core';
import { waitFor } from '@shardctl/test-support';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { clusterKeys } from '../../packages/cluster/src/redis/keys.js';
import { RedisRestLimit } from '../../packages/cluster/src/rest/redis-rest-limit.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { GlobalGate } from '../../packages/rest/src/limits/global-gate.js';
import { SharedTokens } from '../../packages/rest/src/limits/shared-tokens.js';
import type { TokenSource } from '../../packages/rest/src/limits/token-source.js';
import { TokenWindow } from '../../packages/rest/src/limits/token-window.js';

const limit = 50;
const never = new AbortController().signal;
// Every request of a test waits with this one.
setMaxListeners(0, never);
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A source with the gate before it, and a bot behind it. */
class Caller {
	readonly #gate: GlobalGate;
	/** When Discord got each request. */
	readonly #arrivals: number[];
	#running = true;
	answered = 0;

	constructor(tokens: TokenSource, arrivals: number[]) {
		this.#arrivals = arrivals;
		this.#gate = new GlobalGate({ clock: systemClock, tokens });
		onTestFinished(() => this.stop());
	}

	/** As many requests at once as given, over and over. */
	fire(atOnce: number): void {
		for (let n = 0; n < atOnce; n++) void this.#loop();
	}

	async send(): Promise<void> {
		const token = await this.#gate.pass(1, never);
		await sleep(Math.random() * 20);
		this.#arrivals.push(performance.now());
		await sleep(Math.random() * 20);
		token.settle(systemClock.monotonic());
		this.answered++;
	}

	stop(): void {
		this.#running = false;
		this.#gate.stop();
	}

	async #loop(): Promise<void> {
		while (this.#running) await this.send();
	}
}

/** The most requests in any second, wherever it begins. */
function mostInASecond(arrivals: readonly number[]): number {
	const sorted = [...arrivals].sort((a, b) => a - b);
	let most = 0;
	let first = 0;
	for (const [index, at] of sorted.entries()) {
		while (at - (sorted[first] as number) >= 1000) first++;
		most = Math.max(most, index - first + 1);
	}
	return most;
}

function describeTokenSource(name: string, open: () => Promise<TokenSource[]>): void {
	describe(`${name} as a source of tokens`, () => {
		it('admits no more than the limit in any second, and every node some', async () => {
			const arrivals: number[] = [];
			const callers = (await open()).map((tokens) => new Caller(tokens, arrivals));
			for (const caller of callers) caller.fire(limit);
			await waitFor('250 answers', () => arrivals.length >= 5 * limit);
			expect(mostInASecond(arrivals)).toBeLessThanOrEqual(limit);
			const shares = callers.map(({ answered }) => answered);
			expect(Math.min(...shares)).toBeGreaterThan(0);
		});

		it('gives a token that was given back to the next request', async () => {
			const [tokens] = (await open()) as [TokenSource];
			const first = await waitFor('a token', () => tokens.take(systemClock.monotonic(), 1));
			const others = Array.from({ length: 2 * limit }, () => tokens.take(systemClock.monotonic(), 1)).filter(Boolean);
			expect(others.length).toBeLessThan(limit);
			expect(tokens.take(systemClock.monotonic(), 1)).toBeUndefined();
			expect(tokens.nextAt(systemClock.monotonic())).toBeGreaterThan(systemClock.monotonic());
			first.giveBack();
			expect(tokens.take(systemClock.monotonic(), 1)).toBeDefined();
			tokens.stop();
		});
	});
}

describeTokenSource('one process', async () => [new TokenWindow(limit)]);

describeWithRedis('the global REST limit in Redis', () => {
	interface Nodes {
		server: RedisServer;
		tokens: SharedTokens[];
		/** Calls to Redis of all nodes. */
		calls(): number;
	}

	async function nodes(count = 3): Promise<Nodes> {
		const server = await redisServer();
		onTestFinished(() => server.close());
		const keys = clusterKeys('rest');
		let calls = 0;
		const open = async (_: unknown, index: number) => {
			const redis: IoredisPort = await connectTo(server);
			onTestFinished(() => redis.close());
			const part = new RedisRestLimit({ redis, keys, node: `n${index}`, perSecond: limit, nodes: () => count });
			const tokens = new SharedTokens({
				clock: systemClock,
				perSecond: limit,
				ask: (wish) => {
					calls++;
					return part.ask(wish);
				},
			});
			onTestFinished(() => tokens.stop());
			return tokens;
		};
		const tokens = await Promise.all(Array.from({ length: count }, open));
		return { server, tokens, calls: () => calls };
	}

	describeTokenSource('three nodes', async () => (await nodes()).tokens);

	it('costs at most ten calls a second for all nodes', async () => {
		const { tokens, calls } = await nodes();
		const arrivals: number[] = [];
		const callers = tokens.map((each) => new Caller(each, arrivals));
		for (const caller of callers) caller.fire(20);
		const since = performance.now();
		await waitFor('300 answers', () => arrivals.length >= 6 * limit);
		const seconds = (performance.now() - since) / 1000;
		// Each node begins with a call.
		expect(calls()).toBeLessThanOrEqual(10 * seconds + tokens.length);
		for (const caller of callers) caller.stop();
	});

	it('gives the whole limit to the only node that sends, and takes it back when others do', async () => {
		const { tokens } = await nodes();
		const arrivals: number[] = [];
		const [busy, ...others] = tokens.map((each) => new Caller(each, arrivals)) as [Caller, ...Caller[]];
		busy.fire(limit);
		await waitFor('more than its share', () => mostInASecond(arrivals) > limit / 2);
		for (const other of others) other.fire(limit);
		await waitFor('the others', () => others.every(({ answered }) => answered >= limit));
		expect(mostInASecond(arrivals)).toBeLessThanOrEqual(limit);
	});

	it('leaves each node its share while Redis is away, and the limit is kept before, meanwhile and after', async () => {
		const { server, tokens } = await nodes();
		const arrivals: number[] = [];
		const callers = tokens.map((each) => new Caller(each, arrivals));
		callers[0]?.fire(limit);
		await waitFor('the whole limit for one node', () => mostInASecond(arrivals) > limit / 2);
		server.kill('SIGSTOP');
		onTestFinished(() => server.kill('SIGCONT'));
		for (const caller of callers) caller.fire(limit);
		const share = Math.floor(limit / tokens.length);
		// From the end of what was lent on: three seconds of their shares, for each node.
		const before = callers.map(({ answered }) => answered);
		await waitFor('each node to have its share', () =>
			callers.every(({ answered }, index) => answered - (before[index] ?? 0) >= 3 * share),
		);
		server.kill('SIGCONT');
		const back = arrivals.length;
		await waitFor('more after Redis is back', () => arrivals.length >= back + 4 * limit);
		expect(mostInASecond(arrivals)).toBeLessThanOrEqual(limit);
	});

	it.each([
		['that was away for long', 'one'],
		['that has lost everything', 'two'],
	])('lends no more than shares to nodes that do not know of each other after a Redis %s', async (_, runId) => {
		const server = await redisServer();
		onTestFinished(() => server.close());
		const redis = await connectTo(server);
		onTestFinished(() => redis.close());
		const engine = async (nowMs: number, id: string) => {
			await redis.batch([['MSET', 'now', nowMs, 'run', id]]);
			if (id === 'two') await redis.batch([['DEL', clusterKeys('rest').restLimit]]);
		};
		const sources = {
			time: "local now = tonumber(redis.call('GET', 'now'))",
			runId: "local runId = redis.call('GET', 'run')",
		};
		let known = 3;
		const nodes = ['a', 'b', 'c'].map(
			(node) => new RedisRestLimit({ redis, keys: clusterKeys('rest'), node, perSecond: limit, nodes: () => known, sources }),
		);
		await engine(1_000_000, 'one');
		for (const node of nodes) await node.ask({ want: limit, keep: 0 });
		await engine(1_060_000, runId);
		// The first reading of a Redis that only was away shows a node itself alone; a Redis that is empty is known to be by everybody.
		if (runId === 'one') known = 1;
		const lent: number[] = [];
		for (const node of nodes) {
			const part = await node.ask({ want: limit, keep: 16 });
			expect(part.nodes).toBe(3);
			lent.push(part.tokens ?? 0);
		}
		expect(lent).toEqual([16, 16, 16]);
	});

	it('keeps the limit over a restart of Redis that has lost everything', async () => {
		const { server, tokens } = await nodes();
		const arrivals: number[] = [];
		const callers = tokens.map((each) => new Caller(each, arrivals));
		for (const caller of callers) caller.fire(limit);
		await waitFor('two seconds of the limit', () => arrivals.length >= 2 * limit);
		await server.restart();
		const back = arrivals.length;
		await waitFor('more after the restart', () => arrivals.length >= back + 5 * limit);
		expect(mostInASecond(arrivals)).toBeLessThanOrEqual(limit);
	});
});
