import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { bearerCheck, keptToken } from './bearer.js';

it.each([
	['Bearer right-token', true],
	['bearer   right-token ', true],
	['Bearer right-token-and-more', false],
	['Bearer right', false],
	['Bearer', false],
	['Bearer ', false],
	['right-token', false],
	['', false],
	[undefined, false],
])('accepts %j: %s', (header, admitted) => {
	expect(bearerCheck('right-token')(header)).toBe(admitted);
});

it('generates a token once and keeps it, for this user only', () => {
	const path = join(tempDir(), 'x.token');
	const token = keptToken(path);
	expect(token).toMatch(/^[\w-]{32}$/);
	expect(keptToken(path)).toBe(token);
	expect(statSync(path).mode & 0o777).toBe(0o600);
	writeFileSync(path, 'cut off');
	expect(keptToken(path)).not.toBe('cut off');
	expect(readFileSync(path, 'utf8').trim()).toBe(keptToken(path));
});
