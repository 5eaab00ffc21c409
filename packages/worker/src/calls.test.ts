import { describe, expect, it } from 'vitest';
import { WorkerCalls } from './calls.js';

/** A manager that records its requests. */
function manager() {
	const asked: { method: string; params: unknown; options: unknown }[] = [];
	const calls = new WorkerCalls({
		request: async (method, params, options) => {
			asked.push({ method, params, options });
			return undefined as never;
		},
	});
	return { asked, calls };
}
const noDeadline = { timeoutMs: Number.POSITIVE_INFINITY };

describe('WorkerCalls', () => {
	it('sends the text of a script, its context, and the options separately', async () => {
		const { asked, calls } = manager();
		await calls.broadcastEval((_, n: number) => n, { context: 5, shard: 2, settle: true });
		await calls.broadcastEval('client.size');
		expect(asked).toEqual([
			{
				method: 'broadcastEval',
				params: { kind: 'function', source: '(_, n) => n', context: 5, options: { shard: 2, settle: true } },
				options: noDeadline,
			},
			{
				method: 'broadcastEval',
				params: { kind: 'text', source: 'client.size', context: undefined, options: {} },
				options: noDeadline,
			},
		]);
	});

	it('leaves the deadline to the manager, and waits a little longer than that', async () => {
		const { asked, calls } = manager();
		await calls.call('greet', ['you'], { timeoutMs: 100, guildId: '5' });
		expect(asked[0]).toEqual({
			method: 'call',
			params: { name: 'greet', args: ['you'], options: { timeoutMs: 100, guildId: '5' } },
			options: { timeoutMs: 5100 },
		});
	});

	it('cancels at the manager: the signal is not sent', async () => {
		const { asked, calls } = manager();
		const { signal } = new AbortController();
		await calls.fetchClientValues('size', { signal });
		expect(asked[0]).toEqual({
			method: 'fetchClientValues',
			params: { path: 'size', options: {} },
			options: { ...noDeadline, signal },
		});
	});

	it('accepts a shard number in the same position as discord.js', async () => {
		const { asked, calls } = manager();
		await calls.fetchClientValues('size', 0);
		expect(asked[0]).toMatchObject({ params: { path: 'size', options: { shard: 0 } } });
	});

	it("accepts a number for the shard in every call, as discord.js's first versions did", async () => {
		const { asked, calls } = manager();
		await calls.broadcastEval('size', 1);
		await calls.call('greet', ['you'], 1);
		expect(asked).toMatchObject([
			{ method: 'broadcastEval', params: { source: 'size', options: { shard: 1 } } },
			{ method: 'call', params: { name: 'greet', options: { shard: 1 } } },
		]);
	});

	it('waits without a deadline when the call has none', async () => {
		const { asked, calls } = manager();
		await calls.fetchClientValues('size', { timeoutMs: 0 });
		await calls.fetchClientValues('size', { timeoutMs: Number.POSITIVE_INFINITY });
		expect(asked.map(({ options }) => options)).toEqual([noDeadline, noDeadline]);
	});

	it.each<[string, (calls: WorkerCalls) => Promise<unknown>, string]>([
		['broadcastEval', (calls) => calls.broadcastEval('1', { shard: '1' } as object), 'SHARD_NOT_OWNED'],
		['broadcastEval', (calls) => calls.broadcastEval('1', null as never), 'OPTIONS_INVALID'],
		['fetchClientValues', (calls) => calls.fetchClientValues('size', '1' as never), 'OPTIONS_INVALID'],
		['fetchClientValues', (calls) => calls.fetchClientValues('size', { guildId: 5n } as object), 'OPTIONS_INVALID'],
		['call', (calls) => calls.call('greet', [], { shard: null } as object), 'SHARD_NOT_OWNED'],
		['call', (calls) => calls.call('greet', [], 1n as never), 'OPTIONS_INVALID'],
		['respawnShard', (calls) => calls.respawnShard('1' as never), 'SHARD_NOT_OWNED'],
		['respawnAll', (calls) => calls.respawnAll(5000 as never), 'OPTIONS_INVALID'],
		['getShardStats', (calls) => calls.getShardStats(null as never), 'OPTIONS_INVALID'],
	])('rejects an invalid target or option of %s before it sends', async (_, act, code) => {
		const { asked, calls } = manager();
		await expect(act(calls)).rejects.toMatchObject({ code });
		expect(asked).toEqual([]);
	});

	it('rejects a script without a text before it sends', async () => {
		const { asked, calls } = manager();
		await expect(calls.broadcastEval(5 as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		await expect(calls.broadcastEval(Math.max as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		expect(asked).toEqual([]);
	});
});
