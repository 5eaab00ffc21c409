import { describe, expect, it } from 'vitest';
import { FleetCalls } from './calls.js';

/** A manager that writes down what it is asked. */
function manager() {
	const asked: { method: string; params: unknown; options: unknown }[] = [];
	const calls = new FleetCalls({
		request: async (method, params, options) => {
			asked.push({ method, params, options });
			return undefined as never;
		},
	});
	return { asked, calls };
}
const noDeadline = { timeoutMs: Number.POSITIVE_INFINITY };

describe('FleetCalls', () => {
	it('sends the text of a script, its context, and the options apart', async () => {
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

	it('leaves the deadline to the manager, and waits a little longer for it', async () => {
		const { asked, calls } = manager();
		await calls.call('greet', ['you'], { timeoutMs: 100, guildId: '5' });
		expect(asked[0]).toEqual({
			method: 'call',
			params: { name: 'greet', args: ['you'], options: { timeoutMs: 100, guildId: '5' } },
			options: { timeoutMs: 5100 },
		});
	});

	it('cancels at the manager: the signal does not travel', async () => {
		const { asked, calls } = manager();
		const { signal } = new AbortController();
		await calls.fetchClientValues('size', { signal });
		expect(asked[0]).toEqual({
			method: 'fetchClientValues',
			params: { path: 'size', options: {} },
			options: { ...noDeadline, signal },
		});
	});

	it("takes a shard number in discord.js's place", async () => {
		const { asked, calls } = manager();
		await calls.fetchClientValues('size', 0);
		expect(asked[0]).toMatchObject({ params: { path: 'size', options: { shard: 0 } } });
	});

	it('refuses a script without a text before it asks', async () => {
		const { asked, calls } = manager();
		await expect(calls.broadcastEval(5 as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		await expect(calls.broadcastEval(Math.max as never)).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
		expect(asked).toEqual([]);
	});
});
