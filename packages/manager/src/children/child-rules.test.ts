import { expect, it } from 'vitest';
import { heartbeatOf } from './child-rules.js';

it.each([
	[30_000, 5000],
	[900, 300],
	[Number.POSITIVE_INFINITY, 5000],
])('sends at least three heartbeats in a timeout of %d ms', (timeoutMs, intervalMs) => {
	expect(heartbeatOf(timeoutMs)).toEqual({ intervalMs, timeoutMs });
});
