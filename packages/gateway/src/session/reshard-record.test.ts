import { expect, it } from 'vitest';
import type { HeldSnapshots } from '../snapshots/held-snapshots.js';
import { type ReplacingSession, ReshardRecord } from './reshard-record.js';

function setup() {
	const files = new Map<string, Uint8Array>();
	const world = { isFull: false };
	const store = {
		read: async (name: string) => files.get(name),
		write: async (name: string, data: Uint8Array) => {
			await new Promise((resolve) => setImmediate(resolve));
			if (world.isFull) throw new Error('the disk is full');
			files.set(name, data);
		},
		remove: async (name: string) => {
			if (world.isFull) throw new Error('the disk is full');
			files.delete(name);
		},
	} as unknown as HeldSnapshots;
	const open = async (shardIds = [0, 1, 2, 3, 4, 5, 6, 7]) => {
		const record = new ReshardRecord({ bot: 'bot', layout: { generation: 0, totalShards: 8 }, shardIds, store });
		await record.read();
		return record;
	};
	return { open, world, files };
}

const replacing = (id: number, of: number): ReplacingSession => ({
	id,
	of,
	session: { sessionId: `${id} of ${of}`, resumeUrl: 'ws://x' } as unknown as ReplacingSession['session'],
	base: 100,
	shards: Array.from({ length: 8 / of }, (_, n) => ({ id: id + n * of, through: 100, skip: [], replaced: 'before' })),
});

it('has every group that was replaced at the same time as another', async () => {
	const { open } = setup();
	const record = await open();
	await Promise.all([0, 1].map((group) => record.add([replacing(group, 4), replacing(group + 2, 4)])));
	const next = await open();
	for (const each of [record, next]) {
		expect(Array.from({ length: 8 }, (_, id) => each.sessionsOf(id))).toEqual(Array(8).fill(4));
	}
	await Promise.all([next.add([replacing(0, 2)]), next.add([replacing(1, 2)])]);
	const last = await open();
	expect(Array.from({ length: 8 }, (_, id) => last.sessionsOf(id))).toEqual(Array(8).fill(2));
	expect(last.continued(5, 'before')).toMatchObject({ session: { sessionId: '1 of 2' }, base: 100, through: 100 });
});

it('keeps what it had where a group cannot be written down', async () => {
	const { open, world } = setup();
	const record = await open();
	await record.add([replacing(0, 4), replacing(2, 4)]);
	world.isFull = true;
	await expect(record.add([replacing(1, 4), replacing(3, 4)])).rejects.toThrow('the disk is full');
	world.isFull = false;
	expect(record.sessionsOf(1)).toBeUndefined();
	await record.add([replacing(1, 4), replacing(3, 4)]);
	expect((await open()).sessionsOf(1)).toBe(4);
});

it('takes no notice of what a process of other shards has written, as in a cluster that was started with another session count', async () => {
	const { open } = setup();
	await (await open()).add([replacing(0, 4)]);
	expect((await open()).sessionsOf(0)).toBe(4);
	expect((await open([0, 4])).sessionsOf(0)).toBeUndefined();
});

it('can be written down once more after the store has lost it', async () => {
	const { open, files } = setup();
	const record = await open();
	await record.writeAgain();
	expect(files.size).toBe(0);
	await record.add([replacing(0, 4)]);
	files.clear();
	await record.writeAgain();
	expect((await open()).sessionsOf(0)).toBe(4);
});

it('takes back what was just written down, and brings back what was replaced', async () => {
	const { open } = setup();
	const record = await open();
	const [first, second] = [[replacing(0, 4), replacing(2, 4)], [replacing(0, 2)]];
	await record.add(first);
	await record.add([replacing(1, 4), replacing(3, 4)]);
	await record.add(second);
	await record.undo(second);
	for (const each of [record, await open()]) {
		expect(Array.from({ length: 8 }, (_, id) => each.sessionsOf(id))).toEqual(Array(8).fill(4));
	}
	await record.add(second);
	expect((await open()).sessionsOf(2)).toBe(2);
	const fresh = setup();
	const empty = await fresh.open();
	await empty.add(first);
	await empty.undo(first);
	expect((await fresh.open()).sessionsOf(0)).toBeUndefined();
});

const otherShards = { layout: { generation: 1, totalShards: 16 }, shardIds: Array.from({ length: 16 }, (_, id) => id) };

it('removes what was written of shards of another count, after what is being written', async () => {
	const { open, files } = setup();
	const record = await open();
	const added = record.add([replacing(0, 4)]);
	record.begin(otherShards);
	await added;
	await record.remove();
	expect(files.size).toBe(0);
});

it('removes at the end what could not be removed when the shard count changed, or what an earlier process left', async () => {
	const { open, world, files } = setup();
	const record = await open();
	await record.add([replacing(0, 4)]);
	world.isFull = true;
	record.begin(otherShards);
	await expect(record.remove()).rejects.toThrow('the disk is full');
	world.isFull = false;
	expect(files.size).toBe(1);
	await record.remove();
	expect(files.size).toBe(0);
	await (await open()).add([replacing(0, 4)]);
	const next = await open();
	next.begin(otherShards);
	await next.read();
	await next.remove();
	expect(files.size).toBe(0);
});

it('keeps what was written of its shards when it is tidied, and removes what is of others', async () => {
	const { open, files } = setup();
	await (await open()).add([replacing(0, 4)]);
	await (await open()).tidy();
	expect((await open()).sessionsOf(0)).toBe(4);
	const [[name, data]] = [...files] as [[string, Uint8Array]];
	files.set(name, Buffer.from(JSON.stringify({ ...JSON.parse(String(data)), generation: 1 })));
	await (await open()).tidy();
	expect(files.size).toBe(0);
});

it('does not remove what a process of other shards has written', async () => {
	const { open, files } = setup();
	await (await open()).add([replacing(0, 4)]);
	await (await open([0, 4])).remove();
	expect(files.size).toBe(1);
});
