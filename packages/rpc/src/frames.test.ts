import { describe, expect, it } from 'vitest';
import { envelope, isFrame, kind, openEnvelope } from './frames.js';

describe('isFrame', () => {
	it('knows our messages, also malformed ones', () => {
		expect(isFrame(envelope(1, [[kind.event, 'x', null]]))).toBe(true);
		expect(isFrame({ '@shardctl': 'nonsense' })).toBe(true);
	});

	it('leaves every other message to the bot', () => {
		const inherited = Object.create({ '@shardctl': 1 }) as object;
		for (const message of [
			null,
			undefined,
			1,
			'text',
			[],
			{},
			inherited,
			{ _eval: '1' },
			{ _ready: true },
			{ _type: 16 },
			{ cmd: 'NODE_X' },
		]) {
			expect(isFrame(message)).toBe(false);
		}
	});

	it('is not led astray by what other libraries look for in a message', () => {
		const keys = Object.keys(envelope(1, []));
		for (const key of keys)
			expect(key).not.toMatch(/^(_eval|_fetchProp|_ready|_disconnect|_reconnecting|_resume|_s.*|_type|cmd)$/);
	});
});

describe('openEnvelope', () => {
	it('gives epoch and frames, or null when something is missing', () => {
		expect(openEnvelope(JSON.parse(JSON.stringify(envelope(3, [[kind.cancel, 1]]))))).toEqual({ epoch: 3, frames: [[3, 1]] });
		for (const message of [{ '@shardctl': 1 }, { '@shardctl': '1', frames: [] }, { '@shardctl': 1, frames: {} }, null, 'x']) {
			expect(openEnvelope(message)).toBeNull();
		}
	});
});
