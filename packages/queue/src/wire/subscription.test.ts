import { expect, it } from 'vitest';
import { checkSubscription, decodeSubscription, encodeSubscription } from './subscription.js';

it('has one text for the same subscription', () => {
	const text = encodeSubscription({ events: ['B', 'A', 'B'], intents: null });
	expect(text).toBe('{"events":["A","B"],"intents":null}');
	expect(decodeSubscription(text)).toEqual({ events: ['A', 'B'], intents: null });
	expect(encodeSubscription({ events: ['A', 'B'], intents: null })).toBe(text);
});

it('has nothing of deferring in its text where that is not asked for, so that it is the same to every version', () => {
	expect(encodeSubscription({ events: ['A'], intents: null, defer: false })).toBe('{"events":["A"],"intents":null}');
	const text = encodeSubscription({ events: ['INTERACTION_CREATE'], intents: null, defer: true });
	expect(text).toBe('{"events":["INTERACTION_CREATE"],"intents":null,"defer":true}');
	expect(decodeSubscription(text)).toEqual({ events: ['INTERACTION_CREATE'], intents: null, defer: true });
	expect(decodeSubscription('{"events":[],"defer":1}')).toEqual({ events: [], intents: null });
});

it.each(['', '{', '[]', 'null', '{"events":"A"}', '{"events":[1]}'])('reads nothing from %j', (text) => {
	expect(decodeSubscription(text)).toBeUndefined();
});

it('lists every problem of what a worker asks for', () => {
	expect(() => checkSubscription({ group: 'a b', events: [], intents: -1, concurrency: 0.5 })).toThrow(
		/group must be .*; events must list .*; intents must be .*; concurrency must be/,
	);
	expect(() => checkSubscription({ group: 'commands', events: ['messageCreate'] })).toThrow(/"messageCreate" is not/);
	expect(() => checkSubscription({ group: 'commands', events: ['MESSAGE_CREATE'], intents: 0, concurrency: 1 })).not.toThrow();
	expect(() => checkSubscription({ group: 'commands', events: ['MESSAGE_CREATE'], defer: true })).toThrow(
		/add INTERACTION_CREATE/,
	);
	expect(() => checkSubscription({ group: 'a', events: ['A'], defer: 1 as never })).toThrow(/defer must be true or false/);
	expect(() => checkSubscription({ group: 'a', events: ['INTERACTION_CREATE'], defer: true })).not.toThrow();
});
