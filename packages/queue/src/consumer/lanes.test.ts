import { expect, it } from 'vitest';
import type { Entry } from './entry.js';
import { Lanes } from './lanes.js';

const entry = (guildId: string | null, id: string, more: Partial<Entry> = {}): Entry => ({
	partition: 0,
	epoch: 1,
	id,
	type: 'MESSAGE_CREATE',
	session: 'a',
	seq: id,
	guildId,
	data: '{}',
	only: null,
	isDeferred: false,
	deliveries: 0,
	...more,
});

/** Lanes whose entries run until they are finished by name. */
function lanesUnderTest({ concurrency = 10 } = {}) {
	const running = new Map<string, () => void>();
	const begun: string[] = [];
	const gone: string[] = [];
	const gates = new Map<string, 'wait' | 'drop'>();
	const lanes = new Lanes({
		concurrency,
		gate: ({ id }) => gates.get(id) ?? 'run',
		isAlone: ({ deliveries }) => deliveries === 2,
		run: ({ id }) => {
			begun.push(id);
			return new Promise((resolve) => running.set(id, resolve));
		},
		onGone: ({ id }) => gone.push(id),
	});
	const finish = async (id: string) => {
		running.get(id)?.();
		running.delete(id);
		await new Promise((resolve) => setImmediate(resolve));
	};
	return { lanes, begun, gone, gates, finish };
}

it('runs guilds side by side, and the entries of one guild one after the other', async () => {
	const { lanes, begun, finish } = lanesUnderTest();
	lanes.push(entry('1', '1a'));
	lanes.push(entry('1', '1b'));
	lanes.push(entry('2', '2a'));
	lanes.push(entry(null, 'dm'));
	expect(begun).toEqual(['1a', '2a', 'dm']);
	await finish('1a');
	expect(begun).toEqual(['1a', '2a', 'dm', '1b']);
});

it('runs no more than allowed at the same time, and those that wait longest first', async () => {
	const { lanes, begun, finish } = lanesUnderTest({ concurrency: 2 });
	for (const guild of ['1', '2', '3', '4']) lanes.push(entry(guild, `${guild}a`));
	lanes.push(entry('1', '1b'));
	expect([begun, lanes.running]).toEqual([['1a', '2a'], 2]);
	await finish('1a');
	expect(begun).toEqual(['1a', '2a', '3a']);
	await finish('2a');
	await finish('3a');
	expect(begun).toEqual(['1a', '2a', '3a', '4a', '1b']);
});

it('lets members of a guild arrive while a handler of that guild waits for them', () => {
	const { lanes, begun } = lanesUnderTest();
	lanes.push(entry('1', '1a', { deliveries: 2 }));
	lanes.push(entry('1', 'chunk', { type: 'GUILD_MEMBERS_CHUNK' }));
	expect(begun).toEqual(['1a', 'chunk']);
});

it('lets the members arrive that a handler waits for where no more handlers may run', async () => {
	const { lanes, begun, finish } = lanesUnderTest({ concurrency: 1 });
	lanes.push(entry('1', '1a'));
	lanes.push(entry('2', '2a'));
	lanes.push(entry('1', 'chunk 1', { type: 'GUILD_MEMBERS_CHUNK' }));
	lanes.push(entry('1', 'chunk 2', { type: 'GUILD_MEMBERS_CHUNK' }));
	lanes.push(entry('3', 'sounds', { type: 'SOUNDBOARD_SOUNDS' }));
	expect(begun).toEqual(['1a', 'chunk 1']);
	await finish('chunk 1');
	expect(begun).toEqual(['1a', 'chunk 1', 'sounds']);
	await finish('sounds');
	expect(begun).toEqual(['1a', 'chunk 1', 'sounds', 'chunk 2']);
	await finish('1a');
	expect(begun).toEqual(['1a', 'chunk 1', 'sounds', 'chunk 2', '2a']);
});

it('runs a suspect with nothing beside it, and begins nothing before it', async () => {
	const { lanes, begun, finish } = lanesUnderTest();
	lanes.push(entry('1', '1a'));
	lanes.push(entry('2', 'suspect', { deliveries: 2 }));
	lanes.push(entry('3', '3a'));
	lanes.push(entry('4', 'second', { deliveries: 2 }));
	expect(begun).toEqual(['1a']);
	await finish('1a');
	expect(begun).toEqual(['1a', 'suspect']);
	lanes.push(entry('5', '5a'));
	await finish('suspect');
	expect(begun).toEqual(['1a', 'suspect', '3a']);
	await finish('3a');
	expect(begun).toEqual(['1a', 'suspect', '3a', 'second']);
	await finish('second');
	expect(begun).toEqual(['1a', 'suspect', '3a', 'second', '5a']);
});

it('keeps an entry back until it may run, in its place', async () => {
	const { lanes, begun, gates, finish } = lanesUnderTest();
	gates.set('1a', 'wait');
	lanes.push(entry('1', '1a'));
	lanes.push(entry('1', '1b'));
	expect(begun).toEqual([]);
	gates.clear();
	lanes.resume();
	await finish('1a');
	expect(begun).toEqual(['1a', '1b']);
});

it('drops what has not begun, and says so', async () => {
	const { lanes, begun, gone, gates, finish } = lanesUnderTest();
	gates.set('2a', 'drop');
	lanes.push(entry('1', '1a'));
	lanes.push(entry('1', '1b'));
	lanes.push(entry('2', '2a'));
	expect(gone).toEqual(['2a']);
	lanes.drop(() => true);
	expect(gone).toEqual(['2a', '1b']);
	await finish('1a');
	expect([begun, gone, lanes.running]).toEqual([['1a'], ['2a', '1b', '1a'], 0]);
});
