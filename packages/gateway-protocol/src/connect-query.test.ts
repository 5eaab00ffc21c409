import { expect, test } from 'vitest';
import { readConnectQuery } from './connect-query.js';

test.each([
	['v=10&encoding=json', { version: 10, compression: 'none' }],
	['v=10&encoding=json&compress=zlib-stream', { version: 10, compression: 'zlib-stream' }],
	['v=9&compress=zstd-stream', { version: 9, compression: 'zstd-stream' }],
	['', { version: 6, compression: 'none' }],
	['v=10&compress=brotli', { version: 10, compression: 'none' }],
	['v=5', { httpStatus: 400 }],
	['v=99', { close: 4012 }],
	['v=ten', { close: 4012 }],
	['v=10&encoding=etf', { close: 4002 }],
])('?%s', (query, expected) => {
	expect(readConnectQuery(new URLSearchParams(query))).toMatchObject(expected);
});
