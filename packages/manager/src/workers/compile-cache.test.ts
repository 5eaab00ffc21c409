import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { compileCacheEnvironment } from './compile-cache.js';

function emptyFolder(): string {
	const folder = mkdtempSync(join(tmpdir(), 'shardctl-cache-'));
	onTestFinished(() => rmSync(folder, { recursive: true }));
	return folder;
}

it.each(['22.1.0', '22.23.3', '24.21.0'])('is a folder in the state folder with node %s', (version) => {
	const stateDir = emptyFolder();
	expect(compileCacheEnvironment({ SHARDCTL_STATE_DIR: stateDir }, version)).toEqual({
		NODE_COMPILE_CACHE: join(stateDir, 'compile-cache'),
	});
});

it.each(['20.19.0', '20.20.0', '22.0.0'])('is disabled with node %s, which has none', (version) => {
	expect(compileCacheEnvironment({ SHARDCTL_STATE_DIR: emptyFolder() }, version)).toEqual({});
});

it.each(['/elsewhere', ''])('keeps the value set by the user, "%s"', (chosen) => {
	expect(compileCacheEnvironment({ SHARDCTL_STATE_DIR: emptyFolder(), NODE_COMPILE_CACHE: chosen }, '24.21.0')).toEqual({});
});

it('is disabled when no state folder can be used', () => {
	const file = join(emptyFolder(), 'file');
	writeFileSync(file, '');
	expect(compileCacheEnvironment({ SHARDCTL_STATE_DIR: join(file, 'below') }, '24.21.0')).toEqual({});
});
