import { EventEmitter } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WorkerAccess } from '../client-adapter.js';
import { gateIdentify } from './gated-identify.js';

class FakeShard extends EventEmitter {
	id = 4;
	ws: unknown = {};
	identifies = 0;
	identify(): void {
		this.identifies++;
	}
}

/** A gate that the test opens. */
function gate() {
	const waiting: { open(): void; signal: AbortSignal }[] = [];
	const identify: WorkerAccess['identify'] = {
		wait: (_, signal) =>
			new Promise((resolve, reject) => {
				waiting.push({ open: resolve, signal: signal as AbortSignal });
				signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
			}),
		confirm: () => {},
	};
	return { waiting, worker: { identify } as WorkerAccess };
}
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('gateIdentify', () => {
	it('lets the shard identify when its slot is granted, each time', async () => {
		const shard = new FakeShard();
		const { waiting, worker } = gate();
		gateIdentify(shard, worker);
		gateIdentify(shard, worker);
		for (const times of [1, 2]) {
			shard.identify();
			await settled();
			expect(shard.identifies).toBe(times - 1);
			waiting.at(-1)?.open();
			await settled();
			expect(shard.identifies).toBe(times);
		}
		expect(waiting).toHaveLength(2);
	});

	it('stops waiting when the connection closes, and when it asks again on the same one', async () => {
		const shard = new FakeShard();
		const { waiting, worker } = gate();
		gateIdentify(shard, worker);
		shard.identify();
		shard.emit('disconnect');
		expect(waiting[0]?.signal.aborted).toBe(true);
		shard.identify();
		shard.identify();
		expect(waiting[1]?.signal.aborted).toBe(true);
		waiting[2]?.open();
		await settled();
		expect(shard.identifies).toBe(1);
	});

	it('does not identify on another connection than the one that asked', async () => {
		const shard = new FakeShard();
		const { waiting, worker } = gate();
		gateIdentify(shard, worker);
		shard.identify();
		shard.ws = {};
		waiting[0]?.open();
		await settled();
		expect(shard.identifies).toBe(0);
	});
});
