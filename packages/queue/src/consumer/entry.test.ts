import { expect, it } from 'vitest';
import { addedAt, entryOf } from './entry.js';

const place = { partition: 3, epoch: 7, deliveries: 0 };

it('reads an entry as a writer writes it', () => {
	const fields = ['e', '5 MESSAGE_CREATE 9 abc 42', 'd', '{"a":1}'];
	const expected = {
		...place,
		id: '1700-0',
		type: 'MESSAGE_CREATE',
		session: 'abc',
		seq: '9',
		guildId: '42',
		data: '{"a":1}',
		only: null,
		isDeferred: false,
	};
	expect(entryOf(['1700-0', fields], place)).toEqual(expected);
	expect(entryOf(['1700-0', [...fields, 'only', 'commands']], place)).toEqual({ ...expected, only: 'commands' });
});

it('reads an event of no guild, and one with fields that it does not know', () => {
	expect(entryOf(['1-0', ['e', '5 X 9 abc', 'd', '1', 'later', 'x']], place)).toMatchObject({
		guildId: null,
		data: '1',
		only: null,
	});
	expect(entryOf(['1-0', ['e', '5 X 9 abc ', 'd', '1']], place)).toMatchObject({ guildId: null });
	expect(entryOf(['1-0', []], place)).toMatchObject({ type: '', data: 'null', guildId: null });
});

it('reads that an interaction is deferred, also one of no guild', () => {
	const inGuild = entryOf(['1-0', ['e', '5 INTERACTION_CREATE 9 abc 42 defer', 'd', '1']], place);
	expect(inGuild).toMatchObject({ guildId: '42', isDeferred: true });
	const direct = entryOf(['1-0', ['e', '5 INTERACTION_CREATE 9 abc  defer', 'd', '1']], place);
	expect(direct).toMatchObject({ session: 'abc', guildId: null, isDeferred: true });
});

it('knows when Redis received it', () => {
	expect(addedAt({ id: '1700000000123-4' })).toBe(1_700_000_000_123);
});
