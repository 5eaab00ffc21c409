// What a peer promises, on every channel it may run over: one suite, run in memory and against real child processes.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ShardctlError } from '@shardctl/core';
import { afterEach, describe, expect, it } from 'vitest';
import { ipcPort } from '../src/ipc-port.js';
import { memoryPortPair } from '../src/memory-port.js';
import { Peer } from '../src/peer.js';
import type { Port } from '../src/port.js';

interface FarMethods {
	echo: { params: unknown; result: unknown };
	later: { params: unknown; result: unknown };
	throw: { params: string; result: never };
	large: { params: number; result: string };
	unserializable: { params: string; result: unknown };
	wait: { params: null; result: null };
	callBack: { params: number; result: { nearSaid: number } };
	running: { params: null; result: number };
	countTo: { params: number; result: null };
	die: { params: null; result: never };
	answerAndDie: { params: null; result: string };
}
interface NearMethods {
	double: { params: number; result: number };
}
interface FarEvents {
	waiting: null;
	gaveUp: string;
	count: number;
	noted: unknown;
}
interface NearEvents {
	note: unknown;
}
type Near = Peer<NearMethods, FarMethods, NearEvents, FarEvents>;
type Far = Peer<FarMethods, NearMethods, FarEvents, NearEvents>;

interface Channel {
	name: string;
	/** Starts the other side and returns this side's port once it is up. */
	open(farEpoch: number): Promise<{ port: Port; close: () => Promise<void> }>;
}

const serve = async (): Promise<(peer: Far, die: () => void) => void> => {
	const fixture = (await import(new URL('./fixtures/far-side.mjs', import.meta.url).href)) as {
		serve: (peer: Far, die: () => void) => void;
	};
	return fixture.serve;
};

const channels: Channel[] = [
	{
		name: 'in memory',
		async open(farEpoch) {
			const [near, far] = memoryPortPair();
			(await serve())(new Peer({ port: far, epoch: farEpoch }), () => far.close());
			return { port: near, close: async () => near.close() };
		},
	},
	{
		name: 'to a child process',
		async open(farEpoch) {
			const child = fork(fileURLToPath(new URL('./fixtures/far-side-child.mjs', import.meta.url)), [String(farEpoch)], {
				execArgv: [],
			});
			const exited = once(child, 'exit');
			await once(child, 'message');
			return {
				port: ipcPort(child),
				close: async () => {
					child.kill('SIGKILL');
					await exited;
				},
			};
		},
	},
];

const epoch = 7;

describe.each(channels)('a peer $name', (channel) => {
	const closers: (() => Promise<void>)[] = [];
	afterEach(async () => {
		await Promise.all(closers.splice(0).map((close) => close()));
	});

	const connect = async ({ farEpoch = epoch, limits = {} } = {}): Promise<Near> => {
		const { port, close } = await channel.open(farEpoch);
		const peer: Near = new Peer({ port, epoch, limits });
		peer.handle('double', (n) => n * 2);
		closers.push(async () => {
			peer.close();
			await close();
		});
		return peer;
	};
	const failure = async (call: Promise<unknown>): Promise<ShardctlError> => {
		const outcome = await call.then(
			(value) => ({ value }),
			(error: unknown) => ({ error }),
		);
		if ('value' in outcome) throw new Error(`the call was answered: ${JSON.stringify(outcome.value)}`);
		expect(outcome.error).toBeInstanceOf(Error);
		return outcome.error as ShardctlError;
	};
	const next = <E extends keyof FarEvents>(peer: Near, event: E): Promise<FarEvents[E]> =>
		new Promise((resolve) => {
			const off = peer.on(event, (payload) => {
				off();
				resolve(payload);
			});
		});

	it('answers requests with an equal value of any type', async () => {
		const peer = await connect();
		const value = {
			id: 123456789012345678n,
			members: new Map([['1', new Set([1, 'two', undefined])]]),
			at: new Date(1e12),
			bytes: Buffer.from([0, 255]),
			odd: [Number.NaN, Number.POSITIVE_INFINITY, -0, undefined],
			nothing: undefined,
			$: { $: 'u' },
			text: '\u0000 "quoted" \u{1F600}',
		};
		expect(await peer.request('echo', value)).toEqual(value);
		expect(await peer.request('later', value)).toEqual(value);
		expect(await peer.request('echo', undefined)).toBeUndefined();
		expect(peer.pendingCount).toBe(0);
	});

	it('sends the params as they are at the time of the call', async () => {
		const peer = await connect();
		const params = { n: 0, list: [1] };
		const answers = [0, 1, 2].map((n) => {
			params.n = n;
			params.list.push(n);
			return peer.request('echo', params);
		});
		expect(await Promise.all(answers)).toEqual([
			{ n: 0, list: [1, 0] },
			{ n: 1, list: [1, 0, 1] },
			{ n: 2, list: [1, 0, 1, 2] },
		]);
	});

	it('returns its own response to each of many concurrent calls', async () => {
		const peer = await connect();
		const calls = Array.from({ length: 2000 }, (_, i) => peer.request(i % 2 ? 'echo' : 'later', { i }));
		expect(peer.pendingCount).toBe(2000);
		expect(await Promise.all(calls)).toEqual(Array.from({ length: 2000 }, (_, i) => ({ i })));
		expect(peer.pendingCount).toBe(0);
	});

	it('sends requests in both directions at the same time', async () => {
		const peer = await connect();
		const answers = await Promise.all([1, 2, 3].map((n) => peer.request('callBack', n)));
		expect(answers).toEqual([{ nearSaid: 2 }, { nearSaid: 4 }, { nearSaid: 6 }]);
	});

	it('rejects with the error that the handler threw', async () => {
		const peer = await connect();
		const error = await failure(peer.request('throw', 'error'));
		expect(error).toBeInstanceOf(TypeError);
		expect(error).toMatchObject({ name: 'TypeError', message: 'no such guild', code: 10004 });
		expect(error).toMatchObject({ requestBody: { files: [], json: { a: 1n } }, cause: { message: 'cache is empty' } });
		expect(error.stack).toContain('far-side.mjs');
		expect(await failure(peer.request('throw', 'async'))).toMatchObject({ name: 'RangeError', message: 'later' });
	});

	it.each([
		['null', null],
		['zero', 0],
		['false', false],
		['empty', ''],
		['undefined', undefined],
		['string', 'just text'],
	])('rejects when the handler throws %s instead of an error', async (kind, cause) => {
		const peer = await connect();
		const error = await failure(peer.request('throw', kind));
		expect(error.code).toBe('REMOTE_ERROR');
		expect(error.cause).toBe(cause);
	});

	it.each(['nothing', 'toString', 'constructor', '__proto__', 'hasOwnProperty'])(
		'has no method "%s" that was not registered',
		async (method) => {
			const peer = await connect();
			expect(await failure(peer.request(method as 'echo', null))).toMatchObject({
				code: 'METHOD_NOT_FOUND',
				details: { method },
			});
		},
	);

	it.each(['function', 'symbol', 'circular', 'throwing'])(
		'rejects a result that cannot be encoded (%s), and keeps working',
		async (kind) => {
			const peer = await connect();
			expect((await failure(peer.request('unserializable', kind))).code).toBe('NOT_SERIALIZABLE');
			expect(await peer.request('echo', 1)).toBe(1);
		},
	);

	it('rejects params that cannot be encoded, and keeps working', async () => {
		const peer = await connect();
		const guild: Record<string, unknown> = { name: 'x' };
		guild.owner = { guild };
		const error = await failure(peer.request('echo', guild));
		expect(error).toMatchObject({ code: 'NOT_SERIALIZABLE', message: expect.stringContaining('value.owner.guild') });
		expect((await failure(peer.request('echo', () => 1))).code).toBe('NOT_SERIALIZABLE');
		expect(await peer.request('echo', 1)).toBe(1);
	});

	it('rejects params over the size limit, and a result over it, and keeps working', async () => {
		const peer = await connect({ limits: { maxMessageBytes: 1000 } });
		expect((await failure(peer.request('echo', 'x'.repeat(1001)))).code).toBe('MESSAGE_TOO_LARGE');
		expect((await failure(peer.request('large', 65 * 1024 * 1024))).code).toBe('MESSAGE_TOO_LARGE');
		expect(await peer.request('large', 3)).toBe('xxx');
	});

	it('transfers a megabyte in each direction', async () => {
		const peer = await connect();
		const text = 'ä"\\\n'.repeat(250_000);
		expect((await peer.request('echo', { text })) as { text: string }).toEqual({ text });
	});

	it('rejects a call over the limit of pending calls', async () => {
		const peer = await connect({ limits: { maxPendingCalls: 2 } });
		const calls = [peer.request('echo', 1), peer.request('echo', 2)];
		expect((await failure(peer.request('echo', 3))).code).toBe('CALL_LIMIT');
		expect(await Promise.all(calls)).toEqual([1, 2]);
		expect(await peer.request('echo', 4)).toBe(4);
	});

	it('times out at the deadline on both sides', async () => {
		const peer = await connect();
		const gaveUp = next(peer, 'gaveUp');
		const error = await failure(peer.request('wait', null, { timeoutMs: 20 }));
		expect(error).toMatchObject({ code: 'CALL_TIMEOUT', details: { method: 'wait', timeoutMs: 20 } });
		expect(await gaveUp).toBe('CALL_TIMEOUT');
		expect(await peer.request('running', null)).toBe(0);
	});

	it("passes the caller's cancellation to the handler", async () => {
		const peer = await connect();
		const waiting = next(peer, 'waiting');
		const gaveUp = next(peer, 'gaveUp');
		const abort = new AbortController();
		const call = failure(peer.request('wait', null, { signal: abort.signal, timeoutMs: Number.POSITIVE_INFINITY }));
		await waiting;
		abort.abort(new Error('changed my mind'));
		expect(await call).toMatchObject({ code: 'CALL_CANCELLED', cause: { message: 'changed my mind' } });
		expect(await gaveUp).toBe('CALL_CANCELLED');
	});

	it('delivers events in order, both ways', async () => {
		const peer = await connect();
		const seen: number[] = [];
		peer.on('count', (n) => seen.push(n));
		await peer.request('countTo', 5000);
		expect(seen).toEqual(Array.from({ length: 5000 }, (_, i) => i + 1));
		const noted = next(peer, 'noted');
		expect(peer.notify('note', { id: 1n })).toBe(true);
		expect(await noted).toEqual({ id: 1n });
	});

	it('settles every pending call when the other side dies, and each later one at once', async () => {
		const peer = await connect();
		const calls = Array.from({ length: 500 }, () => failure(peer.request('wait', null)));
		calls.push(failure(peer.request('die', null)));
		const errors = await Promise.all(calls);
		expect(new Set(errors.map((error) => error.code))).toEqual(new Set(['CHANNEL_CLOSED']));
		expect(errors[0]?.details).toEqual({ method: 'wait' });
		expect(peer.pendingCount).toBe(0);
		expect((await failure(peer.request('echo', 1))).code).toBe('CHANNEL_CLOSED');
		expect(peer.notify('note', 1)).toBe(false);
	});

	it('delivers a response whose sender dies right after it was flushed', async () => {
		const peer = await connect();
		expect(await peer.request('answerAndDie', null)).toBe('goodbye');
	});

	it('settles every pending call with the given error when it is closed', async () => {
		const peer = await connect();
		const call = failure(peer.request('wait', null));
		const reason = new ShardctlError('MANAGER_STOPPED', 'the manager was stopped');
		peer.close(reason);
		peer.close();
		expect(await call).toMatchObject({ code: 'MANAGER_STOPPED', cause: reason });
		expect((await failure(peer.request('echo', 1))).code).toBe('MANAGER_STOPPED');
	});

	it('exchanges no messages with a peer of another epoch', async () => {
		const peer = await connect({ farEpoch: epoch + 1 });
		expect((await failure(peer.request('echo', 1, { timeoutMs: 30 }))).code).toBe('CALL_TIMEOUT');
	});
});
