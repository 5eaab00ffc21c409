import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseRequestTarget } from './request-target.js';

describe('parseRequestTarget', () => {
	it.each([
		['/', '/', ''],
		['/?v=10&encoding=json', '/', 'v=10&encoding=json'],
		['/api/v10/channels/1/reactions/%F0%9F%91%8D/@me', '/api/v10/channels/1/reactions/%F0%9F%91%8D/@me', ''],
		['/a?b=c?d#e', '/a', 'b=c%3Fd'],
		['/a//b', '/a//b', ''],
	])('splits %s', (target, path, query) => {
		const parsed = parseRequestTarget(target);
		expect({ path: parsed?.path, query: parsed?.query.toString() }).toEqual({ path, query });
	});

	it.each([
		'',
		'//',
		'//evil.example/',
		'/\\evil',
		'//[',
		'*',
		'http://[',
		'http://evil.example/',
		'a',
		'?v=10',
		'/\u0000',
		'/ä',
		`/${'x'.repeat(8192)}`,
		undefined,
	])('returns undefined for %s', (target) => {
		expect(parseRequestTarget(target)).toBeUndefined();
	});

	it('never throws, and never returns a path that names a host', () => {
		fc.assert(
			fc.property(
				fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('/', '[', '?', '#', '%', ':', '@', '.', '\\', 'a') })),
				(text) => {
					const parsed = parseRequestTarget(text);
					expect(parsed?.path ?? '/').toMatch(/^\/($|[^/\\])/);
				},
			),
		);
	});
});
