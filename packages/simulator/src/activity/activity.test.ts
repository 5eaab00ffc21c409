import { fakeClock } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { commandData } from '../world/changes/interactions.js';
import type { WorldEvent } from '../world/model.js';
import { randomStream } from '../world/random.js';
import { World } from '../world/world.js';
import { Activity, defaultMix } from './activity.js';
import { eventKindNames } from './event-kinds.js';

function life({ guilds = 10 } = {}) {
	const clock = fakeClock();
	const events: WorldEvent[] = [];
	const world = new World({
		seed: 1,
		guilds,
		guildSizes: { min: 20, max: 500, tail: 1.1 },
		population: 5000,
		clock,
		applicationFlags: 0,
		botPermissions: '8',
		onEvent: (event) => events.push(event),
	});
	world.commands.set('1', { id: '1', name: 'ping' });
	return { clock, events, world, activity: new Activity({ world, random: randomStream(1) }) };
}

test('emits the requested number of events, and none after the stop', async () => {
	const { clock, activity } = life();
	activity.start(130);
	await clock.advance(10_000);
	expect(activity.happened).toBeGreaterThanOrEqual(1297);
	expect(activity.happened).toBeLessThanOrEqual(1300);
	activity.stop();
	expect([clock.pendingTimers(), activity.eventsPerSecond]).toEqual([0, 0]);
});

test('supports less than one event a second', async () => {
	const { clock, activity } = life();
	activity.start(0.5);
	await clock.advance(10_000);
	expect(activity.happened).toBe(5);
	activity.stop();
});

test('does not catch up without limit after a stall', async () => {
	const { clock, activity } = life();
	activity.start(1000);
	await clock.advance(20);
	const before = activity.happened;
	const realNow = clock.monotonic;
	clock.monotonic = () => realNow() + 60_000;
	await clock.advance(20);
	expect(activity.happened - before).toBeLessThanOrEqual(2020);
	activity.stop();
});

test('the same seed emits the same events', async () => {
	const emitted = async () => {
		const { clock, events, activity } = life();
		activity.start(200, { ...defaultMix, command: 0 });
		await clock.advance(5000);
		activity.stop();
		return events.map(({ type, guildId, data }) => [type, guildId, data]);
	};
	const [one, two] = [await emitted(), await emitted()];
	expect(one.length).toBeGreaterThan(900);
	expect(one).toEqual(two);
});

test.each(eventKindNames)('emits %s', (kind) => {
	const { events, activity } = life();
	for (let n = 0; n < 200; n++) activity.once(kind);
	expect(events.length).toBeGreaterThan(100);
});

test('the default mix has many kinds of events, commands included', () => {
	const { events, activity } = life();
	for (let n = 0; n < 3000; n++) activity.once();
	const types = new Set(events.map(({ type }) => type));
	for (const type of [
		'MESSAGE_CREATE',
		'TYPING_START',
		'MESSAGE_REACTION_ADD',
		'VOICE_STATE_UPDATE',
		'GUILD_MEMBER_ADD',
		'INTERACTION_CREATE',
		'THREAD_CREATE',
	]) {
		expect(types).toContain(type);
	}
});

test('emits nothing in a world without guilds or commands, without an error', () => {
	const { events, world, activity } = life({ guilds: 0 });
	world.commands.clear();
	for (const kind of eventKindNames) activity.once(kind);
	expect(events).toEqual([]);
	expect(commandData({ id: '1', name: 'x' })).toEqual({ id: '1', name: 'x', type: 1, options: [] });
});
