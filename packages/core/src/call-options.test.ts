import { describe, expect, it } from 'vitest';
import {
	readCallOptions,
	readEvalOptions,
	readGuildId,
	readRespawnAllOptions,
	readShardId,
	readShardStatsOptions,
	shardNotOwned,
} from './call-options.js';
import { ShardctlError } from './errors.js';

/** The code and the message of what a call throws. */
function refusal(act: () => unknown): string {
	try {
		act();
	} catch (error) {
		if (ShardctlError.is(error)) return `${error.code}: ${error.message}`;
		throw error;
	}
	return 'accepted';
}

const notShards: [unknown, string][] = [
	['1', '"1"'],
	[null, 'null'],
	[1n, '1n'],
	[1.5, '1.5'],
	[-1, '-1'],
	[Number.NaN, 'NaN'],
	[Number.POSITIVE_INFINITY, 'Infinity'],
	[[1], '[1]'],
	[{}, '{}'],
	[true, 'true'],
];
const notOptions: [unknown, string][] = [
	[null, 'null'],
	['1', '"1"'],
	[1n, '1n'],
	[[], '[]'],
	[true, 'true'],
	[() => 1, 'a function'],
	[Symbol('x'), 'Symbol(x)'],
];

describe('readCallOptions', () => {
	it('accepts the options of a call, or none', () => {
		const { signal } = new AbortController();
		const options = { shard: 3, timeoutMs: Number.POSITIVE_INFINITY, settle: true, signal };
		expect(readCallOptions(options)).toEqual(options);
		expect(readCallOptions({ guildId: '81384788765712384', timeoutMs: 0, settle: false })).toEqual({
			guildId: '81384788765712384',
			timeoutMs: 0,
			settle: false,
		});
		expect([undefined, {}, { shard: undefined, guildId: undefined }].map(readCallOptions)).toEqual([{}, {}, {}]);
	});

	it('accepts a number for the shard, as discord.js does', () => {
		expect(readCallOptions(0)).toEqual({ shard: 0 });
		expect(refusal(() => readCallOptions(Number.NaN))).toBe('SHARD_NOT_OWNED: shard must be a whole number from 0, got NaN');
	});

	it.each(notShards)('rejects %o as a shard', (shard, shown) => {
		expect(refusal(() => readCallOptions({ shard }))).toBe(`SHARD_NOT_OWNED: shard must be a whole number from 0, got ${shown}`);
	});

	it.each<[unknown, string]>([
		[null, 'null'],
		[5, '5'],
		[5n, '5n'],
		['general', '"general"'],
		['', '""'],
		['-5', '"-5"'],
		['99999999999999999999', '"99999999999999999999"'],
	])('rejects %o as a guild', (guildId, shown) => {
		expect(refusal(() => readCallOptions({ guildId }))).toBe(
			`OPTIONS_INVALID: guildId must be a Discord id as a string, got ${shown}`,
		);
	});

	it.each(notOptions)('rejects %o in place of the options', (given, shown) => {
		expect(refusal(() => readCallOptions(given))).toBe(`OPTIONS_INVALID: the options of a call must be an object, got ${shown}`);
	});

	it.each<[object, string]>([
		[{ shard: 1, guildId: '5' }, 'a call goes to a shard or to a guild, not both'],
		[{ guildID: '5' }, 'a call has no option "guildID"; did you mean "guildId"?'],
		[{ cluster: 1 }, 'a call has no option "cluster"; its options are shard, guildId, timeoutMs, settle, signal'],
		[{ context: 1 }, 'a call has no option "context"; its options are shard, guildId, timeoutMs, settle, signal'],
		[{ timeoutMs: -1 }, 'timeoutMs must be a number of milliseconds (0 or Infinity: no deadline), got -1'],
		[{ timeoutMs: '5s' }, 'timeoutMs must be a number of milliseconds (0 or Infinity: no deadline), got "5s"'],
		[{ timeoutMs: Number.NaN }, 'timeoutMs must be a number of milliseconds (0 or Infinity: no deadline), got NaN'],
		[{ settle: 'yes' }, 'settle must be true or false, got "yes"'],
		[{ signal: {} }, 'signal must be an AbortSignal, got {}'],
		[{ signal: null }, 'signal must be an AbortSignal, got null'],
	])('rejects %o', (given, message) => {
		expect(refusal(() => readCallOptions(given))).toBe(`OPTIONS_INVALID: ${message}`);
	});
});

describe('readEvalOptions', () => {
	it('separates the context, whatever its type', () => {
		expect(readEvalOptions({ context: null, shard: 1 })).toEqual({ context: null, options: { shard: 1 } });
		expect(readEvalOptions(undefined)).toEqual({ context: undefined, options: {} });
		expect(readEvalOptions(2)).toEqual({ context: undefined, options: { shard: 2 } });
	});

	it('rejects what a call rejects', () => {
		for (const [given] of notOptions)
			expect(refusal(() => readEvalOptions(given))).toMatch(/^OPTIONS_INVALID: the options of a call/);
		for (const [shard] of notShards) expect(refusal(() => readEvalOptions({ shard }))).toMatch(/^SHARD_NOT_OWNED: shard must be/);
		expect(refusal(() => readEvalOptions({ contxt: 1 }))).toBe(
			'OPTIONS_INVALID: a call has no option "contxt"; did you mean "context"?',
		);
	});
});

describe('the other options', () => {
	it('of respawnAll are checked', () => {
		expect(readRespawnAllOptions({ rolling: false, parallel: 2, delayMs: 0 })).toEqual({
			rolling: false,
			parallel: 2,
			delayMs: 0,
		});
		expect(readRespawnAllOptions(undefined)).toEqual({});
		for (const [given] of [...notOptions, [5000]]) {
			expect(refusal(() => readRespawnAllOptions(given))).toMatch(
				/^OPTIONS_INVALID: the options of respawnAll must be an object/,
			);
		}
		for (const wrong of [
			{ rolling: 1 },
			{ parallel: 0 },
			{ parallel: 1.5 },
			{ parallel: '2' },
			{ delayMs: -1 },
			{ delayMs: null },
		]) {
			expect(refusal(() => readRespawnAllOptions(wrong))).toMatch(
				/^OPTIONS_INVALID: (rolling|parallel|delayMs) must be .*, got /,
			);
		}
		expect(refusal(() => readRespawnAllOptions({ shardDelay: 5 }))).toMatch(/has no option "shardDelay"/);
	});

	it('of getShardStats are checked', () => {
		expect([undefined, {}, { fresh: true }].map(readShardStatsOptions)).toEqual([
			{ fresh: false },
			{ fresh: false },
			{ fresh: true },
		]);
		expect(refusal(() => readShardStatsOptions(true))).toMatch(/the options of getShardStats must be an object, got true/);
		expect(refusal(() => readShardStatsOptions({ fresh: 'yes' }))).toBe(
			'OPTIONS_INVALID: fresh must be true or false, got "yes"',
		);
	});

	it.each(notShards)('of a method that takes a shard id: rejects %o', (given, shown) => {
		expect(refusal(() => readShardId(given))).toBe(`SHARD_NOT_OWNED: shardId must be a whole number from 0, got ${shown}`);
	});

	it('of a method that takes a guild id: accepts a snowflake only', () => {
		expect(readGuildId('5')).toBe('5');
		expect(refusal(() => readGuildId(5n))).toMatch(/^OPTIONS_INVALID/);
	});
});

it('names the shards of the manager when another shard is requested', () => {
	expect(shardNotOwned(5, { shardIds: [0, 1, 2], totalShards: 8 })).toMatchObject({
		code: 'SHARD_NOT_OWNED',
		message: 'shard 5 is not run by this manager, which runs shards 0-2 of 8',
		details: { shardId: 5 },
	});
	expect(shardNotOwned(0, { shardIds: [], totalShards: 0 }).message).toMatch(/which runs none yet$/);
	expect(shardNotOwned(0, { shardIds: [], totalShards: 2, isQueue: true }).message).toMatch(/^no worker has shard 0: .* a queue/);
});
