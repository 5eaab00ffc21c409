import { expect, it } from 'vitest';
import { GuildDrift } from './guild-drift.js';
import type { RawObject } from './raw.js';
import { ShardState } from './shard-state.js';

const guild = (id: string, changes: RawObject = {}): RawObject => ({
	id,
	name: 'guild',
	roles: [{ id: '1', name: 'everyone' }],
	channels: [{ id: '5', name: 'general', type: 0, last_message_id: '1' }],
	members: [],
	...changes,
});

function setup(...guilds: RawObject[]) {
	const followed = ShardState.fromReady({ user: { id: '9' } });
	for (const each of guilds) followed.apply({ t: 'GUILD_CREATE', d: structuredClone(each) });
	return { followed, drift: new GuildDrift(), guildOf: (id: string) => followed.guild(id) };
}

const never = () => false;

it('finds no difference where both sessions have led to the same, whatever depends on the moment', () => {
	const { followed, drift, guildOf } = setup(guild('1'), guild('2'));
	followed.apply({ t: 'GUILD_ROLE_UPDATE', d: { guild_id: '1', role: { id: '1', name: 'all' } } });
	drift.add(guild('1'));
	drift.add(guild('2', { channels: [{ type: 0, id: '5', name: 'general', last_message_id: '7' }], member_count: 8 }));
	drift.apply({ t: 'GUILD_ROLE_UPDATE', d: { guild_id: '1', role: { id: '1', name: 'all' } } });
	expect(drift.compare(guildOf, never)).toEqual({ compared: 2, drifted: [] });
});

it('says which parts of a guild differ, but for a guild of which one session has sent more', () => {
	const { drift, guildOf } = setup(guild('1'), guild('2'), guild('3'));
	drift.add(guild('1', { name: 'another', roles: [] }));
	drift.add(guild('2', { name: 'another' }));
	drift.add(guild('3', { unavailable: true }));
	expect(drift.compare(guildOf, (id) => id === '2')).toEqual({ compared: 1, drifted: ['guild 1: name, roles'] });
	drift.clear();
	expect(drift.compare(guildOf, never)).toEqual({ compared: 0, drifted: [] });
});

it('compares a sample of many guilds, and leaves out large ones', () => {
	const ids = Array.from({ length: 150 }, (_, index) => String(index + 1));
	const { drift, guildOf } = setup(...ids.map((id) => guild(id)));
	drift.add(guild('1', { roles: Array.from({ length: 600 }, (_, id) => ({ id: String(id) })) }));
	for (const id of ids.slice(1)) drift.add(guild(id));
	expect(drift.compare(guildOf, never)).toEqual({ compared: 100, drifted: [] });
});
