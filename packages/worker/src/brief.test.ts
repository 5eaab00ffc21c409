import { briefVariable } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { takeBrief } from './brief.js';

describe('takeBrief', () => {
	it('takes the brief out of the environment, so that processes of the bot do not find it', () => {
		const env = { [briefVariable]: JSON.stringify({ workerId: 3 }), OTHER: 'stays' };
		expect(takeBrief(env)).toEqual({ workerId: 3 });
		expect(env).toEqual({ OTHER: 'stays' });
	});

	it('finds none in a process that is no worker', () => {
		expect(takeBrief({})).toBeUndefined();
	});

	it('refuses what no manager writes', () => {
		expect(() => takeBrief({ [briefVariable]: '{' })).toThrow(expect.objectContaining({ code: 'PROTOCOL_ERROR' }));
	});
});
