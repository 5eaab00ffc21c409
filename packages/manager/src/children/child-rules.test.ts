import { expect, it } from 'vitest';
import { heartbeatOf } from './child-rules.js';

it.each([
	[30_000, 5000],
	[900, 300],
	[Number.POSITIVE_INFINITY, 5000],
])('asks often enough that a silence of %d ms is three heartbeats or more', (timeoutMs, intervalMs) => {
	expect(heartbeatOf(timeoutMs)).toEqual({ intervalMs, timeoutMs });
});
