import { decodeValue, encodeValue, type Settle } from '@shardctl/rpc';
import { describe, expect, it } from 'vitest';
import { type CallFleet, Calls } from './calls.js';

/** What arrives at a worker, and what it answers. */
type Answer = (method: string, params: { script?: { id: number; source?: string } }) => unknown;

/** A fleet of workers that answer by a function, and the requests that they got. */
function fleet(slices: number[][], answer: Answer = () => ({ value: 1 })) {
	const asked: { worker: number; method: string; params: unknown; options: unknown }[] = [];
	const workers = slices.map((shardIds, id) => ({
		id,
		shardIds,
		label: `worker ${id}`,
		child: { epoch: 1 },
		ask: (method: string, sent: unknown, options: unknown, settle: Settle<unknown>) => {
			const { wire, tagged } = encodeValue(sent);
			const params = decodeValue(structuredClone(wire), tagged) as Parameters<Answer>[1];
			asked.push({ worker: id, method, params, options });
			queueMicrotask(() => {
				try {
					settle.resolve(answer(method, params));
				} catch (error) {
					settle.reject(error);
				}
			});
		},
	}));
	return { calls: new Calls({ workers, totalShards: 8 } as unknown as CallFleet, 30_000), asked };
}
const script = { kind: 'text' as const, source: '1' };

describe('Calls', () => {
	it('sends to every worker by default, and to the owner of a shard or a guild', async () => {
		const { calls, asked } = fleet([[0, 1], [2]]);
		expect(await calls.fetchClientValues('a', {})).toEqual([{ value: 1 }, { value: 1 }]);
		expect(await calls.fetchClientValues('a', { shard: 1 })).toEqual({ value: 1 });
		// 2 << 22 belongs to shard 2.
		expect(await calls.fetchClientValues('a', { guildId: String(2 * 2 ** 22) })).toEqual({ value: 1 });
		expect(asked.map(({ worker }) => worker)).toEqual([0, 1, 0, 1]);
	});

	it('gives every call a deadline: its own, or the default', async () => {
		const { calls, asked } = fleet([[0]]);
		const { signal } = new AbortController();
		await calls.call('a', [], {});
		await calls.call('a', [], { timeoutMs: 5, signal });
		expect(asked.map(({ options }) => options)).toEqual([{ timeoutMs: 30_000 }, { timeoutMs: 5, signal }]);
	});

	it('sends a source again to a worker that has let the script go, and only then', async () => {
		let forgets = false;
		const { calls, asked } = fleet([[0]], (_, { script: sent }) => {
			if (forgets && sent?.source === undefined) return { scriptMissing: true };
			return { value: sent?.id };
		});
		expect(await calls.eval(script, undefined, {})).toEqual([1]);
		forgets = true;
		expect(await calls.eval(script, undefined, {})).toEqual([1]);
		expect(asked.map(({ params }) => (params as { script: object }).script)).toEqual([
			{ id: 1, kind: 'text', source: '1' },
			{ id: 1, kind: 'text' },
			{ id: 1, kind: 'text', source: '1' },
		]);
	});

	it('does not ask for ever when a worker never takes a script', async () => {
		const { calls, asked } = fleet([[0]], () => ({ scriptMissing: true }));
		await expect(calls.eval(script, undefined, { shard: 0 })).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
		expect(asked).toHaveLength(1);
		await expect(calls.eval(script, undefined, { shard: 0 })).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
		expect(asked).toHaveLength(3);
	});

	it.each([
		[{ shard: 5 }, 'SHARD_NOT_OWNED', 'shard 5 is not run by this manager, which has shards 0-2 of 8'],
		[{ guildId: String(5 * 2 ** 22) }, 'SHARD_NOT_OWNED', 'shard 5 is not run'],
		[{ guildId: 'x' }, 'OPTIONS_INVALID', 'guildId must be a Discord id as a string, got "x"'],
		[{ guildId: 5 as never }, 'OPTIONS_INVALID', 'got 5'],
		[{ shard: 1, guildId: '5' }, 'OPTIONS_INVALID', 'not both'],
		[{ guildID: '5' } as object, 'OPTIONS_INVALID', 'did you mean "guildId"?'],
		[{ wholly: 'else' } as object, 'OPTIONS_INVALID', 'there are shard, guildId, timeoutMs, settle, signal'],
	])('refuses %j, and asks nobody', async (options, code, message) => {
		const { calls, asked } = fleet([[0, 1], [2]]);
		await expect(calls.call('a', [], options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
		expect(asked).toEqual([]);
	});

	it('tells every outcome on the error when some fail, or as the answer with settle', async () => {
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
