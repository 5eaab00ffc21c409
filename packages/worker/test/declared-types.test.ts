// A bot's own declarations reach every call, and our types stand without discord.js's.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const project = fileURLToPath(new URL('fixtures/declared-types/tsconfig.json', import.meta.url));
const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

it('a declared client and declared calls are known everywhere, and no type of ours needs discord.js', async () => {
	const check = promisify(execFile)(process.execPath, [tsc, '-p', project, '--listFiles']);
	const { stdout } = await check.catch((error: { stdout: string }) => ({ stdout: error.stdout }));
	expect(stdout.split('\n').filter((line) => line.includes('error TS'))).toEqual([]);
	expect(stdout).toContain('declared-types/bot.mts');
	expect(stdout).not.toContain('/discord.js/');
});
