import { expect, it } from 'vitest';
import { subjectOf } from './event-subject.js';

it.each([
	[{ channel_id: '5', user_id: '6' }, '5'],
	[{ user: { id: '7' } }, '7'],
	[{ user: null, user_id: '6' }, '6'],
	[{ channel_id: null, user_id: '6' }, '6'],
	[{ channel_id: 5 }, null],
	[{ channel_id: 'x' }, null],
	[{}, null],
	[null, null],
	[undefined, null],
	['text', null],
	[3, null],
])('%j is about %j', (data, subject) => {
	expect(subjectOf(data)).toBe(subject);
});
