import { expect, it } from 'vitest';
import { type LinkMessage, readMessage, writeMessage } from './link-wire.js';

it('reads what it has written, whatever is inside', () => {
	const link = { from: 'a', to: 'b', a: 'x', b: 'y' };
	const messages: LinkMessage[] = [
		{ kind: 'hello', from: 'a', to: 'b', a: 'x' },
		{ kind: 'welcome', ...link },
		{ kind: 'end', ...link },
		{ kind: 'data', ...link, n: 7, more: true, text: '{"a":"line\\nbreak"}\n second line' },
		{ kind: 'data', ...link, n: 8, more: false, text: '' },
	];
	for (const message of messages) expect(readMessage(writeMessage(message))).toEqual(message);
});

it('does not read what is no message', () => {
	expect(readMessage('')).toBeUndefined();
	expect(readMessage('{')).toBeUndefined();
});
