import { Duplex } from 'node:stream';
import type { BotProblem, WorkerConnection, WorkerSample } from '@shardctl/core';
import { PreparedValue } from '@shardctl/rpc';
import { fakeClock } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { ForeignSource } from './foreign-source.js';

const gone = { reason: 'signal', message: 'process 5 was killed', pid: 5 } as never;

function setup({ lines = true } = {}) {
	const clock = fakeClock();
	const toProgram: Record<string, unknown>[] = [];
	const stream = new Duplex({
		read() {},
		write(chunk: Buffer, _encoding, done) {
			toProgram.push(JSON.parse(String(chunk)));
			done();
		},
	});
	const seen: unknown[] = [];
	const samples: WorkerSample[] = [];
	const signals: string[] = [];
	const unused = () => {
		throw new Error('not for a program');
	};
	let excused = false;
	let beat = () => {};
	const source = new ForeignSource(
		{
			child: { pid: process.pid, lines: lines ? stream : null, signal: (signal) => signals.push(signal) > 0 },
			worker: { id: 1, label: 'worker 1 (shards 2-3)', shardIds: [2, 3], totalShards: 4 },
			clock,
			logger: { warn: (text: string) => void seen.push(text) } as never,
			view: {
				ping: () => new Promise((resolve) => (beat = resolve)),
				figures: async () => [{ shardId: 2, guildCount: 3, userCount: 4, ping: 5 }],
				isExcused: () => excused,
			},
			sampleIntervalMs: 1000,
			call: async ({ name, args }) => {
				if (name === 'fails') throw new Error('no such luck');
				return { name, args };
			},
		},
		{
			attached: (library) => seen.push(library),
			problem: (problem: BotProblem) => seen.push(problem),
			sample: (sample) => samples.push(sample),
			status: (report) => seen.push(report),
			queueStatus: () => {},
			identifying: (shardId) => seen.push({ identifying: shardId }),
			acquireIdentify: unused,
			identifySent: unused,
			identifyExpired: unused,
			message: unused,
			broken: unused,
			closed: () => seen.push('closed'),
		},
	);
	onTestFinished(() => void stream.destroy());
	const turn = () => new Promise(setImmediate);
	const says = async (...messages: object[]) => {
		for (const message of messages) stream.push(`${JSON.stringify(message)}\n`);
		await turn();
	};
	const ask = (method: 'call' | 'eval' | 'ping', params: unknown, timeoutMs = 1000) =>
		new Promise<unknown>((resolve, reject) => {
			// An object with methods that need it, as the caller's.
			const settle = new (class {
				readonly #resolve = resolve;
				resolve(value: unknown) {
					this.#resolve(value);
				}
				reject(reason: unknown) {
					reject(reason);
				}
			})();
			source.ask(method, params as never, { timeoutMs }, settle as never);
		});
	const notes = (...statuses: WorkerConnection['status'][]) => {
		for (const status of statuses) source.noteConnection({ incarnation: 7, shardId: 2, status });
	};
	return {
		source,
		clock,
		seen,
		samples,
		signals,
		toProgram,
		says,
		ask,
		notes,
		turn,
		beat: () => beat(),
		excuse: () => (excused = true),
	};
}

/** Begins to wait at once: the rejection may come while the test does something else. */
async function refusal(call: Promise<unknown>, matching: object): Promise<void> {
	await expect(call).rejects.toMatchObject(matching);
}

it('reports the stages of a connection; a lost one only if neither an exit nor a new one follows at once', async () => {
	const { source, clock, seen, notes } = setup();
	notes('identifying', 'ready', 'gone', 'resumed', 'gone');
	await clock.advance(199);
	expect(seen).toEqual([{ identifying: 2 }, { shardId: 2, status: 'ready' }, { shardId: 2, status: 'resumed' }]);
	await clock.advance(1);
	expect(seen.at(-1)).toEqual({ shardId: 2, status: 'reconnecting' });
	source.noteConnection({ incarnation: 7, shardId: 2, status: 'refused', closeCode: 4014 });
	expect(seen.at(-1)).toEqual({ shardId: 2, status: 'disconnected', closeCode: 4014 });
	notes('gone');
	source.link.closed(gone);
	await clock.advance(1000);
	expect(seen.at(-1)).toBe('closed');
});

it('answers a heartbeat when its gateway process has heard the program, and is excused with it', async () => {
	const { source, beat, excuse } = setup();
	const ping = source.link.ping(new AbortController().signal);
	expect(source.pendingCount).toBe(1);
	beat();
	await ping;
	expect([source.pendingCount, source.link.isExcused?.()]).toEqual([0, false]);
	excuse();
	expect(source.link.isExcused?.()).toBe(true);
});

it('sends figures at an interval, of the system and of its gateway process', async () => {
	const { clock, samples, turn } = setup();
	await clock.advance(1000);
	await turn();
	expect(samples).toHaveLength(1);
	expect(samples[0]).toMatchObject({
		shards: [{ shardId: 2, guildCount: 3, userCount: 4, ping: 5 }],
		heapUsedBytes: null,
		loopDelayP99Ms: null,
	});
	expect(samples[0]?.rssBytes).toBeGreaterThan(1e6);
});

it('refuses what needs JavaScript, and calls before the program has said hello', async () => {
	const { source, ask } = setup();
	for (const method of ['eval', 'call'] as const)
		await expect(ask(method, { name: 'a', args: [] })).rejects.toMatchObject({ code: 'NOT_NODE', details: { workerId: 1 } });
	await expect(source.send()).rejects.toMatchObject({ code: 'NOT_NODE' });
});

it('calls handlers of the program, with deadlines, and settles every call when it ends', async () => {
	const { source, clock, ask, says, toProgram } = setup();
	await says({ type: 'hello', handlers: ['count', 'slow'] });
	await expect(ask('call', { name: 'other', args: [] })).rejects.toMatchObject({
		code: 'METHOD_NOT_FOUND',
		message: 'the program has no handler "other"; it has: count, slow',
	});
	const count = ask('call', new PreparedValue({ name: 'count', args: [1, { a: 2 }] }));
	expect(toProgram.at(-1)).toEqual({ type: 'call', id: 1, name: 'count', args: [1, { a: 2 }] });
	await says({ type: 'reply', id: 1, result: { n: 1 } }, { type: 'reply', id: 1, result: 2 }, { type: 'reply', id: 99 });
	expect(await count).toEqual({ n: 1 });
	const failing = refusal(ask('call', { name: 'count', args: [] }), {
		code: 'REMOTE_ERROR',
		message: 'it failed',
		details: { code: 'KeyError' },
	});
	await says({ type: 'reply', id: 2, error: { message: 'it failed', code: 'KeyError' } });
	await failing;
	const slow = refusal(ask('call', { name: 'slow', args: [] }, 50), { code: 'CALL_TIMEOUT' });
	await clock.advance(50);
	await slow;
	expect(source.pendingCount).toBe(0);
	const last = refusal(ask('call', { name: 'slow', args: [] }), { code: 'CHANNEL_CLOSED' });
	source.link.closed(gone);
	await last;
});

it('passes calls of the program into the fleet, and reports of our sitecustomize', async () => {
	const { says, toProgram, seen, turn } = setup();
	await says({ type: 'call', id: 4, name: 'all', args: [1] }, { type: 'call', id: 5, name: 'fails' });
	await turn();
	expect(toProgram.slice(1)).toEqual([
		{ type: 'reply', id: 4, result: { name: 'all', args: [1] } },
		{ type: 'reply', id: 5, error: { message: 'no such luck', code: 'INTERNAL' } },
	]);
	await says({ type: 'attached', library: 'discord.py 2.2' }, { type: 'problem', message: 'wrong class', fatal: true });
	expect(seen).toEqual(['discord.py 2.2', { code: 'UNSUPPORTED_LIBRARY', message: 'wrong class', fatal: true }]);
});

it.each([
	['with SIGTERM', { type: 'hello' }, [], ['SIGTERM']],
	['by a message, where it asks for one', { type: 'hello', shutdown: true }, [{ type: 'shutdown', reason: 'a deploy' }], []],
])('ends a program %s', async (_, hello, messages, expected) => {
	const { source, says, toProgram, signals } = setup();
	await says(hello);
	await source.link.shutdown('a deploy', { final: true });
	expect([toProgram.slice(1), signals]).toEqual([messages, expected]);
});

it('ends the conversation, not the program, when the descriptor is used for something else', async () => {
	const { ask, says, seen } = setup();
	await says({ type: 'hello' });
	const call = refusal(ask('call', { name: 'a', args: [] }), { code: 'PROTOCOL_ERROR' });
	await says({ type: 'something' });
	await call;
	expect(seen).toEqual([expect.stringMatching(/^worker 1 \(shards 2-3\): the program wrote a message of another form/)]);
	await expect(ask('call', { name: 'a', args: [] })).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});

it('works without a descriptor', async () => {
	const { source, signals } = setup({ lines: false });
	await source.link.shutdown('a stop', { final: true });
	source.link.closed(gone);
	expect(signals).toEqual(['SIGTERM']);
});
