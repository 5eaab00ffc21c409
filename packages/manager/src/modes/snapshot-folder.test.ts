import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { beforeEach, expect, it, vi } from 'vitest';
import { openSnapshotFolder } from './snapshot-folder.js';

beforeEach(() => {
	vi.stubEnv('SHARDCTL_STATE_DIR', tempDir());
	return () => vi.unstubAllEnvs();
});

it('leaves no empty folders behind (B13)', () => {
	const { path, release } = openSnapshotFolder({ name: 'bot', locked: true });
	mkdirSync(join(path, '0/1'), { recursive: true });
	mkdirSync(join(path, '1/1'), { recursive: true });
	release();
	expect(existsSync(path)).toBe(false);
	release();
});

it('keeps what the next gateway process can use', () => {
	const { path, release } = openSnapshotFolder({ name: 'bot', locked: true });
	mkdirSync(join(path, '0/1'), { recursive: true });
	mkdirSync(join(path, '1/1'), { recursive: true });
	writeFileSync(join(path, '1/1/shard-3'), '');
	release();
	expect([existsSync(join(path, '0')), existsSync(join(path, '1/1/shard-3'))]).toEqual([false, true]);
});

it('removes snapshots on request, and keeps the events that were set aside', () => {
	const { path, empty } = openSnapshotFolder({ name: 'bot', locked: true });
	empty();
	mkdirSync(join(path, '0/1'), { recursive: true });
	mkdirSync(join(path, '1/1'), { recursive: true });
	for (const file of ['0/1/shard-0', '1/1/shard-1', '1/1/poison-shard-1-7.json']) writeFileSync(join(path, file), '');
	empty();
	expect([existsSync(join(path, '0')), existsSync(join(path, '1/1/shard-1'))]).toEqual([false, false]);
	expect(existsSync(join(path, '1/1/poison-shard-1-7.json'))).toBe(true);
});

it('removes a temporary folder with everything in it', () => {
	const { path, release } = openSnapshotFolder({ name: 'bot', locked: false });
	writeFileSync(join(path, 'shard-0'), '');
	release();
	expect(existsSync(path)).toBe(false);
});
