import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { FileSnapshotStore } from './file-snapshot-store.js';

it('writes files that only this user can read, in the folder of their holder, and leaves no other files', async () => {
	const folder = join(tempDir(), 'deeper');
	const store = new FileSnapshotStore(folder);
	expect(await store.nextFence()).toBe('1');
	await store.write('a', Buffer.from('one'), '1');
	await store.write('a', Buffer.from('two'), '1');
	expect([readdirSync(folder), readdirSync(join(folder, '1'))]).toEqual([['1'], ['a']]);
	expect([statSync(join(folder, '1')).mode & 0o777, statSync(join(folder, '1', 'a')).mode & 0o777]).toEqual([0o700, 0o600]);
	await store.claim('2');
	expect([readdirSync(folder), readdirSync(join(folder, '2')), await store.nextFence()]).toEqual([['2'], ['a'], '3']);
});

it('reads fences as numbers, and ignores anything else', async () => {
	const folder = tempDir();
	const store = new FileSnapshotStore(folder);
	await store.claim('99');
	writeFileSync(join(folder, 'shard-0'), 'of an older version');
	writeFileSync(join(folder, 'notes.txt'), '');
	expect([await store.nextFence(), await store.formerFiles()]).toEqual(['100', ['shard-0']]);
});

it('rejects when it cannot write', async () => {
	const file = join(tempDir(), 'a-file');
	writeFileSync(file, '');
	await expect(new FileSnapshotStore(file).write('a', Buffer.from('x'), '1')).rejects.toThrow(/ENOTDIR|EEXIST/);
});

it('removes what is left of other generations of the same bot, and nothing else', async () => {
	const folder = tempDir();
	const store = new FileSnapshotStore(folder);
	const kept = ['1.g2.shard-0', '1.g2.shard-0.journal', '1.sessions.json', '2.g1.shard-0', 'poison-shard-0-7.json', '1.g1.notes'];
	const left = ['1.g0.shard-0', '1.g1.shard-12.worker.json', '1.g10.shard-3.journal'];
	for (const name of [...kept, ...left]) await store.write(name, Buffer.from(name), '4');
	await store.keepGeneration({ bot: '1', generation: 2 }, '4');
	expect(readdirSync(join(folder, '4')).sort()).toEqual(kept.sort());
	await new FileSnapshotStore(join(folder, 'none')).keepGeneration({ bot: '1', generation: 2 }, '1');
});

it('continues a file in a copy of what was read, where a former holder has it open still', async () => {
	const folder = tempDir();
	const former = new FileSnapshotStore(folder);
	await former.write('a', Buffer.from('one '), '1');
	const open = openSync(join(folder, '1', 'a'), 'a');
	const store = new FileSnapshotStore(folder);
	await store.claim('2');
	expect(String(await store.read('a'))).toBe('one ');
	writeSync(open, 'late ');
	await store.append('a', Buffer.from('two '), '2');
	writeSync(open, 'later ');
	closeSync(open);
	await store.append('a', Buffer.from('three'), '2');
	expect([readFileSync(join(folder, '2', 'a'), 'utf8'), readdirSync(join(folder, '2'))]).toEqual(['one two three', ['a']]);
});

it('does not continue a file that is shorter than it was when it was read', async () => {
	const folder = tempDir();
	const store = new FileSnapshotStore(folder);
	await store.write('a', Buffer.from('one'), '1');
	await store.read('a');
	writeFileSync(join(folder, '1', 'a'), '');
	await expect(store.append('a', Buffer.from('two'), '1')).rejects.toMatchObject({ code: 'SNAPSHOT_INVALID' });
});
