import { describe, expect, it } from 'vitest';
import { checkLimits } from './limits.js';
import { checkNode } from './machine.js';
import { checkToken } from './token.js';

it.each([
	['18.20.0', 'fail'],
	['20.18.9', 'fail'],
	['20.19.0', 'ok'],
	['22.1.0', 'ok'],
])('Node %s: %s', (version, status) => {
	expect(checkNode(version).status).toBe(status);
});

describe('a token', () => {
	it.each([
		['', 'fail'],
		['MTIzNDU2Nzg5MDEyMzQ1Njc4.abc.def', 'ok'],
		['"MTIzNDU2Nzg5MDEyMzQ1Njc4.abc.def"', 'fail'],
		['abc.def.ghi', 'warn'],
		['x'.repeat(32), 'warn'],
	])('%j: %s', (token, status) => {
		expect(checkToken(token).status).toBe(status);
	});

	it('is never printed', () => {
		expect(JSON.stringify(checkToken('secret.secret.secret'))).not.toContain('secret.');
	});
});

it('checks memory by shards and workers', () => {
	const status = (shards: number) =>
		checkLimits({ shards, shardsPerWorker: 1, cores: 2 }).find(({ check }) => check === 'memory')?.status;
	expect(status(1)).toBe('ok');
	expect(status(1_000_000)).toBe('warn');
	expect(checkLimits({ shards: undefined, shardsPerWorker: 1, cores: 2 })[0]?.status).toBe('skip');
});
