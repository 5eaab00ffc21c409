import fc from 'fast-check';
import { expect, test } from 'vitest';
import { IdentifyGate } from './identify-gate.js';

test('a key is free again after exactly the window', () => {
	const gate = new IdentifyGate({ maxConcurrency: 2, windowMs: 5000 });
	gate.started(0, 100);
	expect(gate.judge(2, 5099.5)).toEqual({ allowed: false, key: 0, earlyByMs: 0.5 });
	expect(gate.judge(1, 100)).toEqual({ allowed: true });
	expect(gate.judge(2, 5100)).toEqual({ allowed: true });
});

test('never accepts two identifies of one key within the window, in any order', () => {
	fc.assert(
		fc.property(
			fc.integer({ min: 1, max: 5 }),
			fc.array(fc.tuple(fc.nat(20), fc.nat(8000)), { maxLength: 60 }),
			(maxConcurrency, tries) => {
				const gate = new IdentifyGate({ maxConcurrency, windowMs: 5000 });
				const last = new Map<number, number>();
				const gaps: number[] = [];
				let nowMs = 0;
				for (const [shardId, waitMs] of tries) {
					nowMs += waitMs;
					if (!gate.judge(shardId, nowMs).allowed) continue;
					gate.started(shardId, nowMs);
					gaps.push(nowMs - (last.get(shardId % maxConcurrency) ?? Number.NEGATIVE_INFINITY));
					last.set(shardId % maxConcurrency, nowMs);
				}
				expect(gaps.filter((gapMs) => gapMs < 5000)).toEqual([]);
			},
		),
	);
});

test('reports shards out of bucket order, and ignores a shard that identifies again', () => {
	const gate = new IdentifyGate({ maxConcurrency: 2, windowMs: 0 });
	const shards = [0, 3, 1, 2, 3, 0] as const;
	expect(shards.map((id) => gate.outOfOrder([id, 4]))).toEqual([[], [1], [], [], [], []]);
	gate.forgetOrder();
	expect(gate.outOfOrder([2, 4])).toEqual([0, 1]);
});

test('another max_concurrency frees every key', () => {
	const gate = new IdentifyGate({ maxConcurrency: 1, windowMs: 5000 });
	gate.started(0, 0);
	gate.maxConcurrency = 4;
	expect(gate.judge(0, 1).allowed).toBe(true);
});
