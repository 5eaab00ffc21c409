import { workerConfigVariable } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { readWorkerConfig } from './worker-config.js';

describe('readWorkerConfig', () => {
	it("removes the config from the environment, so that the bot's processes do not find it", () => {
		const env = { [workerConfigVariable]: JSON.stringify({ workerId: 3 }), OTHER: 'stays' };
		expect(readWorkerConfig(env)).toEqual({ workerId: 3 });
		expect(env).toEqual({ OTHER: 'stays' });
	});

	it('returns none in a process that is no worker', () => {
		expect(readWorkerConfig({})).toBeUndefined();
	});

	it('rejects values that no manager writes', () => {
		expect(() => readWorkerConfig({ [workerConfigVariable]: '{' })).toThrow(expect.objectContaining({ code: 'PROTOCOL_ERROR' }));
	});
});
