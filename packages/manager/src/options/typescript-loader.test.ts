import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { typeScriptLoader } from './typescript-loader.js';

/** A bot's folder with the given modules installed, by their path below node_modules. */
function botFolder(modules: readonly string[], manifest: object = {}): string {
	const folder = tempDir();
	writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest));
	for (const module of modules) {
		const path = join(folder, 'node_modules', module);
		mkdirSync(dirname(path), { recursive: true });
		writeFileSync(path, '');
	}
	return folder;
}

const tsx = ['tsx/cjs.js', 'tsx/esm.js'];
const tsNode = ['ts-node/register/transpile-only.js', 'ts-node/esm/transpile-only.js'];
const swc = ['@swc-node/register/index.js', '@swc-node/register/esm/esm-register.mjs'];
const found = (folder: string, file = 'bot.ts', { execArgv = [] as string[], nodeOptions = '', stripsTypes = false } = {}) =>
	typeScriptLoader(join(folder, file), { execArgv, nodeOptions, stripsTypes });

it('prefers tsx, then ts-node, then swc', () => {
	expect(found(botFolder([...tsx, ...tsNode, ...swc]))?.name).toBe('tsx');
	expect(found(botFolder([...tsNode, ...swc]))?.name).toBe('ts-node');
	expect(found(botFolder(swc))?.name).toBe('@swc-node/register');
	expect(found(botFolder([]))).toBeUndefined();
});

it('loads the bot file as its kind of module', () => {
	const folder = botFolder(tsNode);
	const esm = ['--loader', pathToFileURL(join(folder, 'node_modules', 'ts-node/esm/transpile-only.js')).href];
	const commonjs = ['--require', join(folder, 'node_modules', 'ts-node/register/transpile-only.js')];
	expect(found(folder)?.execArgv).toEqual(commonjs);
	expect(found(folder, 'bot.mts')?.execArgv).toEqual(esm);
	writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
	expect(found(folder)?.execArgv).toEqual(esm);
	expect(found(folder, 'bot.cts')?.execArgv).toEqual(commonjs);
	const besideImport = typeScriptLoader(join(folder, 'bot.cts'), { execArgv: [], besideImport: true, stripsTypes: false });
	expect(besideImport?.execArgv).toEqual([...commonjs, ...esm]);
});

it("loads both halves of tsx, as tsx's own command does", () => {
	const folder = botFolder(tsx);
	const esm = pathToFileURL(join(folder, 'node_modules', 'tsx/esm.js')).href;
	const halves = ['--require', join(folder, 'node_modules', 'tsx/cjs.js'), '--import', esm];
	expect(found(folder)?.execArgv).toEqual(halves);
	expect(found(folder, 'bot.mts')?.execArgv).toEqual(halves);
});

it.each([
	[{ execArgv: ['--import', 'jiti/register'] }],
	[{ execArgv: ['--require=./loader.cjs'] }],
	[{ execArgv: ['--experimental-strip-types'] }],
	[{ nodeOptions: '--enable-source-maps -r ts-node/register' }],
])('leaves %j unchanged', (given) => {
	expect(found(botFolder(tsx), 'bot.ts', given)).toBeUndefined();
});

it('applies to TypeScript only', () => {
	expect(found(botFolder(tsx), 'bot.js')).toBeUndefined();
	expect(found(botFolder(tsx), 'bot.ts', { execArgv: ['--max-old-space-size=512'] })?.name).toBe('tsx');
});

it('is tsx for a bot that lists it, also when Node strips types', () => {
	const stripsTypes = true;
	expect(found(botFolder([...tsx, ...tsNode]), 'bot.ts', { stripsTypes })).toBeUndefined();
	expect(found(botFolder(tsx, { devDependencies: { tsx: '*' } }), 'bot.ts', { stripsTypes })?.name).toBe('tsx');
	expect(found(botFolder(tsNode, { devDependencies: { 'ts-node': '*' } }), 'bot.ts', { stripsTypes })).toBeUndefined();
	expect(found(botFolder(tsNode), 'bot.tsx', { stripsTypes })?.name).toBe('ts-node');
});
