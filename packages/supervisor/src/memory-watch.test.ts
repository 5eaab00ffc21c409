import { describe, expect, it } from 'vitest';
import { MemoryWatch } from './memory-watch.js';

describe('MemoryWatch', () => {
	it('warns once on the way up, and reports every sample above the limit', () => {
		const watch = new MemoryWatch(100);
		expect([50, 89, 90, 95, 100, 101, 102].map((rss) => watch.judge(rss))).toEqual([
			'fine',
			'fine',
			'near',
			'fine',
			'fine',
			'over',
			'over',
		]);
	});

	it('warns again only after a significant fall', () => {
		const watch = new MemoryWatch(100);
		expect([92, 85, 92, 79, 92].map((rss) => watch.judge(rss))).toEqual(['near', 'fine', 'fine', 'fine', 'near']);
	});

	it.each([0, Number.POSITIVE_INFINITY])('has no limit at %s', (limit) => {
		expect(new MemoryWatch(limit).judge(Number.MAX_SAFE_INTEGER)).toBe('fine');
	});
});
