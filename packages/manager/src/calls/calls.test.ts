import { ShardctlError, scriptMissing } from '@shardctl/core';
import { decodeValue, encodeValue } from '@shardctl/rpc';
import { describe, expect, it } from 'vitest';
import type { CallWorker } from './call-worker.js';
import { Calls } from './calls.js';

/** What a worker receives, and its response. */
type Answer = (method: string, params: { script?: number; text?: object }) => unknown;

/** A fleet of workers that respond through a function, and the requests they got. */
function fleet(slices: number[][], answer: Answer = () => 1) {
	const asked: { worker: number; method: string; params: unknown; options: unknown }[] = [];
	const workers = slices.map(
		(shardIds, id): CallWorker => ({
			id,
			shardIds,
			label: `worker ${id}`,
			epoch: 1,
			ask: (method, sent, options, settle) => {
				const { wire, tagged } = encodeValue(sent);
				const params = decodeValue(structuredClone(wire), tagged) as Parameters<Answer>[1];
				asked.push({ worker: id, method, params, options });
				queueMicrotask(() => {
					try {
						settle.resolve(answer(method, params) as never);
					} catch (error) {
						settle.reject(error);
					}
				});
			},
		}),
	);
	return { calls: new Calls({ workers, totalShards: 8 }, 30_000), asked, workers };
}
const script = { kind: 'text' as const, source: '1' };

describe('Calls', () => {
	it('sends to every worker by default, or to the owner of a shard or a guild', async () => {
		const { calls, asked } = fleet([[0, 1], [2]]);
		expect(await calls.fetchClientValues('a')).toEqual([1, 1]);
		expect(await calls.fetchClientValues('a', { shard: 1 })).toEqual(1);
		// 2 << 22 belongs to shard 2.
		expect(await calls.fetchClientValues('a', { guildId: String(2 * 2 ** 22) })).toEqual(1);
		expect(asked.map(({ worker }) => worker)).toEqual([0, 1, 0, 1]);
	});

	it('gives every call a deadline: its own, or the default', async () => {
		const { calls, asked } = fleet([[0]]);
		const { signal } = new AbortController();
		await calls.call('a', [], {});
		await calls.call('a', [], { timeoutMs: 5, signal });
		expect(asked.map(({ options }) => options)).toEqual([{ timeoutMs: 30_000 }, { timeoutMs: 5, signal }]);
	});

	it('sends a source again to a worker that has dropped the script, and only then', async () => {
		let forgets = false;
		const { calls, asked } = fleet([[0]], (_, { script: id = 0, text }) => {
			if (forgets && !text) throw scriptMissing(id);
			return id;
		});
		expect(await calls.eval(script, undefined, {})).toEqual([1]);
		forgets = true;
		expect(await calls.eval(script, undefined, {})).toEqual([1]);
		expect(asked.map(({ params }) => params)).toEqual([{ script: 1, text: script }, { script: 1 }, { script: 1, text: script }]);
	});

	it('fails after repeated requests when a worker never stores a script', async () => {
		const { calls, asked } = fleet([[0]], (_, { script: id = 0 }) => {
			throw scriptMissing(id);
		});
		await expect(calls.eval(script, undefined, { shard: 0 })).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
		expect(asked).toHaveLength(1);
		await expect(calls.eval(script, undefined, { shard: 0 })).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
		expect(asked).toHaveLength(3);
	});

	it.each([
		[{ shard: 5 }, 'SHARD_NOT_OWNED', 'shard 5 is not run by this manager, which runs shards 0-2 of 8'],
		[{ guildId: String(5 * 2 ** 22) }, 'SHARD_NOT_OWNED', 'shard 5 is not run'],
		[{ guildId: 'x' }, 'OPTIONS_INVALID', 'guildId must be a Discord id as a string, got "x"'],
		[{ guildId: 5 as never }, 'OPTIONS_INVALID', 'got 5'],
		[{ shard: 1, guildId: '5' }, 'OPTIONS_INVALID', 'not both'],
		[{ shard: '1' } as object, 'SHARD_NOT_OWNED', 'shard must be a whole number from 0, got "1"'],
		[{ guildID: '5' } as object, 'OPTIONS_INVALID', 'did you mean "guildId"?'],
		[{ wholly: 'else' } as object, 'OPTIONS_INVALID', 'its options are shard, guildId, timeoutMs, settle, signal'],
	])('rejects %j, and sends no request', async (options, code, message) => {
		const { calls, asked } = fleet([[0, 1], [2]]);
		await expect(calls.call('a', [], options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
		expect(asked).toEqual([]);
	});

	it.each<[string, (calls: Calls, target: never) => Promise<unknown>]>([
		['broadcastEval', (calls, target) => calls.broadcastEval('1', target)],
		['fetchClientValues', (calls, target) => calls.fetchClientValues('a', target)],
		['call', (calls, target) => calls.call('a', [], target)],
	])('accepts a number for the shard in %s, and rejects every target that could mean all workers', async (_, act) => {
		const { calls, asked } = fleet([[0, 1], [2]]);
		await act(calls, 2 as never);
		expect(asked.map(({ worker }) => worker)).toEqual([1]);
		const targets = [3, null, '1', 1n, [1], { shard: '1' }, { shard: null }, { shard: 1n }, { guildId: null }, { guildId: 1n }];
		for (const target of targets) {
			await expect(act(calls, target as never)).rejects.toMatchObject({
				code: expect.stringMatching(/^(SHARD_NOT_OWNED|OPTIONS_INVALID)$/),
			});
		}
		expect(asked).toHaveLength(1);
	});

	it('rejects an invalid path, name or arguments', async () => {
		const { calls, asked } = fleet([[0]]);
		for (const wrong of [5, null, ['a']]) {
			await expect(calls.fetchClientValues(wrong as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
			await expect(calls.call(wrong as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		}
		await expect(calls.call('a', 'you' as never)).rejects.toThrow('the arguments of a handler must be an array, got "you"');
		expect(() => calls.ownerOf('0' as never)).toThrow('shardId must be a whole number from 0, got "0"');
		expect(asked).toEqual([]);
	});

	it('rejects a guild before the shards are planned', async () => {
		const calls = new Calls({ workers: [], totalShards: 0 }, 30_000);
		await expect(calls.call('a', [], { guildId: '5' })).rejects.toMatchObject({
			code: 'SHARD_NOT_OWNED',
			message: 'shard 0 is not run by this manager, which runs none yet',
		});
	});

	it('sends to workers of this manager and of another machine, each through its own channel', async () => {
		const { calls, asked, workers } = fleet([[0], [1]]);
		let connected = true;
		const frames: string[] = [];
		// Its channel carries bytes, it responds late, and it can be gone.
		const remote: CallWorker = {
			id: 0,
			shardIds: [2, 3],
			label: 'worker 0 of node b (shards 2-3)',
			epoch: 7,
			ask: (method, params, _, settle) => {
				if (!connected) return settle.reject(new ShardctlError('WORKER_UNAVAILABLE', 'node b is gone'));
				const { wire, tagged } = encodeValue(params);
				frames.push(JSON.stringify({ method, wire, tagged }));
				setImmediate(() => settle.resolve('from node b' as never));
			},
		};
		workers.push(remote);
		expect(await calls.broadcastEval('1')).toEqual([1, 1, 'from node b']);
		expect(await calls.broadcastEval('1', { guildId: String(3 * 2 ** 22) })).toBe('from node b');
		expect(calls.ownerOf(3)).toBe(remote);
		// The source is sent once to each, although two of them have the same id.
		expect(asked.map(({ worker }) => worker)).toEqual([0, 1]);
		expect(frames.map((frame) => frame.includes('source'))).toEqual([true, false]);
		connected = false;
		expect(await calls.fetchClientValues('a', { settle: true })).toMatchObject([
			{ status: 'fulfilled' },
			{ status: 'fulfilled' },
			{ status: 'rejected', reason: { code: 'WORKER_UNAVAILABLE' }, workerId: 0, shardIds: [2, 3] },
		]);
	});

	it('reports every outcome on the error when some fail, or as the result with settle', async () => {
		let turn = 0;
		const { calls } = fleet([[0], [1]], () => {
			if (turn++ % 2) throw new Error('no');
			return 5;
		});
		const outcomes = [
			{ status: 'fulfilled', value: 5, workerId: 0, shardIds: [0] },
			{ status: 'rejected', reason: new Error('no'), workerId: 1, shardIds: [1] },
		];
		expect(await calls.call('a', [], { settle: true })).toEqual(outcomes);
		await expect(calls.call('a', [], {})).rejects.toMatchObject({ code: 'BROADCAST_FAILED', details: { outcomes } });
	});
});
