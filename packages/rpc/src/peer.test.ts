import { ShardctlError } from '@shardctl/core';
import { type FakeClock, fakeClock } from '@shardctl/test-support';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { kind } from './frames.js';
import { type MemoryPort, memoryPortPair } from './memory-port.js';
import { Peer, type PeerOptions } from './peer.js';
import type { Port } from './port.js';

interface Methods {
	echo: { params: unknown; result: unknown };
	hold: { params: unknown; result: unknown };
}
interface Events {
	note: unknown;
}
type TestPeer = Peer<Methods, Methods, Events, Events>;

const settled = () => new Promise((resolve) => setImmediate(resolve));

function pair(options: Partial<PeerOptions> = {}, ports: [Port, Port] = memoryPortPair()) {
	const clock = fakeClock();
	const near: TestPeer = new Peer({ port: ports[0], epoch: 1, clock, ...options });
	const far: TestPeer = new Peer({ port: ports[1], epoch: 1, clock });
	const held: { params: unknown; signal: AbortSignal; answer: (value: unknown) => void }[] = [];
	far.handle('echo', (value) => value);
	far.handle('hold', (params, { signal }) => new Promise((answer) => held.push({ params, signal, answer })));
	return { near, far, held, clock, port: ports[0] as MemoryPort };
}

/** A peer whose other side is the test itself, frame by frame. */
function byHand(options: Partial<PeerOptions> = {}) {
	const [port, other] = memoryPortPair();
	const sent: unknown[][] = [];
	other.onMessage((message) => sent.push(...(message as unknown[][]).slice(2)));
	const say = async (...frames: unknown[]) => {
		await sayRaw(['@shardctl', 1, ...frames]);
	};
	const sayRaw = async (message: unknown) => {
		other.send(message, () => {});
		await settled();
	};
	const onProtocolError = vi.fn<(error: ShardctlError) => void>();
	const peer: TestPeer = new Peer({ port, epoch: 1, clock: fakeClock(), onProtocolError, ...options });
	return { peer, sent, say, sayRaw, onProtocolError };
}

describe('a request', () => {
	it('times out after 30 seconds by default, and leaves no timer however it ends', async () => {
		const { near, held, clock } = pair();
		const answered = near.request('hold', 1);
		const late = near.request('hold', 2).catch((error: unknown) => error);
		await settled();
		held[0]?.answer('a');
		expect(await answered).toBe('a');
		await clock.advance(29_999);
		expect(near.pendingCount).toBe(1);
		await clock.advance(1);
		expect(await late).toMatchObject({ code: 'CALL_TIMEOUT', details: { timeoutMs: 30_000 } });
		expect(clock.pendingTimers()).toBe(0);
	});

	it.each([0, Number.POSITIVE_INFINITY])('with the deadline %s never times out', async (timeoutMs) => {
		const { near, held, clock } = pair();
		const call = near.request('hold', 1, { timeoutMs });
		await clock.advance(1e9);
		held[0]?.answer('at last');
		expect(await call).toBe('at last');
	});

	it.each([-1, Number.NaN, 'soon'])('with the deadline %s is rejected', async (timeoutMs) => {
		const { near } = pair();
		await expect(near.request('echo', 1, { timeoutMs: timeoutMs as number })).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
	});

	it('whose signal is already aborted is not sent', async () => {
		const { peer, sent } = byHand();
		const call = peer.request('echo', 1, { signal: AbortSignal.abort('no') });
		await expect(call).rejects.toMatchObject({ code: 'CALL_CANCELLED', cause: 'no' });
		await settled();
		expect(sent).toEqual([]);
	});

	it('that is cancelled before it was sent is never sent, nor is its cancellation', async () => {
		const { peer, sent } = byHand();
		const abort = new AbortController();
		const call = peer.request('echo', 1, { signal: abort.signal });
		abort.abort();
		await expect(call).rejects.toMatchObject({ code: 'CALL_CANCELLED' });
		await settled();
		expect(sent).toEqual([]);
	});

	it('shares one signal with ten thousand others without a warning', async () => {
		const warning = vi.fn<(warning: Error) => void>();
		process.on('warning', warning);
		const { near } = pair();
		const abort = new AbortController();
		const calls = Array.from({ length: 10_000 }, () => near.request('hold', null, { signal: abort.signal }));
		abort.abort();
		const outcomes = await Promise.allSettled(calls);
		expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true);
		expect(near.pendingCount).toBe(0);
		await settled();
		process.off('warning', warning);
		expect(warning).not.toHaveBeenCalled();
	});

	it('fails when reading its params closes the peer', async () => {
		const { near } = pair();
		const params = {
			toJSON() {
				near.close();
				return 1;
			},
		};
		await expect(near.request('echo', params)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
		expect(near.pendingCount).toBe(0);
	});

	it.each([10, 100_000])(
		'of %i characters that the channel cannot carry fails at once, and so does such a response',
		async (length) => {
			const [near, far] = memoryPortPair();
			const picky = (port: Port): Port => ({
				...port,
				send(message, done) {
					if (JSON.stringify(message).includes('unspeakable')) throw new RangeError('Invalid string length');
					return port.send(message, done);
				},
			});
			const { near: caller, far: answerer } = pair({}, [picky(near), picky(far)]);
			answerer.handle('hold', () => `unspeakable ${'x'.repeat(length)}`);
			const fine = caller.request('echo', 'sent together with the next');
			const refused = [caller.request('echo', `unspeakable ${'x'.repeat(length)}`), caller.request('hold', null)];
			for (const call of refused) await expect(call).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
			expect(await fine).toBe('sent together with the next');
			expect(caller.pendingCount).toBe(0);
		},
	);

	it('is rejected when the channel is congested and the queue is full, and succeeds once there is space', async () => {
		const waiting: (() => void)[] = [];
		const ports = memoryPortPair({ deliver: (task) => waiting.push(task), highWaterMark: 1 });
		const { near } = pair({ limits: { maxQueuedFrames: 2 } }, ports);
		const calls = [near.request('echo', 0)];
		await settled();
		calls.push(near.request('echo', 1), near.request('echo', 2));
		await expect(near.request('echo', 3)).rejects.toMatchObject({ code: 'CALL_LIMIT' });
		expect(near.notify('note', 1)).toBe(false);
		expect(near.counters.droppedEvents).toBe(1);
		const pump = setInterval(() => waiting.shift()?.(), 0);
		expect(await Promise.all(calls)).toEqual([0, 1, 2]);
		clearInterval(pump);
	});
});

describe('a handler', () => {
	it('is aborted when its caller cancels, and its response is not sent', async () => {
		const { near, far, held, clock } = pair();
		const call = near.request('hold', 1, { timeoutMs: 10 }).catch((error: unknown) => error);
		await settled();
		expect(held[0]?.signal.aborted).toBe(false);
		await clock.advance(10);
		await settled();
		expect(await call).toMatchObject({ code: 'CALL_TIMEOUT' });
		expect(held[0]?.signal.reason).toMatchObject({ code: 'CALL_TIMEOUT' });
		expect(far.runningCount).toBe(1);
		held[0]?.answer('too late');
		await settled();
		expect(far.runningCount).toBe(0);
		expect(near.counters.lateReplies).toBe(0);
	});

	it('is aborted when the peer is closed', async () => {
		const { near, far, held } = pair();
		const call = near.request('hold', 1).catch((error: unknown) => error);
		await settled();
		const reason = new ShardctlError('MANAGER_STOPPED', 'stopped');
		far.close(reason);
		expect(held[0]?.signal.reason).toBe(reason);
		near.close();
		expect(await call).toMatchObject({ code: 'CHANNEL_CLOSED' });
	});

	it('is rejected when too many run already, cancelled ones that still run included', async () => {
		const { peer, sent, say } = byHand({ limits: { maxRunningHandlers: 2 } });
		peer.handle('hold', () => new Promise(() => {}));
		await say([kind.request, 1, 'hold', null], [kind.request, 2, 'hold', null], [kind.cancel, 1, 'CALL_CANCELLED']);
		await say([kind.request, 3, 'hold', null]);
		expect(sent).toMatchObject([[kind.failure, 3, { v: { shardctlCode: 'CALL_LIMIT' } }]]);
	});

	it('may close its own peer', async () => {
		const { near, far } = pair();
		far.handle('echo', () => {
			far.close();
			return 1;
		});
		const call = near.request('echo', 1).catch((error: unknown) => error);
		await settled();
		near.close();
		expect(await call).toMatchObject({ code: 'CHANNEL_CLOSED' });
	});

	it('whose response does not fit into the queue fails its call before the deadline', async () => {
		const waiting: (() => void)[] = [];
		const [near, far] = memoryPortPair({ deliver: (task) => waiting.push(task), highWaterMark: 1 });
		const answerer: TestPeer = new Peer({ port: far, epoch: 1, limits: { maxQueuedBytes: 8000 } });
		const caller: TestPeer = new Peer({ port: near, epoch: 1 });
		answerer.handle('echo', (text) => text);
		const pump = setInterval(() => waiting.shift()?.(), 0);
		const outcomes = await Promise.allSettled(Array.from({ length: 10 }, (_, i) => caller.request('echo', `${i}`.repeat(1000))));
		clearInterval(pump);
		const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as ShardctlError).code : 'ok'));
		expect(new Set(codes)).toEqual(new Set(['ok', 'CALL_LIMIT']));
		expect(caller.pendingCount).toBe(0);
	});
});

describe('frames from the other side', () => {
	it('are ignored when they are duplicates or late', async () => {
		const { peer, sent, say } = byHand();
		const handler = vi.fn<(value: unknown) => unknown>((value) => value);
		peer.handle('echo', handler);
		await say([kind.request, 5, 'echo', 'x'], [kind.request, 5, 'echo', 'x'], [kind.request, 4, 'echo', 'x']);
		expect(handler).toHaveBeenCalledTimes(1);
		expect(sent).toEqual([[kind.result, 5, 'x']]);

		const call = peer.request('echo', 1);
		await settled();
		await say([kind.result, 1, 'first'], [kind.result, 1, 'second'], [kind.failure, 1, 'third'], [kind.result, 99, 'unknown']);
		expect(await call).toBe('first');
		expect(peer.counters).toMatchObject({ duplicateRequests: 2, lateReplies: 3, malformedFrames: 0 });
	});

	it('of another epoch are dropped and counted', async () => {
		const { peer, sent, sayRaw } = byHand();
		peer.handle('echo', (value) => value);
		await sayRaw(['@shardctl', 2, [kind.request, 1, 'echo', 1]]);
		expect(sent).toEqual([]);
		expect(peer.counters.staleMessages).toBe(1);
	});

	it('settle their call with PROTOCOL_ERROR when their value is invalid', async () => {
		const { peer, say, onProtocolError } = byHand();
		const calls = [peer.request('echo', 1), peer.request('echo', 2)].map((call) => call.catch((error: unknown) => error));
		await settled();
		await say([kind.result, 1, { $: 'nonsense' }, 1], [kind.failure, 2, { $: 'e', v: 1 }]);
		expect(await Promise.all(calls)).toMatchObject([{ code: 'PROTOCOL_ERROR' }, { code: 'PROTOCOL_ERROR' }]);
		expect(onProtocolError).toHaveBeenCalledTimes(2);
	});

	it('run no handler when their params are invalid', async () => {
		const { peer, sent, say, onProtocolError } = byHand();
		const handler = vi.fn<() => null>(() => null);
		peer.handle('echo', handler);
		await say([kind.request, 1, 'echo', { $: 'nonsense' }, 1]);
		expect(sent).toMatchObject([[kind.failure, 1, { v: { shardctlCode: 'PROTOCOL_ERROR' } }]]);
		expect(handler).not.toHaveBeenCalled();
		expect(onProtocolError).toHaveBeenCalledTimes(1);
	});

	it('never throw into the channel, whatever they contain, and do not affect other frames', async () => {
		const number = fc.constantFrom(-1, 0, 1, 2, 3, 4, 5, 1.5, 2 ** 53, '1', null);
		const part = fc.oneof(number, fc.jsonValue(), fc.constantFrom('echo', 'toString', 'note', '__proto__'));
		const frame = fc.oneof(fc.jsonValue(), fc.array(part, { maxLength: 6 }), fc.tuple(number, part, part, part, number));
		const message = fc.oneof(
			fc.jsonValue().map((value) => ['@shardctl', value]),
			fc.jsonValue().map((value) => ['@shardctl', 1, value]),
			fc.array(frame).map((frames) => ['@shardctl', 1, ...frames]),
			fc.jsonValue(),
		);
		await fc.assert(
			fc.asyncProperty(fc.array(message), async (messages) => {
				const [port, other] = memoryPortPair({ deliver: (task) => task() });
				const peer: TestPeer = new Peer({ port, epoch: 1, clock: fakeClock() });
				peer.handle('echo', (value) => value);
				const answers: unknown[] = [];
				other.onMessage((answer) => answers.push(...(answer as unknown[]).slice(2)));
				// This port delivers at once, so an error thrown by the peer would surface in send.
				for (const each of messages) other.send(each, () => {});
				other.send(['@shardctl', 1, [kind.request, Number.MAX_SAFE_INTEGER, 'echo', 'still here']], () => {});
				await settled();
				expect(answers).toContainEqual([kind.result, Number.MAX_SAFE_INTEGER, 'still here']);
				peer.close();
			}),
		);
	});
});

describe('an event', () => {
	it('reaches each listener until it is removed; a listener that throws does not affect the others', async () => {
		const onListenerError = vi.fn<(error: unknown, event: string) => void>();
		const { near, far } = pair({ onListenerError });
		const seen: unknown[] = [];
		near.on('note', () => {
			throw new Error('bad listener');
		});
		const off = near.on('note', (note) => seen.push(note));
		far.notify('note', 1n);
		await settled();
		off();
		far.notify('note', 2n);
		await settled();
		expect(seen).toEqual([1n]);
		expect(onListenerError.mock.calls).toMatchObject([
			[{ message: 'bad listener' }, 'note'],
			[{ message: 'bad listener' }, 'note'],
		]);
	});

	it('that cannot be encoded throws at the sender', () => {
		const { near } = pair();
		expect(() => near.notify('note', () => 1)).toThrow(expect.objectContaining({ code: 'NOT_SERIALIZABLE' }));
	});
});

describe('under any order of things', () => {
	type Step =
		| { do: 'request'; from: 'near' | 'far'; how: 'echo' | 'hold' | 'throw' | 'missing'; timeoutMs: number }
		| { do: 'abort' | 'answer'; which: number }
		| { do: 'advance'; ms: number }
		| { do: 'deliver'; count: number }
		| { do: 'kill' }
		| { do: 'close'; side: 'near' | 'far' };

	const side = fc.constantFrom('near' as const, 'far' as const);
	const step: fc.Arbitrary<Step> = fc.oneof(
		{
			weight: 8,
			arbitrary: fc.record({
				do: fc.constant('request' as const),
				from: side,
				how: fc.constantFrom('echo', 'hold', 'throw', 'missing'),
				timeoutMs: fc.constantFrom(0, 5, 50, Number.POSITIVE_INFINITY),
			}) as fc.Arbitrary<Step>,
		},
		{ weight: 4, arbitrary: fc.record({ do: fc.constantFrom('abort' as const, 'answer' as const), which: fc.nat(20) }) },
		{ weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.constantFrom(1, 5, 50) }) },
		{ weight: 6, arbitrary: fc.record({ do: fc.constant('deliver' as const), count: fc.integer({ min: 1, max: 5 }) }) },
		{
			weight: 1,
			arbitrary: fc.oneof(
				fc.record({ do: fc.constant('kill' as const) }),
				fc.record({ do: fc.constant('close' as const), side }),
			),
		},
	);

	interface AnyMethods {
		[method: string]: { params: number; result: number };
	}

	it('every call settles with its own response or a coded error, runs at most once, and leaves nothing behind', async () => {
		await fc.assert(
			fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.integer({ min: 1, max: 3 }), async (steps, highWaterMark) => {
				const undelivered: (() => void)[] = [];
				const ports = memoryPortPair({ deliver: (task) => undelivered.push(task), highWaterMark });
				const clock: FakeClock = fakeClock();
				const peers = {
					near: new Peer<AnyMethods, AnyMethods>({ port: ports[0], epoch: 1, clock }),
					far: new Peer<AnyMethods, AnyMethods>({ port: ports[1], epoch: 1, clock }),
				};
				const runs = new Map<number, number>();
				const held: number[] = [];
				const answers = new Map<number, () => void>();
				const answered = new Set<number>();
				let killed = false;
				let oneClosed = false;
				for (const peer of Object.values(peers)) {
					const counted =
						<T>(then: (n: number) => T) =>
						(n: number) => {
							runs.set(n, (runs.get(n) ?? 0) + 1);
							return then(n);
						};
					peer.handle('echo', counted((n) => n * 2)); // biome-ignore format: one line each
					peer.handle('hold', counted((n) => new Promise((resolve) => { held.push(n); answers.set(n, () => resolve(n * 2)); }))); // biome-ignore format: one line each
					peer.handle('throw', counted((n) => { throw Object.assign(new Error('thrown'), { code: 'THROWN', n }); })); // biome-ignore format: one line each
				}
				const aborts: AbortController[] = [];
				const hows: string[] = [];
				const outcomes: unknown[] = [];
				const deliver = async (count: number) => {
					await settled();
					for (const task of undelivered.splice(0, count)) task();
					await settled();
				};
				for (const each of steps) {
					switch (each.do) {
						case 'request': {
							const n = aborts.length;
							const abort = new AbortController();
							aborts.push(abort);
							hows.push(each.how);
							peers[each.from].request(each.how, n, { timeoutMs: each.timeoutMs, signal: abort.signal }).then(
								(value) => {
									outcomes[n] = value === n * 2 ? 'answered' : `wrong answer ${value}`;
								},
								(error: { code: string; n?: number }) => {
									outcomes[n] = error.code === 'THROWN' && error.n !== n ? 'wrong error' : error.code;
								},
							);
							break;
						}
						case 'abort':
							aborts[each.which % aborts.length]?.abort();
							break;
						case 'answer': {
							const n = held[each.which % held.length];
							if (n === undefined) break;
							answers.get(n)?.();
							answered.add(n);
							break;
						}
						case 'advance':
							await clock.advance(each.ms);
							break;
						case 'deliver':
							await deliver(each.count);
							break;
						case 'kill':
							killed = true;
							ports[0].close();
							break;
						case 'close':
							oneClosed = true;
							peers[each.side].close();
							break;
					}
				}
				// What is still in flight arrives; then only unanswered calls and calls without a handler are pending.
				for (let last = -1; last !== undelivered.length || last > 0; ) {
					last = undelivered.length;
					await deliver(last);
				}
				const waiting = [...aborts.keys()].filter((n) => outcomes[n] === undefined);
				const excused = (n: number) => !killed && (oneClosed || (hows[n] === 'hold' && !answered.has(n)));
				expect(waiting.filter((n) => !excused(n))).toEqual([]);
				// In every case: when the peers close, nothing is left.
				peers.near.close();
				peers.far.close();
				await settled();
				const allowed = ['answered', 'THROWN', 'METHOD_NOT_FOUND', 'CALL_TIMEOUT', 'CALL_CANCELLED', 'CHANNEL_CLOSED'];
				expect(outcomes.length).toBe(aborts.length);
				for (const outcome of outcomes) expect(allowed).toContain(outcome);
				for (const count of runs.values()) expect(count).toBe(1);
				expect([peers.near.pendingCount, peers.far.pendingCount, clock.pendingTimers()]).toEqual([0, 0, 0]);
			}),
			{ numRuns: 200 },
		);
	});
});
