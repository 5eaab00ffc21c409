import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { ShardState } from '../state/shard-state.js';
import { ShardSaver } from './shard-saver.js';
import { decodeSnapshot } from './shard-snapshot.js';

function setup() {
	const clock = fakeClock();
	const files = new Map<string, Uint8Array>();
	const disk = { full: false, writes: 0 };
	const shard = { cursor: 10 };
	const problems: string[] = [];
	const saver = new ShardSaver({
		shardId: 3,
		clock,
		store: {
			read: async (name) => files.get(name),
			async write(name, data) {
				disk.writes++;
				if (disk.full) throw new Error('ENOSPC');
				files.set(name, data);
			},
			remove: async (name) => void files.delete(name),
		},
		snapshot: () => ({
			shardId: 3,
			totalShards: 4,
			session: { sessionId: 's', resumeUrl: 'u', terms: { intents: 1, largeThreshold: null, presence: null } },
			seq: shard.cursor,
			cursor: shard.cursor,
			botId: '9',
			state: ShardState.fromReady({ user: { id: '9' }, guilds: [] }),
		}),
		worker: () => null,
		onFailed: (message) => problems.push(message),
	});
	const saved = () => {
		const data = files.get('shard-3');
		return data && decodeSnapshot(data).cursor;
	};
	return { clock, disk, shard, problems, saver, saved, files };
}

it('saves at once, then when enough has happened or enough time has passed', async () => {
	const { clock, shard, saver, saved } = setup();
	await clock.advance(300);
	expect(saved()).toBe(10);
	shard.cursor = 500;
	await clock.advance(1000);
	expect(saved()).toBe(10);
	shard.cursor = 1500;
	await clock.advance(300);
	expect(saved()).toBe(1500);
	shard.cursor = 1501;
	await clock.advance(16_000);
	expect(saved()).toBe(1501);
	saver.stop();
});

it('writes nothing while nothing happens', async () => {
	const { clock, disk, saver } = setup();
	await clock.advance(500);
	const { writes } = disk;
	await clock.advance(60_000);
	expect(disk.writes).toBe(writes);
	saver.stop();
});

it('tells of a full disk once, and saves when there is room again', async () => {
	const { clock, disk, problems, saver, saved } = setup();
	disk.full = true;
	await clock.advance(5000);
	expect([problems, saved()]).toEqual([['ENOSPC'], undefined]);
	disk.full = false;
	await clock.advance(500);
	expect(saved()).toBe(10);
	saver.stop();
});

it('leaves nothing behind when the session is over', async () => {
	const { saver, files } = setup();
	await saver.saveNow();
	expect(files.size).toBeGreaterThan(0);
	await saver.remove();
	expect(files.size).toBe(0);
});
