import { expect, it } from 'vitest';
import { decodeSubscription, encodeSubscription } from './subscription.js';

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
	const ephemeral = encodeSubscription({ events: ['INTERACTION_CREATE'], intents: null, defer: 'ephemeral' });
	expect(ephemeral).toBe('{"events":["INTERACTION_CREATE"],"intents":null,"defer":"ephemeral"}');
	expect(decodeSubscription(ephemeral)).toMatchObject({ defer: 'ephemeral' });
});

it.each(['', '{', '[]', 'null', '{"events":"A"}', '{"events":[1]}'])('reads nothing from %j', (text) => {
	expect(decodeSubscription(text)).toBeUndefined();
});
