// The seeded world: deterministic, created on access, and found again by id.
import { fakeClock } from '@shardctl/test-support';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WorldEvent } from './model.js';
import { World } from './world.js';

function world({ seed = 1, guilds = 30 } = {}) {
	const events: WorldEvent[] = [];
	const one = new World({
		seed,
		guilds,
		guildSizes: { min: 5, max: 5000, tail: 1.1 },
		population: 10_000,
		clock: fakeClock(),
		applicationFlags: 0,
		botPermissions: '8',
		onEvent: (event) => events.push(event),
	});
	return Object.assign(one, { events });
}

const dump = (one: World) =>
	[...one.guilds.ids()].map((id) => one.guilds.read(id)?.toGuildCreate({ everyone: true, largeThreshold: 50 }));

test('the same seed creates the same world, another seed another', () => {
	expect(dump(world())).toEqual(dump(world()));
	expect(dump(world())).not.toEqual(dump(world({ seed: 2 })));
});

test('all ids of the world are different, and lead to their guild', () => {
	const one = world();
	const ids: string[] = [];
	for (const id of one.guilds.ids()) {
		const guild = one.guilds.read(id);
		ids.push(id, ...[...(guild?.roles.keys() ?? [])].slice(1));
		for (const channelId of guild?.channels.keys() ?? []) {
			ids.push(channelId);
			expect(one.guildIdOfChannel(channelId)).toBe(id);
		}
	}
	expect(new Set(ids).size).toBe(ids.length);
});

test('guilds spread evenly over any number of shards', () => {
	const one = world({ guilds: 1000 });
	for (const count of [2, 3, 7, 16, 100]) {
		const sizes = Array.from({ length: count }, (_, id) => one.guilds.countOn({ id, count }));
		expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
		expect(sizes).toEqual(sizes.map((_, id) => [...one.guilds.ids({ id, count })].length));
	}
});

test('most guilds are small, a few are large', () => {
	const one = world({ guilds: 2000 });
	const sizes = Array.from({ length: 2000 }, (_, n) => one.plan.memberCountOf(n)).sort((a, b) => a - b);
	expect(sizes[0]).toBeGreaterThanOrEqual(5);
	expect(sizes[1000]).toBeLessThan(20);
	expect(sizes.at(-1)).toBeGreaterThan(1000);
});

test('any user of the population is found by id, and no other', () => {
	const one = world();
	fc.assert(
		fc.property(fc.nat(9999), (index) => {
			const { id } = one.population.user(index);
			expect(one.population.indexOf(id)).toBe(index);
			expect(one.population.indexOf(String(BigInt(id) + 1n))).toBeUndefined();
		}),
	);
	for (const id of ['', 'x', '1', '-1', '99999999999999999999999']) expect(one.user(id)).toBeUndefined();
});

test('the members of a guild match its count, each once, and each found by id', () => {
	const one = world();
	for (const id of one.guilds.ids()) {
		const guild = one.guilds.read(id);
		const members = [...(guild?.members.all() ?? [])];
		expect(members).toHaveLength((guild?.memberCount ?? 0) - 1);
		expect(new Set(members.map(({ user }) => user.id)).size).toBe(members.length);
		expect(members.every(({ user }) => guild?.member(user.id)?.user.username === user.username)).toBe(true);
	}
});

test('joining, leaving and rejoining keep the member count right', () => {
	const one = world();
	const guild = one.guilds.edit([...one.guilds.ids()][0] as string);
	const members = guild?.members;
	const count = members?.count ?? 0;
	const first = members?.stretchMember(0);
	const stranger = { user: { id: '7', username: 'x' }, nick: null, roles: [], joined_at: '' };
	members?.set(stranger);
	members?.set(stranger);
	expect(members?.count).toBe(count + 1);
	expect(members?.delete(first?.user.id ?? '')).toBe(true);
	expect(members?.delete(first?.user.id ?? '')).toBe(false);
	expect([members?.count, members?.get(first?.user.id ?? ''), [...(members?.all() ?? [])].length]).toEqual([
		count,
		undefined,
		count,
	]);
	if (first) members?.set(first);
	expect(members?.count).toBe(count + 1);
});

test('a changed guild is kept, one that was only read is created again', () => {
	const one = world({ guilds: 2000 });
	const [first] = [...one.guilds.ids()] as [string];
	const edited = one.guilds.edit(first);
	if (edited) edited.fields.name = 'Changed';
	for (const id of one.guilds.ids()) one.guilds.read(id);
	expect(one.guilds.read(first)?.fields.name).toBe('Changed');
});

test('reports the ids of added and removed guilds', () => {
	const one = world({ guilds: 3 });
	const before = [...one.guilds.ids()];
	const { added, removed } = one.guilds.resize(5);
	expect([added.length, removed, one.guilds.count]).toEqual([2, [], 5]);
	expect(one.guilds.resize(2)).toEqual({ added: [], removed: [before[2], ...added] });
	expect([...one.guilds.ids()]).toEqual(before.slice(0, 2));
	expect(one.guilds.remove(before[0] as string)).toBe(true);
	expect([one.guilds.has(before[0] as string), one.guilds.count, one.guilds.remove('1')]).toEqual([false, 1, false]);
});
