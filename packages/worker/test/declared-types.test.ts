// A bot's own declarations apply to every call, and our types work without discord.js's.
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const tsc = join(dirname(createRequire(import.meta.url).resolve('typescript/package.json')), 'bin', 'tsc');

/** The compiler's errors about a project of fixtures/, and the files that it read. */
async function check(project: string): Promise<{ problems: string[]; files: string }> {
	const config = fileURLToPath(new URL(`fixtures/${project}/tsconfig.json`, import.meta.url));
	const run = promisify(execFile)(process.execPath, [tsc, '-p', config, '--listFiles']);
	const { stdout } = await run.catch((error: { stdout: string }) => ({ stdout: error.stdout }));
	return { problems: stdout.split('\n').filter((line) => line.includes('error TS')), files: stdout };
}

it('a declared client and declared calls apply everywhere, and none of our types needs discord.js', async () => {
	const { problems, files } = await check('declared-types');
	expect(problems).toEqual([]);
	expect(files).toContain('declared-types/bot.mts');
	expect(files).not.toContain('/discord.js/');
});

it("client.shard of discord.js's types has our additions", async () => {
	const { problems, files } = await check('discord-js-types');
	expect(problems).toEqual([]);
	expect(files).toContain('discord-js-types/bot.mts');
});
