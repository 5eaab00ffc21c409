import { describe, expect, it } from 'vitest';
import { envelope, isEnvelope, isFrame, kind } from './frames.js';

describe('isFrame', () => {
	it('recognises our messages, also malformed ones', () => {
		expect(isFrame([...envelope(1), [kind.event, 'x', null]])).toBe(true);
		expect(isFrame(['@shardctl', 'nonsense'])).toBe(true);
	});

	it('leaves every other message to the bot', () => {
		for (const message of [
			null,
			undefined,
			1,
			'text',
			[],
			{},
			['@shardctl/other', 1],
			[['@shardctl'], 1],
			{ 0: '@shardctl', length: 1 },
			{ '@shardctl': 1 },
			{ _eval: '1' },
			{ _ready: true },
			{ _type: 16 },
			{ cmd: 'NODE_X' },
		]) {
			expect(isFrame(message)).toBe(false);
		}
	});
});

describe('isEnvelope', () => {
	it('requires an epoch, also after a text round trip', () => {
		expect(isEnvelope(JSON.parse(JSON.stringify([...envelope(3), [kind.cancel, 1]])))).toBe(true);
		for (const message of [['@shardctl'], ['@shardctl', '1'], ['@shardctl', null, []], [], null, 'x']) {
			expect(isEnvelope(message)).toBe(false);
		}
	});
});
