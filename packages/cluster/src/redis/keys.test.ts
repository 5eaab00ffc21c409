import { expect, it } from 'vitest';
import { clusterKeys } from './keys.js';

it('begin with the application, so that one access rule covers them, and differ from each other', () => {
	const { snapshots, snapshotData, inbox, ...fixed } = clusterKeys('123');
	const all = [...Object.values(fixed), snapshots('session-1'), snapshotData('session-1'), inbox('a')];
	for (const key of all) expect(key).toMatch(/^shardctl:123:/);
	expect(new Set(all).size).toBe(all.length);
	expect(snapshots('session-1')).not.toBe(snapshots('session-11'));
});
