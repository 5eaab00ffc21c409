import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ShardctlError } from '@shardctl/core';
import { tempDir } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { resolveManagerOptions } from './manager-options.js';
import type { ShardManagerOptions } from './shard-manager-options.js';

function resolve(
	options: Record<string, unknown> = {},
	{ file = 'bot.js', env = { DISCORD_TOKEN: 'Bot abc' } as NodeJS.ProcessEnv } = {},
) {
	const cwd = tempDir();
	writeFileSync(join(cwd, 'bot.js'), '');
	mkdirSync(join(cwd, 'folder'));
	return resolveManagerOptions(file, { cwd, ...options } as ShardManagerOptions, env);
}

function errorOf(act: () => unknown): ShardctlError {
	try {
		act();
	} catch (error) {
		return error as ShardctlError;
	}
	throw new Error('nothing was thrown');
}

describe('resolveManagerOptions', () => {
	it('fills in the defaults, strips "Bot " from the token, and names the manager after its folder or package', () => {
		const cwd = tempDir();
		writeFileSync(join(cwd, 'bot.js'), '');
		writeFileSync(join(cwd, 'package.json'), '{"name":"@me/my-bot"}');
		const options = resolveManagerOptions('bot.js', { cwd }, { DISCORD_TOKEN: ' Bot abc ' });
		expect(options).toMatchObject({
			token: 'abc',
			totalShards: 'auto',
			shardsPerWorker: 1,
			name: 'my-bot',
			api: 'https://discord.com/api',
			file: join(cwd, 'bot.js'),
		});
		expect(options.policy).toMatchObject({ factor: expect.any(Number) });
	});

	it('reports every problem in one error, and the name that was probably meant', () => {
		const error = errorOf(() =>
			resolve({ totalShard: 4, totalShards: 0, shardsPerWorker: 1.5, shardList: '0-', readyTimeoutMs: -1 }),
		);
		expect(error.code).toBe('OPTIONS_INVALID');
		expect(error.message).toContain('5 problems');
		expect(error.message).toContain('totalShard: is not an option; did you mean "totalShards"?');
		expect(error.message).toContain('totalShards: must be a whole number from 1, or "auto", got 0');
		expect(error.message).toContain('shardsPerWorker: must be a whole number from 1, or "auto", got 1.5');
		expect(error.message).toContain('shardList: must be shard ids such as "0-3,7"');
		expect(error.message).toContain('readyTimeoutMs: must not be negative, got -1');
	});

	it.each([
		[{}, { mode: 'warn', window: null }],
		[{ reshard: 'off' }, { mode: 'off', window: null }],
		[
			{ reshard: 'auto', gateway: 'resident' },
			{ mode: 'auto', window: null },
		],
		[
			{ reshard: 'auto', gateway: 'resident', cluster: 'redis://127.0.0.1' },
			{ mode: 'auto', window: null },
		],
		[
			{ reshard: 'auto', gateway: { mode: 'queue', sessions: 2 }, totalShards: 8, queue: 'redis://127.0.0.1' },
			{ mode: 'auto', window: null },
		],
		[
			{ reshard: { window: '02:00-05:00' }, gateway: 'resident' },
			{ mode: 'auto', window: { fromMin: 120, toMin: 300 } },
		],
	])('takes %j for resharding', (options, reshard) => {
		expect(resolve(options).reshard).toEqual(reshard);
	});

	it.each([
		[{ reshard: 'auto' }, /reshard: cannot be "auto" without gateway processes \(--gateway resident\)/],
		[{ reshard: 'auto', gateway: 'resident', shardList: [0], totalShards: 2 }, /reshard: cannot be "auto" with shardList/],
		[
			{ reshard: 'auto', gateway: 'resident', cluster: { url: 'redis://127.0.0.1', state: 'none' } },
			/reshard: cannot be "auto" with a cluster without shared state/,
		],
		[{ reshard: 'auto', gateway: 'queue', cluster: 'redis://127.0.0.1' }, /reshard: cannot be "auto" with a queue in a cluster/],
		[{ reshard: { mode: 'warn', window: '02:00-05:00' } }, /reshard.window: is of no use without the mode "auto"/],
		[{ reshard: { window: 'night' } }, /reshard/],
		[{ reshard: 'always' }, /reshard: must be "auto", "warn", "off" or/],
		[{ reshard: null }, /reshard: must be/],
	])('rejects %j for resharding', (options, problem) => {
		expect(errorOf(() => resolve(options)).message).toMatch(problem);
	});

	it.each([0, -1, 1.5, 'many', Number.NaN, null])('rejects %s as totalShards', (totalShards) => {
		expect(errorOf(() => resolve({ totalShards })).message).toContain('totalShards: must be a whole number from 1, or "auto"');
	});

	it.each([
		['0,0', 'each shard id once'],
		['3-1', 'from low to high'],
		['0-8', 'shard 8 does not exist: with 8 shards the ids are 0 to 7'],
		[[], 'at least one shard id'],
	])('rejects %j as shardList of 8 shards', (shardList, problem) => {
		expect(errorOf(() => resolve({ totalShards: 8, shardList })).message).toContain(problem);
	});

	it.each([
		[{ totalShards: 10, gateway: { mode: 'resident', sessions: 4 } }, 'gateway.sessions: 10 shards cannot be split'],
		[{ totalShards: 6, gateway: { mode: 'direct', sessions: 2 } }, 'gateway.sessions: needs gateway processes'],
		[{ totalShards: 6, shardList: '0-3', gateway: { mode: 'resident', sessions: 2 } }, 'shardList: shard 4 is missing'],
	])('rejects the sessions of %j', (options, problem) => {
		expect(errorOf(() => resolve(options)).message).toContain(problem);
	});

	it('accepts sessions that fit, and those that only Discord can check', () => {
		const sessionsOf = (totalShards: number | 'auto', sessions: number | 'auto') =>
			resolve({ totalShards, gateway: { mode: 'resident', sessions } }).gateway?.sessions;
		expect([sessionsOf(6, 2), sessionsOf('auto', 4), sessionsOf(10, 'auto')]).toEqual([2, 4, 'auto']);
	});

	it('has separate codes for a missing file, a directory and a missing token', () => {
		expect(errorOf(() => resolve({}, { file: 'nothing.js' }))).toMatchObject({
			code: 'BOT_FILE_INVALID',
			message: expect.stringContaining('does not exist'),
		});
		expect(errorOf(() => resolve({}, { file: 'folder' }))).toMatchObject({
			code: 'BOT_FILE_INVALID',
			message: expect.stringContaining('is a directory'),
		});
		expect(errorOf(() => resolve({}, { env: {} }))).toMatchObject({
			code: 'TOKEN_MISSING',
			message: expect.stringContaining('DISCORD_TOKEN'),
		});
	});

	it.each(['"abc.def.ghi"', "'abc'", 'Bot "abc"', '"Bot abc"', '`abc`'])(
		'rejects a token in quotes without printing it: %s',
		(token) => {
			const error = errorOf(() => resolve({}, { env: { DISCORD_TOKEN: token } }));
			expect(error).toMatchObject({ code: 'OPTIONS_INVALID', message: expect.stringContaining('token: is in quotes') });
			expect(error.message).not.toContain('abc');
		},
	);

	it('rejects a shorter identify window with Discord itself, and accepts it elsewhere', () => {
		expect(errorOf(() => resolve({ identifyWindowMs: 100 })).message).toContain('identifyWindowMs: must be at least 5000');
		expect(resolve({ identifyWindowMs: 100, api: 'http://127.0.0.1:1/api' }).identifyWindowMs).toBe(100);
	});

	it('treats 0 and Infinity as off', () => {
		expect(resolve({ readyTimeoutMs: 0, heartbeatTimeoutMs: Number.POSITIVE_INFINITY })).toMatchObject({
			readyTimeoutMs: Number.POSITIVE_INFINITY,
			heartbeatTimeoutMs: Number.POSITIVE_INFINITY,
		});
	});

	it('reports values of a wrong type with the other problems, instead of failing at the first use', () => {
		const { message } = errorOf(() =>
			resolve({
				token: 5,
				cwd: 1n,
				env: { A: 1 },
				execArgv: 'x',
				shardList: 3,
				respawn: null,
				name: 'a b',
				maxMemoryBytes: '1GB',
			}),
		);
		for (const problem of [
			'token: must be a string',
			'cwd: must be the path of a folder',
			'env.A: must be a string',
			'execArgv: must be an array of strings',
			'shardList: must be an array of shard ids, or a string such as "0-3,7"',
			'respawn: must be true, false or a restart policy',
			'name: must be 1 to 64 letters, digits, ".", "_" or "-", got "a b"',
			'maxMemoryBytes: must be a number of bytes (0 or Infinity disables it)',
		]) {
			expect(message).toContain(problem);
		}
		for (const name of ['con', 'NUL', 'com1.prod'])
			expect(errorOf(() => resolveManagerOptions('bot.js', { name })).message).toContain(
				`name: must be no name of a Windows device such as con, nul or com1, got "${name}"`,
			);
		for (const options of [null, 'x', 5]) {
			expect(errorOf(() => resolveManagerOptions('bot.js', options as never)).message).toMatch(/must be an object, got/);
		}
	});

	it('takes the REST API without the slash at its end', () => {
		expect(resolve({ api: 'http://127.0.0.1:1/api/' })).toMatchObject({ api: 'http://127.0.0.1:1/api' });
	});

	it.each([
		[undefined, { globalPerSecond: 50, always: false }],
		['direct', null],
		['shared', { globalPerSecond: 50, always: true }],
		[{ globalPerSecond: 500 }, { globalPerSecond: 500, always: true }],
		[{ mode: 'direct', globalPerSecond: 500 }, null],
	] as const)('reads how requests are sent: %j', (rest, resolved) => {
		expect(resolve(rest === undefined ? {} : { rest }).rest).toEqual(resolved);
	});

	it('never shows the token in an error', () => {
		const error = errorOf(() => resolve({ token: 'very-secret', totalShards: 0 }));
		expect(JSON.stringify([error.message, error.details])).not.toContain('very-secret');
	});
});
