import { expect, test } from 'vitest';
import { parseWorkerPath, workerPath } from './worker-path.js';

test('a path that was made is parsed back, with what a library appends', () => {
	expect(parseWorkerPath(workerPath(3))).toEqual({ incarnation: 3, rest: '' });
	expect(parseWorkerPath('/worker/12/?v=10&encoding=json')).toEqual({ incarnation: 12, rest: '/?v=10&encoding=json' });
	expect(parseWorkerPath('/worker/12?v=10')).toEqual({ incarnation: 12, rest: '?v=10' });
	expect(parseWorkerPath('/worker/3/v10/users/@me')).toEqual({ incarnation: 3, rest: '/v10/users/@me' });
});

test.each(['/', '/worker/', '/worker/x', '/worker/3x', '/worker/-1', '/workers/3', '/worker/1234567890123456'])(
	'%s has none',
	(path) => {
		expect(parseWorkerPath(path)).toBeNull();
	},
);
