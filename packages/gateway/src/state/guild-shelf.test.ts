import { describe, expect, it } from 'vitest';
import { FrozenGuild } from './frozen-guild.js';
import { GuildRecord } from './guild-record.js';
import { GuildShelf } from './guild-shelf.js';

function shelfOf(count: number, limits = {}): GuildShelf {
	const shelf = new GuildShelf({ coldAfterMs: 1000, maxOpen: 100, freezeAtOnce: 100, ...limits });
	for (let index = 0; index < count; index++)
		shelf.put(`${index}`, new GuildRecord({ id: `${index}`, members: [{ user: { id: `u${index}` } }] }));
	return shelf;
}

function openIds(shelf: GuildShelf): string[] {
	return [...shelf.entries()].filter(([, content]) => content instanceof GuildRecord).map(([id]) => id);
}

const keepAll = () => {};

describe('freezing', () => {
	it('freezes guilds without any events first, then those untouched for long enough', () => {
		const shelf = shelfOf(3);
		shelf.freeze(0, keepAll);
		expect(openIds(shelf)).toEqual([]);
		shelf.open('1');
		shelf.freeze(999, keepAll);
		shelf.open('2');
		shelf.freeze(1000, keepAll);
		expect(openIds(shelf)).toEqual(['2']);
	});

	it('freezes the longest untouched when too many are open', () => {
		const shelf = shelfOf(3, { maxOpen: 2 });
		shelf.freeze(0, keepAll);
		for (const [at, id] of [
			[1, '2'],
			[2, '0'],
			[3, '1'],
			[4, '2'],
		] as const) {
			shelf.freeze(at, keepAll);
			shelf.open(id);
		}
		shelf.freeze(5, keepAll);
		expect(openIds(shelf)).toEqual(['1', '2']);
	});

	it('stops at the limit of one pass', () => {
		const shelf = shelfOf(5, { freezeAtOnce: 2 });
		expect([1, 2, 3, 4].map((now) => shelf.freeze(now, keepAll))).toEqual([2, 2, 1, 0]);
	});
});

describe('order', () => {
	it('moves a guild to the end when it is received again, because it has the newest users', () => {
		const shelf = shelfOf(3);
		shelf.put('0', new GuildRecord({ id: '0' }));
		expect([...shelf.ids()]).toEqual(['1', '2', '0']);
	});

	it('keeps its place while a guild is unavailable', () => {
		const shelf = shelfOf(2);
		shelf.setAway('0');
		expect([...shelf.entries()].map(([id, content]) => [id, content === undefined])).toEqual([
			['0', true],
			['1', false],
		]);
		expect(shelf.open('0')).toBeUndefined();
	});
});

describe('looking for a user', () => {
	it('opens only the frozen guilds that may hold a copy', () => {
		const shelf = shelfOf(3);
		shelf.freeze(0, keepAll);
		expect(Array.from(shelf.withUser('u1'), ({ id }) => id)).toEqual(['1']);
		expect(openIds(shelf)).toEqual(['1']);
	});

	it('opens no guild for an unknown user', () => {
		const shelf = shelfOf(3);
		expect([...shelf.withUser('unknown')]).toEqual([]);
	});

	it('includes guilds that were added frozen', () => {
		const shelf = shelfOf(0);
		shelf.put('9', FrozenGuild.of(new GuildRecord({ id: '9', members: [{ user: { id: 'u9' } }] }), 'plain'));
		expect(Array.from(shelf.withUser('u9'), ({ id }) => id)).toEqual(['9']);
	});
});
