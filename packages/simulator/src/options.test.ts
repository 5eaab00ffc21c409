import { ShardctlError } from '@shardctl/core';
import { expect, test } from 'vitest';
import { resolveSimulatorOptions, simulatorOptions } from './options.js';

/** The message of the one coded error; empty if the options are valid. */
function problems(input: object): string {
	try {
		resolveSimulatorOptions(input);
		return '';
	} catch (error) {
		return ShardctlError.is(error) && error.code === 'OPTIONS_INVALID' ? error.message : `not coded: ${String(error)}`;
	}
}

test('without options everything has its default', () => {
	expect(resolveSimulatorOptions()).toMatchObject({
		port: 0,
		host: '127.0.0.1',
		guilds: 20,
		maxConcurrency: 16,
		identifyWindowMs: 5000,
	});
});

test('reports every problem at once, with the name that was probably meant', () => {
	const text = problems({ guild: 5, port: 70_000, shards: 0, seed: 1.5, guilds: 'many' });
	for (const part of ['guild: is not an option; did you mean "guilds"?', 'port:', 'shards:', 'seed:', 'guilds:'])
		expect(text).toContain(part);
});

test('a host that other machines can reach requires allowRemote', () => {
	expect(problems({ host: '0.0.0.0' })).toContain('allowRemote');
	expect(problems({ host: '0.0.0.0', allowRemote: true })).toBe('');
	expect(['127.0.0.1', '127.1.2.3', '::1', 'localhost'].map((host) => problems({ host }))).toEqual(['', '', '', '']);
});

test('rejects an intent that does not exist', () => {
	expect(problems({ grantedIntents: 1 << 17 })).toContain('grantedIntents');
});

test('describes every option', () => {
	for (const [name, schema] of Object.entries(simulatorOptions.shape))
		expect([name, schema.description?.length ?? 0]).not.toEqual([name, 0]);
});
