import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { messageOf, ShardctlError } from './errors.js';

describe('ShardctlError', () => {
	it('has code, cause and details', () => {
		const cause = new Error('refused');
		const error = new ShardctlError('API_UNREACHABLE', 'no answer', { cause, details: { api: 'http://x' } });
		expect(error).toMatchObject({ name: 'ShardctlError', code: 'API_UNREACHABLE', cause, details: { api: 'http://x' } });
		expect(ShardctlError.is(error)).toBe(true);
		expect(ShardctlError.is(cause)).toBe(false);
		expect(ShardctlError.is({ code: 'API_UNREACHABLE' })).toBe(false);
		expect(error).toBeInstanceOf(ShardctlError);
		expect(cause).not.toBeInstanceOf(ShardctlError);
		expect(null).not.toBeInstanceOf(ShardctlError);
		// As of another copy of the package.
		expect(Object.assign(new Error('text'), { [Symbol.for('shardctl.error')]: true })).toBeInstanceOf(ShardctlError);
	});

	it('has no cause when none was given', () => {
		expect('cause' in new ShardctlError('INTERNAL', 'x')).toBe(false);
	});
});

describe('messageOf', () => {
	it('returns a message for any thrown value', () => {
		expect(messageOf(new Error('a'))).toBe('a');
		expect(messageOf('b')).toBe('b');
		expect(messageOf(null)).toBe('null');
	});
});

describe('A8: an error of a call to all workers, printed', () => {
	const failed = new ShardctlError('REMOTE_ERROR', 'no such channel');
	const starting = new ShardctlError('WORKER_UNAVAILABLE', 'worker 2 (shards 4-5) is starting, so it cannot answer');
	const error = new ShardctlError('BROADCAST_FAILED', '2 of 3 workers failed', {
		cause: failed,
		details: {
			outcomes: [
				{ status: 'fulfilled', value: 1, workerId: 0, shardIds: [0, 1] },
				{ status: 'rejected', reason: failed, workerId: 1, shardIds: [2, 3] },
				{ status: 'rejected', reason: starting, workerId: 2, shardIds: [4, 5] },
			],
		},
	});

	it('has one line for each worker, and only the frames of the bot', () => {
		error.stack = [
			'ShardctlError: 2 of 3 workers failed',
			'    at broadcastFailed (/bot/node_modules/shardctl/dist/worker.js:1:2)',
			'    at command (/bot/commands/stats.js:12:30)',
			'    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)',
		].join('\n');
		expect(inspect(error).split('\n')).toEqual([
			'ShardctlError [BROADCAST_FAILED]: 2 of 3 workers failed',
			'    at command (/bot/commands/stats.js:12:30)',
			'  worker 0 (shards 0-1): done',
			'  worker 1 (shards 2-3): no such channel',
			'  worker 2 (shards 4-5) is starting, so it cannot answer',
		]);
	});

	it('leaves every other error as Node prints it', () => {
		expect(inspect(failed)).toMatch(/^ShardctlError: no such channel\n {4}at .*[\s\S]*code: 'REMOTE_ERROR'/);
	});
});
