import { describe, expect, it, vi } from 'vitest';
import { IdentifyGate } from './identify-gate.js';

function setup(shardIds: number[]) {
	const reported: string[] = [];
	const asked: number[] = [];
	const gate = new IdentifyGate(
		{
			acquire: async (shardId) => {
				asked.push(shardId);
				return { slotId: 7 };
			},
			report: (event, slotId) => reported.push(`${event} ${slotId}`),
		},
		shardIds,
	);
	return { gate, reported, asked };
}

describe('IdentifyGate', () => {
	it('waits for a slot of one of its shards, and reports the result', async () => {
		const { gate, reported, asked } = setup([2, 3]);
		await gate.wait(3);
		await new Promise(setImmediate);
		gate.confirm(3);
		expect({ asked, reported }).toEqual({ asked: [3], reported: ['sent 7', 'confirmed 7'] });
	});

	it('never lets through a shard that the worker does not own', async () => {
		const complaint = vi.spyOn(console, 'error').mockReturnValue();
		const { gate, asked } = setup([0, 1]);
		const abort = new AbortController();
		const settled = vi.fn<() => void>();
		const waiting = gate.wait(5, abort.signal);
		waiting.then(settled, settled);
		await new Promise(setImmediate);
		expect(settled).not.toHaveBeenCalled();
		expect(asked).toEqual([]);
		expect(complaint).toHaveBeenCalledWith('shard 5 may not identify: this worker has only 0, 1');
		abort.abort(new Error('the connection closed'));
		await expect(waiting).rejects.toThrow('the connection closed');
		complaint.mockRestore();
	});

	it("waits for the prerequisite of the process's first IDENTIFY, once", async () => {
		const asked: number[] = [];
		let quiet = () => {};
		let times = 0;
		const beforeFirst = () => {
			times++;
			return new Promise<void>((resolve) => {
				quiet = resolve;
			});
		};
		const link = { acquire: async (shardId: number) => ({ slotId: asked.push(shardId) }), report: () => {} };
		const gate = new IdentifyGate(link, [2, 3], beforeFirst);
		const [second, third] = [gate.wait(2), gate.wait(3)];
		await new Promise(setImmediate);
		expect(asked).toEqual([]);
		quiet();
		await Promise.all([second, third]);
		await gate.wait(2);
		expect({ asked, times }).toEqual({ asked: [2, 3, 2], times: 1 });
	});
});
