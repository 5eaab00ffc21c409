import { expect, it } from 'vitest';
import { checkQueueOptions } from './connect-options.js';

it('lists every problem of what a worker asks for', () => {
	expect(() => checkQueueOptions({ group: 'a b', events: [], intents: -1, concurrency: 0.5 })).toThrow(
		/group must be .*; events must list .*; intents must be .*; concurrency must be/,
	);
	expect(() => checkQueueOptions({ group: 'commands', events: ['messageCreate'] })).toThrow(/"messageCreate" is not/);
	expect(() => checkQueueOptions({ group: 'commands', events: ['MESSAGE_CREATE'], intents: 0, concurrency: 1 })).not.toThrow();
	expect(() => checkQueueOptions({ group: 'commands', events: ['MESSAGE_CREATE'], defer: true })).toThrow(
		/add INTERACTION_CREATE/,
	);
	for (const defer of [1, 'public', '', null])
		expect(() => checkQueueOptions({ group: 'a', events: ['A'], defer: defer as never })).toThrow(/defer must be true, false or/);
	expect(() => checkQueueOptions({ group: 'a', events: ['A'], defer: 'ephemeral' })).toThrow(/add INTERACTION_CREATE/);
	for (const defer of [true, false, 'ephemeral'] as const)
		expect(() => checkQueueOptions({ group: 'a', events: ['INTERACTION_CREATE'], defer })).not.toThrow();
});

it.each<[object, RegExp]>([
	[{ leaseMs: 500 }, /^leaseMs must be a whole number from 1000 to 120000$/],
	[{ leaseMs: '3s' }, /^leaseMs must be/],
	[{ url: 'ftp://redis' }, /^url must begin with redis:\/\/ or rediss:\/\/, got ftp:\/\/$/],
	[{ url: 6379 }, /^url must be the URL of a Redis/],
	[{ token: 7 }, /^token must be a text$/],
	[{ onMissed: 'log' }, /^onMissed must be a function$/],
	[{ onwarning: () => {} }, /^there is no option "onwarning"; did you mean "onWarning"\?$/],
	[{ events: ['A\n\u001B[2J'] }, /^"A\\n\\u001b\[2J" is not Discord's name/],
	[{ events: Array(501).fill('A') }, /^events has 501 names, more than Discord has events$/],
	[{ events: Array(9).fill('a') }, /; 4 more in events are not either$/],
	[{ group: `a\u0007` }, /^group must be a name/],
])('says what is wrong: %j', (wrong, message) => {
	const check = () => checkQueueOptions({ group: 'commands', events: ['MESSAGE_CREATE'], ...wrong } as never);
	expect(check).toThrow(message);
});

it.each([undefined, null, 'commands'])('asks for options in place of %j', (options) => {
	expect(() => checkQueueOptions(options as never)).toThrow(/the options must be an object/);
});
