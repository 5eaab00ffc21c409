import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { SessionHydration } from './session-hydration.js';

const ready = { user: { id: '9' }, guilds: ['1', '2', '3'].map((id) => ({ id, unavailable: true })) };

function setup() {
	const clock = fakeClock();
	let completed = 0;
	const hydration = new SessionHydration({ ready, offset: 1, expectGuilds: true, clock, onComplete: () => completed++ });
	const guild = (id: string) => hydration.take({ t: 'GUILD_CREATE', d: { id, members: [{ user: { id: '9' } }] } });
	return { clock, hydration, guild, completed: () => completed };
}

it('is complete when every guild has arrived, and accepts no other events', async () => {
	const { clock, hydration, guild, completed } = setup();
	expect(hydration.take({ t: 'MESSAGE_CREATE', d: { guild_id: '1' } })).toBe(false);
	expect(['1', '2', '1', '4'].map(guild)).toEqual([true, true, false, false]);
	await clock.advance(1000);
	expect(completed()).toBe(0);
	expect(hydration.take({ t: 'GUILD_DELETE', d: { id: '3', unavailable: true } })).toBe(true);
	await clock.advance(0);
	expect([completed(), hydration.state.guildCount]).toEqual([1, 3]);
});

it('gives up on a guild that does not arrive', async () => {
	const { clock, guild, completed } = setup();
	guild('1');
	await clock.advance(4000);
	guild('2');
	await clock.advance(4000);
	expect(completed()).toBe(0);
	await clock.advance(1000);
	expect(completed()).toBe(1);
});

it('keeps guilds compressed from the start', () => {
	const { hydration, guild } = setup();
	for (const id of ['1', '2', '3']) guild(id);
	expect(hydration.state.openGuildCount).toBe(0);
});
