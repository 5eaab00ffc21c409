import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { onModuleLoad } from './module-loads.js';

function write(dir: string, file: string, source: string): string {
	const path = join(dir, file);
	mkdirSync(dirname(path), { recursive: true });
	writeFileSync(path, source);
	return path;
}

// Imports, and every loader, are tested in test/compat/loaders.test.ts with real processes.
it('calls back for every wanted module that is required, once, after it was evaluated', () => {
	const dir = tempDir();
	const bot = write(dir, 'bot.cjs', '');
	const wanted = ['node_modules/library/main.js', 'inner/main.js'].map((file) =>
		write(dir, file, 'exports.version = __filename;'),
	);
	const text = write(dir, 'text/main.js', 'module.exports = "text";');
	const other = write(dir, 'other.js', '');
	const loaded: unknown[] = [];
	onModuleLoad({ commonjs: (file) => file.endsWith('main.js'), esm: () => undefined }, (exports) => {
		loaded.push((exports as { version: string }).version);
	});
	const require = createRequire(bot);
	for (const file of [other, ...wanted, text, ...wanted]) require(file);
	expect(loaded).toEqual(wanted);
});
