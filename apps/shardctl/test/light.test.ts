// What makes the short commands answer at once: they load little. The time itself depends on the machine, this does not.
import { fileURLToPath } from 'node:url';
import { cliSandbox } from '@shardctl/test-support';
import { expect, it } from 'vitest';

const bin = fileURLToPath(new URL('../bin/shardctl.js', import.meta.url));
const tellImports = fileURLToPath(new URL('fixtures/tell-imports.mjs', import.meta.url));

async function importsOf(...args: string[]): Promise<string[]> {
	const run = cliSandbox().run(args, { command: [process.execPath, '--import', tellImports, bin] });
	await run.exit;
	const urls = [...run.stderr().matchAll(/^imports (file:.*)$/gm)].map(([, url]) => url as string);
	expect(urls.some((url) => url.endsWith('/dist/cli.js'))).toBe(true);
	return urls;
}

const heavy = /node_modules\/(zod|pino|jiti|log-update|discord\.js|@clack)\/|packages\/(supervisor|rpc|worker|simulator)\//;

it.each(['--help', '--version', 'stats', 'stats --json', 'list', 'where 1'])(
	'shardctl %s loads no library that it does not need',
	async (line) => {
		expect((await importsOf(...line.split(' '))).filter((url) => heavy.test(url))).toEqual([]);
	},
);

it('a command that was named loads no other', async () => {
	const commands = (await importsOf('stop')).filter((url) => url.includes('/dist/commands/'));
	expect(commands.map((url) => url.split('/').at(-1))).toEqual(['stop.js']);
});
