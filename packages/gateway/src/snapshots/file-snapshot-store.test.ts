import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { FileSnapshotStore } from './file-snapshot-store.js';

it('writes whole files that only this user reads, over older ones, and leaves nothing else', async () => {
	const folder = join(tempDir(), 'deeper');
	const store = new FileSnapshotStore(folder);
	expect(await store.read('a')).toBeUndefined();
	await store.write('a', Buffer.from('one'));
	await store.write('a', Buffer.from('two'));
	expect(Buffer.from((await store.read('a')) as Uint8Array).toString()).toBe('two');
	await store.append('a', Buffer.from(' and three'));
	expect(Buffer.from((await store.read('a')) as Uint8Array).toString()).toBe('two and three');
	expect(readdirSync(folder)).toEqual(['a']);
	expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o600);
	await store.remove('a');
	await store.remove('a');
	expect(readdirSync(folder)).toEqual([]);
});

it('rejects where it cannot write', async () => {
	const file = join(tempDir(), 'a-file');
	writeFileSync(file, '');
	await expect(new FileSnapshotStore(file).write('a', Buffer.from('x'))).rejects.toThrow(/ENOTDIR|EEXIST/);
});
