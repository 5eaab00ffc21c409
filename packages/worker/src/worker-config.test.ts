import { workerConfigVariable } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { readWorkerConfig } from './worker-config.js';

describe('readWorkerConfig', () => {
	it('takes the config out of the environment, so that processes of the bot do not find it', () => {
		const env = { [workerConfigVariable]: JSON.stringify({ workerId: 3 }), OTHER: 'stays' };
		expect(readWorkerConfig(env)).toEqual({ workerId: 3 });
		expect(env).toEqual({ OTHER: 'stays' });
	});

	it('finds none in a process that is no worker', () => {
		expect(readWorkerConfig({})).toBeUndefined();
	});

	it('refuses what no manager writes', () => {
		expect(() => readWorkerConfig({ [workerConfigVariable]: '{' })).toThrow(expect.objectContaining({ code: 'PROTOCOL_ERROR' }));
	});
});
