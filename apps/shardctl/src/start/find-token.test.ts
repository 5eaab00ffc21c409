import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { findToken } from './find-token.js';

const tokenOf = (id: string) => `${Buffer.from(id).toString('base64url')}.GabcDE.${'x'.repeat(38)}`;
const token = tokenOf('123456789012345678');
const other = tokenOf('876543210987654321');
const jwt = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.eyJzdWI.${'x'.repeat(43)}`;

function search(files: Record<string, string>, { env = {}, execArgv = [] as string[], cwd = '.' } = {}) {
	const folder = tempDir();
	for (const [name, text] of Object.entries({ 'package.json': '{}', ...files })) {
		mkdirSync(dirname(join(folder, name)), { recursive: true });
		writeFileSync(join(folder, name), text);
	}
	return findToken({ cwd: join(folder, cwd), botFile: join(folder, 'src/bot.js'), execArgv, env });
}

it.each([
	['.env', `DISCORD_TOKEN=${token}`, '.env (DISCORD_TOKEN)'],
	['.env', `# DISCORD_TOKEN=${other}\nexport DISCORD_TOKEN = "${token}" # of the bot`, '.env (DISCORD_TOKEN)'],
	['.env', `CLIENT_ID=1\nBOT_TOKEN='${token}'`, '.env, line 2'],
	['.env.local', `TOKEN=Bot ${token}`, '.env.local, line 1'],
	['src/.env', `TOKEN=${token}`, 'src/.env, line 1'],
	['config.json', `{\n\t"prefix": "!",\n\t"bot": { "token": "${token}" }\n}`, 'config.json, line 3'],
	['config/default.yaml', `bot:\n  token: ${token}`, 'config/default.yaml, line 2'],
	['config.toml', `[bot]\ntoken = "${token}"`, 'config.toml, line 2'],
	['src/config.ts', `export const token = '${token}';`, 'src/config.ts, line 1'],
	['src/config/config.js', `// old: ${other}\nmodule.exports = { token: "${token}" };`, 'src/config/config.js, line 2'],
	['auth.json', `{"token":"${token}","session":"${jwt}"}`, 'auth.json, line 1'],
])('is found in %s: %s', (name, text, place) => {
	expect(search({ [name]: text })).toEqual({ token, place });
});

it('is the value of DISCORD_TOKEN in .env, in any format', () => {
	expect(search({ '.env': 'DISCORD_TOKEN=short' })).toEqual({ token: 'short', place: '.env (DISCORD_TOKEN)' });
});

it('is taken from the environment before .env, and from .env before a config file', () => {
	const files = { '.env': `TOKEN=${token}`, 'config.json': `{"token":"${other}"}` };
	expect(search(files)?.token).toBe(token);
	expect(search(files, { env: { BOT_TOKEN: other, NPM_TOKEN: 'npm_x' } })).toEqual({
		token: other,
		place: 'the variable BOT_TOKEN',
	});
});

it('is read from the file that the arguments for node name', () => {
	const files = { '.env': `TOKEN=${other}`, '.env.staging': `TOKEN=${token}` };
	expect(search(files, { execArgv: ['--env-file=.env.staging'] })).toEqual({ token, place: '.env.staging, line 1' });
	expect(search(files)?.token).toBe(other);
});

it('is found in the folder of the package, for any working directory', () => {
	expect(search({ '.env': `TOKEN=${token}`, 'src/x': '' }, { cwd: 'src' })).toEqual({ token, place: '../.env, line 1' });
});

it.each([
	['an example', { '.env.example': `TOKEN=${token}` }],
	['a placeholder', { '.env': 'TOKEN=your-token-here', 'config.json': '{"token":"MTxxx.xxxxxx.xxxxxxxxxxxxxxxxxxxxxxxxxxx"}' }],
	['a JWT', { 'config.json': `{"supabaseToken":"${jwt}"}` }],
	['a file of another kind', { 'notes.txt': token, 'package.json': `{"description":"${token}"}` }],
])('is not %s', (_, files: Record<string, string>) => {
	expect(search(files)).toBeUndefined();
});

it('is not guessed from several: the error names the places, and no value', () => {
	const find = () => search({ 'config.json': `{"token":"${token}",\n"canary":"${other}"}` });
	expect(find).toThrow(
		expect.objectContaining({
			code: 'TOKEN_MISSING',
			message: 'several different bot tokens: config.json, line 1, config.json, line 2. Set DISCORD_TOKEN, or use --token-file',
		}),
	);
	expect(search({ 'config.json': `{"token":"${token}",\n"same":"${token}"}` })?.token).toBe(token);
});
