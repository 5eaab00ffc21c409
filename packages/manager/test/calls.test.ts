// Calls from the manager, and from any worker to any other, through real processes.
import { describe, expect, it } from 'vitest';
import { startFleet } from './fleet.js';

// Scripts are sent as text, so this declares the globals they find in a worker.
type Bot = {
	shardIds: number[];
	counter: number;
	heard: unknown[];
	guilds: { cache: Map<string, { name: string }> };
	call(name: string, args?: unknown[], options?: object): Promise<unknown>;
	broadcastEval(script: unknown, options?: object): Promise<unknown>;
	fetchClientValues(path: string, target?: unknown): Promise<unknown>;
};

describe('a script', async () => {
	it('runs in every worker and returns the results in the order of the shards', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 5, shardsPerWorker: 2 });
		expect(await manager.broadcastEval((client: Bot) => client.shardIds)).toEqual([[0, 1], [2, 3], [4]]);
		expect(await manager.broadcastEval((client: Bot) => client.shardIds, { shard: 3 })).toEqual([2, 3]);
		// 2^22 * 3 belongs to shard 3 of 5.
		expect(await manager.broadcastEval((client: Bot) => client.shardIds, { guildId: String(3 * 2 ** 22) })).toEqual([2, 3]);
	});

	it('may be a function, an expression, statements, or a body with return and await', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		const one = (script: string) => manager.broadcastEval(script, { shard: 0, context: { by: 2 } });
		expect(await one('client.shardIds.length * context.by')).toBe(2);
		expect(await one('this.shardIds')).toEqual([0]);
		expect(await one('let sum = 0; for (const id of [1, 2, 3]) sum += id * context.by; sum')).toBe(12);
		expect(await one('const n = context.by + 1; return n * 2')).toBe(6);
		expect(await one('const n = await Promise.resolve(context.by); return n + this.shardIds.length')).toBe(3);
		expect(await one('{ shards: client.shardIds }')).toEqual({ shards: [0] });
		expect(await one('await Promise.resolve(7)')).toBe(7);
		expect(await one('// a comment at the end\nclient.shardIds.length // like this')).toBe(1);
		expect(await one("require('./answer.cjs').answer")).toBe(42);
		expect(await one("(await import('./answer.cjs')).default.answer")).toBe(42);
		expect(await one("const { answer } = require('./answer.cjs'); return answer + 1")).toBe(43);
		expect(await one('undefined')).toBeUndefined();
		expect(await one('')).toBeUndefined();
		const inFunction = manager.broadcastEval(async (client: Bot, { by }: { by: number }) => client.shardIds.length + by, {
			shard: 0,
			context: { by: 2 },
		});
		expect(await inFunction).toBe(3);
		expect(
			await manager.broadcastEval(
				function (this: Bot) {
					return this.shardIds;
				} as (client: Bot) => number[],
				{ shard: 0 },
			),
		).toEqual([0]);
	});

	it('transfers contexts and results that JSON does not support', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		const rich = {
			big: 10n,
			map: new Map([['a', new Set([1])]]),
			date: new Date(5),
			none: undefined,
			nan: Number.NaN,
			bytes: Buffer.from('abc'),
		};
		const back = await manager.broadcastEval((_: Bot, context: typeof rich) => context, { shard: 0, context: rich });
		expect(back).toEqual(rich);
		expect(await manager.broadcastEval((client: Bot) => client.guilds.cache, { shard: 0 })).toEqual(
			new Map([['0', { name: 'guild 0' }]]),
		);
		expect(await manager.broadcastEval(() => ({ toJSON: () => 'as plain data' }), { shard: 0 })).toBe('as plain data');
	});

	it('that throws rejects with its own error: class, message, code, cause and data', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 1 });
		const failing = manager.broadcastEval(
			() => {
				throw Object.assign(new RangeError('too far', { cause: new Error('why') }), { code: 'E_FAR', at: { shard: 0 } });
			},
			{ shard: 0 },
		);
		await expect(failing).rejects.toThrow(
			expect.objectContaining({ name: 'RangeError', message: 'too far', code: 'E_FAR', at: { shard: 0 } }),
		);
		await expect(failing).rejects.toMatchObject({ cause: { message: 'why' }, stack: expect.stringContaining('broadcastEval-') });
		for (const thrown of ['"text"', 'null', 'undefined', '{ code: 5 }']) {
			await expect(manager.broadcastEval(`throw ${thrown}`, { shard: 0 })).rejects.toMatchObject({ code: 'REMOTE_ERROR' });
		}
		await expect(manager.broadcastEval('this is no script', { shard: 0 })).rejects.toMatchObject({ name: 'SyntaxError' });
		await expect(manager.broadcastEval('() => 1', { shard: 0 })).rejects.toMatchObject({ code: 'NOT_SERIALIZABLE' });
	});

	it('is rejected before it is sent when it has no text or no such target', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 4, shardList: [1, 2] });
		await expect(manager.broadcastEval(5 as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		await expect(manager.broadcastEval('1', { shard: 0 })).rejects.toMatchObject({
			code: 'SHARD_NOT_OWNED',
			message: 'shard 0 is not run by this manager, which runs shards 1-2 of 4',
		});
		await expect(manager.broadcastEval('1', { shard: 999 })).rejects.toMatchObject({ code: 'SHARD_NOT_OWNED' });
		await expect(manager.broadcastEval('1', { guildId: '0' })).rejects.toMatchObject({ code: 'SHARD_NOT_OWNED' });
		await expect(manager.broadcastEval('1', { guildId: 'general' })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		await expect(manager.broadcastEval('1', { shard: 1, guildId: '5' })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		await expect(manager.broadcastEval('1', { shards: 1 } as object)).rejects.toMatchObject({
			code: 'OPTIONS_INVALID',
			message: 'a call has no option "shards"; did you mean "shard"?',
		});
		await expect(manager.broadcastEval('1', { cluster: 1 } as object)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
	});
});

describe('a call to all', () => {
	it('rejects when one worker fails, with the outcome of each; settle returns the outcomes', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 3 });
		const script = (client: Bot) => {
			if (client.shardIds[0] === 1) throw Object.assign(new Error('not me'), { code: 'E_ONE' });
			return client.shardIds[0];
		};
		const outcomes = [
			{ status: 'fulfilled', value: 0, workerId: 0, shardIds: [0] },
			{ status: 'rejected', reason: expect.objectContaining({ message: 'not me', code: 'E_ONE' }), workerId: 1, shardIds: [1] },
			{ status: 'fulfilled', value: 2, workerId: 2, shardIds: [2] },
		];
		await expect(manager.broadcastEval(script)).rejects.toMatchObject({
			code: 'BROADCAST_FAILED',
			message: '1 of 3 workers failed; worker 1 (shard 1): not me',
			cause: { code: 'E_ONE' },
			details: { outcomes },
		});
		expect(await manager.broadcastEval(script, { settle: true })).toMatchObject(outcomes);
		expect(await manager.broadcastEval(script, { settle: true, shard: 1 })).toMatchObject(outcomes[1] as object);
		expect(await manager.broadcastEval(script, { settle: true, shard: 2 })).toEqual(outcomes[2]);
	});

	it('has a deadline, and can be cancelled', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 2 });
		const hang = 'new Promise(() => {})';
		await expect(manager.broadcastEval(hang, { shard: 0, timeoutMs: 30 })).rejects.toMatchObject({ code: 'CALL_TIMEOUT' });
		const cancel = new AbortController();
		const cancelled = manager.broadcastEval(hang, { signal: cancel.signal, settle: true });
		cancel.abort(new Error('no longer wanted'));
		expect(await cancelled).toMatchObject([
			{ status: 'rejected', reason: { code: 'CALL_CANCELLED', cause: { message: 'no longer wanted' } } },
			{ status: 'rejected', reason: { code: 'CALL_CANCELLED' } },
		]);
		expect(await manager.broadcastEval('1')).toEqual([1, 1]);
	});

	it('runs for each call, also with the same text at the same time', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 2 });
		const count = () => manager.broadcastEval((client: Bot) => ++client.counter);
		expect(await Promise.all([count(), count(), count()])).toEqual([
			[1, 1],
			[2, 2],
			[3, 3],
		]);
	});
});

describe('fetchClientValues', () => {
	it('reads a dotted path of every worker, or of one', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 3, shardsPerWorker: 2 });
		expect(await manager.fetchClientValues('guilds.cache.size')).toEqual([2, 1]);
		expect(await manager.fetchClientValues('guilds.cache.size', { shard: 0 })).toBe(2);
		expect(await manager.fetchClientValues('guilds.cache.size', 2)).toBe(1);
		expect(await manager.fetchClientValues('nothing')).toEqual([undefined, undefined]);
		await expect(manager.fetchClientValues('nothing.there', 0)).rejects.toMatchObject({
			name: 'TypeError',
			message: 'cannot read "nothing.there" from the client: client.nothing is undefined',
		});
		await expect(manager.fetchClientValues(undefined as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
	});
});

describe('call', () => {
	it('calls a handler of the bot by its name', async () => {
		const { manager } = await startFleet('quick-bot.mjs');
		expect(await manager.call('greet', ['you'])).toEqual(['hello you from 0', 'hello you from 1']);
		expect(await manager.call('greet', ['you'], { shard: 1 })).toBe('hello you from 1');
		await expect(manager.call('fails', [], { shard: 0 })).rejects.toMatchObject({
			name: 'RangeError',
			code: 'E_RANGE',
			limit: 5n,
			cause: { message: 'the cause' },
		});
		await expect(manager.call('toString', [], { shard: 0 })).rejects.toMatchObject({
			code: 'METHOD_NOT_FOUND',
			message: 'the bot has no handler "toString"; it has: greet, slow, exit, fails. Register one with handle()',
		});
	});

	it('of a handler that exits the process is settled at once, and the others respond', async () => {
		const { manager } = await startFleet('quick-bot.mjs');
		const outcomes = await manager.call('exit', [3], { shard: 1, settle: true });
		expect(outcomes).toMatchObject({ status: 'rejected', reason: { code: 'CHANNEL_CLOSED' }, workerId: 1 });
		expect(await manager.call('greet', ['you'], { shard: 0 })).toBe('hello you from 0');
	});
});

describe('a worker', () => {
	it('can call every other, itself included, with every option', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 3 });
		const inWorker = (script: string) => manager.broadcastEval(script, { shard: 1 });
		expect(await inWorker('client.broadcastEval((c, n) => c.shardIds[0] * n, { context: 10 })')).toEqual([0, 10, 20]);
		expect(await inWorker('client.broadcastEval((c) => c.shardIds[0], { shard: 2 })')).toBe(2);
		expect(await inWorker('client.broadcastEval((c) => c.shardIds[0], { shard: 1 })')).toBe(1);
		expect(await inWorker('client.fetchClientValues("guilds.cache.size")')).toEqual([1, 1, 1]);
		expect(await inWorker('client.call("greet", ["you"], { shard: 0 })')).toBe('hello you from 0');
		const outcome = 'client.broadcastEval("throw new TypeError(context)", { shard: 2, context: "no", settle: true })';
		expect(await inWorker(outcome)).toMatchObject({
			status: 'rejected',
			reason: { name: 'TypeError', message: 'no' },
			shardIds: [2],
		});
		await expect(inWorker('client.broadcastEval("1", { shard: 9 })')).rejects.toMatchObject({ code: 'SHARD_NOT_OWNED' });
		await expect(inWorker('client.broadcastEval(() => { throw new Error("all") })')).rejects.toMatchObject({
			code: 'BROADCAST_FAILED',
			details: { outcomes: [{ reason: { message: 'all' } }, { reason: { message: 'all' } }, { reason: { message: 'all' } }] },
		});
		const cancelled = `const stop = new AbortController();
			const answer = client.call("slow", [], { shard: 0, signal: stop.signal });
			stop.abort(new Error("enough"));
			return answer.catch((error) => ({ code: error.code, cause: error.cause.message }))`;
		expect(await inWorker(cancelled)).toEqual({ code: 'CALL_CANCELLED', cause: 'enough' });
		await expect(inWorker('client.call("slow", [], { shard: 0, timeoutMs: 20 })')).rejects.toMatchObject({
			code: 'CALL_TIMEOUT',
		});
	});
});

describe("the bot's own messages", () => {
	it('are passed unchanged in both directions', async () => {
		const { manager } = await startFleet('quick-bot.mjs');
		const heard: unknown[] = [];
		const both = new Promise<void>((resolve) => {
			manager.on('message', ({ workerId, message }) => {
				if (heard.push({ workerId, message }) === 3) resolve();
			});
		});
		await manager.send(1, { echo: 'one' });
		await manager.broadcast({ echo: 'all', _eval: 'process.exit()', _fetchProp: 'token', frames: [] });
		await both;
		expect(heard.toSorted((a, b) => JSON.stringify(a).localeCompare(JSON.stringify(b)))).toEqual([
			{ workerId: 0, message: { echoed: 'all', by: 0 } },
			{ workerId: 1, message: { echoed: 'all', by: 1 } },
			{ workerId: 1, message: { echoed: 'one', by: 1 } },
		]);
		expect(await manager.fetchClientValues('heard', { shard: 0 })).toEqual([
			{ echo: 'all', _eval: 'process.exit()', _fetchProp: 'token', frames: [] },
		]);
		await expect(manager.send(9, 'unowned')).rejects.toMatchObject({ code: 'SHARD_NOT_OWNED' });
	});
});

describe('a worker that exits', () => {
	it('settles its own part of a call at once, with a code, and only its own', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { totalShards: 3 });
		const outcomes = manager.broadcastEval(
			(client: Bot) =>
				client.shardIds[0] === 1
					? new Promise(() => setImmediate(() => process.kill(process.pid, 'SIGKILL')))
					: Promise.resolve(client.shardIds[0]),
			{ settle: true, timeoutMs: 50_000 },
		);
		expect(await outcomes).toMatchObject([
			{ status: 'fulfilled', value: 0 },
			{ status: 'rejected', reason: { code: 'CHANNEL_CLOSED', details: { reason: expect.any(String) } } },
			{ status: 'fulfilled', value: 2 },
		]);
		// Until its successor runs, no call waits for it.
		const now = await manager.broadcastEval('1', { settle: true });
		expect(now).toMatchObject([{ value: 1 }, { reason: { code: 'WORKER_UNAVAILABLE' } }, { value: 1 }]);
	});

	it('settles its calls to others: nothing is left behind in them', async () => {
		const { manager } = await startFleet('quick-bot.mjs', { respawn: false });
		const asked = manager.broadcastEval(
			`client.call("slow", [], { shard: 1 }).catch(() => {});
			setTimeout(() => process.exit(0), 50);
			await new Promise(() => {})`,
			{ shard: 0 },
		);
		await expect(asked).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
		expect(await manager.call('greet', ['you'], { shard: 1 })).toBe('hello you from 1');
	});
});
