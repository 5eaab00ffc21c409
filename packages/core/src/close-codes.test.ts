import { expect, test } from 'vitest';
import { clientCloseEndsSession, closeCodeMeaning, closeCodes, fatalCloseCodes } from './close-codes.js';

test('every code after which Discord forbids a reconnect has a reason, and no other has', () => {
	const final = Object.entries(closeCodes).filter(([, meaning]) => !meaning.reconnect);
	expect(final.map(([code]) => Number(code))).toEqual([...fatalCloseCodes.keys()]);
});

test('only 1000 and 1001 from a client end its session', () => {
	expect([1000, 1001, 1005, 1006, 4000, 4200, 4900].map(clientCloseEndsSession)).toEqual([
		true,
		true,
		false,
		false,
		false,
		false,
		false,
	]);
});

test('an unknown code keeps the session', () => {
	expect(closeCodeMeaning(1001)).toMatchObject({ reconnect: true, keepsSession: true });
	expect(closeCodeMeaning(4009).keepsSession).toBe(false);
});
