import { describe, expect, it, vi } from 'vitest';
import { Attachments } from './attachments.js';
import type { ClientAdapter } from './client-adapter.js';

const adapter = (parts: Partial<ClientAdapter<object>> = {}): ClientAdapter<object> => ({
	library: 'test',
	observe: () => {},
	sample: () => [],
	destroy: () => {},
	...parts,
});
const sampleOf = (shardId: number, guildCount: number) => ({ shardId, guildCount, userCount: 0, ping: null });

describe('Attachments', () => {
	it('keeps the first client as the current one, and attaches each client once', () => {
		const attachments = new Attachments();
		const first = {};
		expect(attachments.current).toBeUndefined();
		expect(attachments.add(first, adapter())).toBe(true);
		expect(attachments.add({}, adapter())).toBe(true);
		expect(attachments.add(first, adapter())).toBe(false);
		expect(attachments.current?.client).toBe(first);
	});

	it('makes the client that became ready last the current one, and samples it first', () => {
		const attachments = new Attachments();
		const [first, second] = [{}, {}];
		const sampling = (guildCount: number) => ({
			...adapter(),
			sample: () => [{ shardId: 0, guildCount, userCount: 0, ping: null }],
		});
		attachments.add(first, sampling(1));
		attachments.add(second, sampling(2));
		attachments.noteReady(first);
		expect(attachments.current?.client).toBe(first);
		attachments.noteReady(second);
		expect(attachments.current?.client).toBe(second);
		expect(attachments.sample()).toMatchObject([{ shardId: 0, guildCount: 2 }]);
		attachments.noteReady({});
		expect(attachments.current?.client).toBe(second);
	});

	it('recognises an attached client by its gateway manager', () => {
		const attachments = new Attachments();
		const manager = {};
		attachments.add({ gateway: manager }, adapter());
		attachments.add({ ws: { _ws: attachments } }, adapter());
		expect([attachments.has(manager), attachments.has(attachments), attachments.has({})]).toEqual([true, true, false]);
	});

	it('counts a shard once when two clients hold it, and ignores figures of a client that throws', () => {
		const attachments = new Attachments();
		attachments.add({}, adapter({ sample: () => [sampleOf(0, 5)] }));
		attachments.add(
			{},
			adapter({
				sample: () => {
					throw new Error('half built');
				},
			}),
		);
		attachments.add({}, adapter({ sample: () => [sampleOf(0, 9), sampleOf(1, 2)] }));
		expect(attachments.sample()).toEqual([sampleOf(0, 5), sampleOf(1, 2)]);
	});

	it('logs every client out, also when one fails', async () => {
		const complaint = vi.spyOn(console, 'error').mockReturnValue();
		const out: string[] = [];
		const attachments = new Attachments();
		attachments.add({}, adapter({ destroy: () => Promise.reject(new Error('socket gone')) }));
		attachments.add({}, adapter({ destroy: () => void out.push('second') }));
		await attachments.destroyAll();
		expect(out).toEqual(['second']);
		expect(complaint).toHaveBeenCalledWith('logging out failed: socket gone');
		complaint.mockRestore();
	});
});
