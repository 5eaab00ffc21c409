import { describe, expect, test } from 'vitest';
import { WorkerPaths } from './worker-path.js';

describe('without a secret', () => {
	const paths = new WorkerPaths(undefined);

	test("parses a path it made, with a library's query", () => {
		expect(paths.parse(paths.of(3))).toEqual({ incarnation: 3, rest: '' });
		expect(paths.parse('/worker/12/?v=10&encoding=json')).toEqual({ incarnation: 12, rest: '/?v=10&encoding=json' });
		expect(paths.parse('/worker/12?v=10')).toEqual({ incarnation: 12, rest: '?v=10' });
		expect(paths.parse('/worker/3/v10/users/@me')).toEqual({ incarnation: 3, rest: '/v10/users/@me' });
	});

	test.each(['/', '/worker/', '/worker/x', '/worker/3x', '/worker/-1', '/workers/3', '/worker/1234567890123456'])(
		'rejects %s',
		(path) => {
			expect(paths.parse(path)).toBeNull();
		},
	);
});

describe('with a secret', () => {
	const paths = new WorkerPaths('secret');

	test("parses a path it made, with a library's query", () => {
		const path = paths.of(3);
		expect(path).toMatch(/^\/worker\/3\/[\w-]{22}$/);
		expect(paths.parse(path)).toEqual({ incarnation: 3, rest: '' });
		expect(paths.parse(`${path}/?v=10`)).toEqual({ incarnation: 3, rest: '/?v=10' });
		expect(paths.parse(`${path}?v=10`)).toEqual({ incarnation: 3, rest: '?v=10' });
		expect(paths.parse(`${path}/api/v10/users/@me`)).toEqual({ incarnation: 3, rest: '/api/v10/users/@me' });
	});

	test.each([
		['no key', '/worker/3'],
		['the start of one', paths.of(3).slice(0, -1)],
		['one with a suffix', `${paths.of(3)}x`],
		['that of another process', paths.of(4).replace('/4/', '/3/')],
		['that of another fleet', new WorkerPaths('other').of(3)],
		['one of other bytes', `/worker/3/${'ä'.repeat(22)}`],
	])('rejects a path with %s', (_, path) => {
		expect(paths.parse(path)).toBeNull();
	});
});
