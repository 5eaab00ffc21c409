// What every snapshot store must do. Run on each implementation: on files, in memory, and later on stores that machines share.

import type { SnapshotStore } from '@shardctl/core';
import { describe, expect, it } from 'vitest';

const fenced = { code: 'FENCED' };

/** @param open opens the store of one process; all that it returns for one test share their content */
export function describeSnapshotStore(name: string, make: () => () => SnapshotStore): void {
	const text = async (store: SnapshotStore, name: string) => {
		const data = await store.read(name);
		return data && Buffer.from(data).toString();
	};
	const bytes = (content: string) => Buffer.from(content);

	describe(`${name} as a snapshot store`, () => {
		it('reads what was written last, whole or in pieces, and undefined when nothing was', async () => {
			const store = make()();
			expect(await store.read('a')).toBeUndefined();
			await store.write('a', bytes('one'), '1');
			await store.write('a', [bytes('two'), bytes(' and '), bytes('three')], '1');
			await store.write('b', bytes(''), '1');
			expect([await text(store, 'a'), await text(store, 'b'), await text(store, 'c')]).toEqual(['two and three', '', undefined]);
		});

		it('appends, also to a missing file, and removes, also a missing one', async () => {
			const store = make()();
			await store.append('a', bytes('one'), '1');
			await store.append('a', bytes(', two'), '1');
			expect(await text(store, 'a')).toBe('one, two');
			await store.remove('a', '1');
			await store.remove('a', '1');
			expect(await store.read('a')).toBeUndefined();
		});

		it('keeps what earlier holders saved, and returns it to every process', async () => {
			const open = make();
			await open().write('a', bytes('first'), '1');
			const second = open();
			await second.claim('2');
			expect(await text(second, 'a')).toBe('first');
			await second.append('a', bytes(', second'), '2');
			expect(await text(open(), 'a')).toBe('first, second');
		});

		it('rejects every change of a holder that another has replaced, at once', async () => {
			const open = make();
			const old = open();
			await old.claim('9');
			await old.write('a', bytes('old'), '9');
			// 10 is above 9, though not in the alphabet.
			await open().claim('10');
			await expect(old.write('a', bytes('late'), '9')).rejects.toMatchObject(fenced);
			await expect(old.append('a', bytes('late'), '9')).rejects.toMatchObject(fenced);
			await expect(old.append('b', bytes('late'), '9')).rejects.toMatchObject(fenced);
			await expect(old.remove('a', '9')).rejects.toMatchObject(fenced);
			await expect(old.remove('b', '9')).rejects.toMatchObject(fenced);
			await expect(old.claim('9')).rejects.toMatchObject(fenced);
			expect([await text(open(), 'a'), await open().read('b')]).toEqual(['old', undefined]);
		});

		it('treats a write with a newer fence as a claim', async () => {
			const open = make();
			const old = open();
			await old.write('a', bytes('old'), '3');
			await open().write('a', bytes('new'), '12');
			await expect(old.write('a', bytes('late'), '3')).rejects.toMatchObject(fenced);
			expect(await text(old, 'a')).toBe('new');
		});

		it('allows the same holder to claim again, and the newest of several concurrent claims to write', async () => {
			const open = make();
			await open().claim('5');
			await open().claim('5');
			const fences = ['6', '7', '8', '9'];
			await Promise.allSettled(fences.map((fence) => open().claim(fence)));
			await open().write('a', bytes('newest'), '9');
			await expect(open().write('a', bytes('late'), '8')).rejects.toMatchObject(fenced);
			expect(await text(open(), 'a')).toBe('newest');
		});
	});
}
