import { expect, it } from 'vitest';
import { FrozenGuild } from './frozen-guild.js';
import { GuildRecord } from './guild-record.js';
import { userHash } from './user-ids.js';

function guild(): GuildRecord {
	const record = new GuildRecord({
		id: '1',
		name: 'café\n☕',
		members: [{ user: { id: '2', username: 'a' } }],
		threads: [{ id: '3' }],
	});
	record.threadMembers.set('3', new Map([['2', { user_id: '2', flags: 1 }]]));
	return record;
}

it.each(['plain', 'deflate'] as const)('thaws to the original guild (%s)', (codec) => {
	const frozen = FrozenGuild.of(guild(), codec);
	expect(frozen.thaw()).toEqual(guild());
	expect(JSON.parse(frozen.text().create)).toEqual(guild().toCreate());
});

it('reports which users it may hold a copy of', () => {
	const frozen = FrozenGuild.of(guild(), 'deflate');
	expect(frozen.mayHoldUser(userHash('2'))).toBe(true);
	expect(frozen.mayHoldUser(userHash('3'))).toBe(false);
});

it('is much smaller than its text', () => {
	const record = guild();
	for (let index = 0; index < 100; index++)
		record.roles.set(`${index}`, { id: `${index}`, name: 'role', permissions: '0', managed: false });
	expect(FrozenGuild.of(record, 'deflate').bytes).toBeLessThan(FrozenGuild.of(record, 'plain').bytes / 3);
});
