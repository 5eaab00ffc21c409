import { expect, it } from 'vitest';
import { Latencies } from './latencies.js';

it('has percentiles of the last thousand, and none before the first', () => {
	const latencies = new Latencies();
	expect(latencies.percentile(0.5)).toBeNull();
	for (let ms = 1; ms <= 100; ms++) latencies.add(ms);
	expect([latencies.percentile(0.5), latencies.percentile(0.99), latencies.percentile(1)]).toEqual([50, 99, 100]);
	for (let n = 0; n < 1000; n++) latencies.add(7);
	expect(latencies.percentile(1)).toBe(7);
});
