import { execFileSync } from 'node:child_process';
import { lstatSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
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

it.runIf(process.platform !== 'win32')('reads no pipe and follows no link, but generates a token', () => {
	const dir = tempDir();
	const [pipe, link, elsewhere] = [join(dir, 'pipe.token'), join(dir, 'link.token'), join(dir, 'elsewhere')];
	execFileSync('mkfifo', ['-m', '600', pipe]);
	writeFileSync(elsewhere, 'x'.repeat(40), { mode: 0o600 });
	symlinkSync(elsewhere, link);
	for (const path of [pipe, link]) {
		expect(keptToken(path)).toMatch(/^[\w-]{32}$/);
		expect(lstatSync(path).isFile()).toBe(true);
	}
	expect(readFileSync(elsewhere, 'utf8')).toBe('x'.repeat(40));
});
