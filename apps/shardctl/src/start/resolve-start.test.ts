import { optionsError } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import { resolveStart } from './resolve-start.js';

const config = (values: Record<string, unknown>) => ({
	path: '/bot/shardctl.config.json',
	source: JSON.stringify(values, null, 1),
	values,
});
const plan = (values: Record<string, unknown>, given: Record<string, unknown> = {}, file?: string) =>
	resolveStart({ file, args: [], given, config: config(values) });

describe('a config file', () => {
	it('accepts the notation of the command line, and the names of createShardManager', () => {
		const { file, manager, run } = plan({
			file: 'src/bot.js',
			shards: 'auto',
			readyTimeout: '30s',
			heartbeatTimeoutMs: 5,
			maxMemory: '1GB',
			simulate: 5,
		});
		expect(file).toBe('/bot/src/bot.js');
		expect(manager).toEqual({ totalShards: 'auto', readyTimeoutMs: 30_000, heartbeatTimeoutMs: 5, maxMemoryBytes: 2 ** 30 });
		expect(run).toEqual({ simulate: 5 });
	});

	it('is overridden by given options, file included', () => {
		const { file, manager } = plan({ file: 'a.js', shards: 2, name: 'x' }, { shards: 3 }, 'b.js');
		expect({ file, manager }).toEqual({ file: 'b.js', manager: { totalShards: 3, name: 'x' } });
	});

	it('and the command line together form the control option', () => {
		const { manager } = plan({ file: 'a.js', control: { token: 't' }, port: 1 }, { allowEval: true });
		expect(manager.control).toEqual({ token: 't', port: 1, allowEval: true });
	});

	it('and the command line together form the gateway option', () => {
		const { manager } = plan({ file: 'a.js', gateway: { mode: 'resident', delivery: 'at-least-once' } }, { gatewaySessions: 2 });
		expect(manager.gateway).toEqual({ mode: 'resident', delivery: 'at-least-once', sessions: 2 });
		expect(plan({ file: 'a.js', gatewaySessions: 'auto' }, { gateway: 'resident' }).manager.gateway).toEqual({
			mode: 'resident',
			sessions: 'auto',
		});
		expect(plan({ file: 'a.js' }, { gatewaySessions: 2 }).manager.gateway).toEqual({ mode: 'direct', sessions: 2 });
	});

	it('sets parts of an option in any order, and names a wrong part where it was written', () => {
		const { manager, explain } = plan({
			file: 'a.js',
			gatewaySessions: 4,
			port: 70_000,
			gateway: 'resident',
			control: { host: 'h' },
		});
		expect(manager).toMatchObject({ gateway: { mode: 'resident', sessions: 4 }, control: { host: 'h', port: 70_000 } });
		const problem = { option: 'control.port', problem: 'must be a port' };
		expect((explain(optionsError('x', [problem])) as Error).message).toMatch(/config\.json:4: port: must be a port/);
	});

	it('has all its problems reported at once', () => {
		expect(() => plan({ file: '', grace: 'soon', nam: 'x', logger: {}, gateway: 'residant' })).toThrow(
			/5 problems[\s\S]*json:2: file: must be[\s\S]*json:3: grace: must be a duration[\s\S]*nam: is not an option; did you mean "name"[\s\S]*logger: is not an option[\s\S]*gateway: must be "direct" or "resident" or "queue", got "residant"/,
		);
	});
});

it('requires a bot file', () => {
	expect(() => resolveStart({ file: undefined, args: [], given: {}, config: undefined })).toThrow(
		/name the file that starts the bot/,
	);
});
