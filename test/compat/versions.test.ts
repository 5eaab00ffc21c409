// Old versions of the libraries: in direct mode they keep the identify rate limit and reach REST, in resident mode a deploy costs no
// IDENTIFY; a version that cannot be driven is named.
import { fileURLToPath } from 'node:url';
import { createSimulator } from '@shardctl/simulator';
import { waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { createShardManager, type ShardManagerOptions } from 'shardctl';
import { describe, expect, it, onTestFinished } from 'vitest';

const identifyWindowMs = 300;

async function makeFleet(file: string, library: string, options: ShardManagerOptions = {}) {
	const simulator = await createSimulator({ guilds: 12, maxConcurrency: 1, identifyWindowMs });
	const manager = createShardManager(fileURLToPath(new URL(`fixtures/versions/${file}`, import.meta.url)), {
		api: simulator.url,
		token: simulator.token,
		identifyWindowMs,
		totalShards: 2,
		args: [library],
		control: false,
		logger: pino({ level: 'silent' }),
		...options,
	});
	onTestFinished(async () => {
		await manager.stop({ graceMs: 5000 });
		await simulator.stop();
	});
	const lines: string[] = [];
	manager.on('worker:log', ({ line }) => lines.push(line));
	const identifies = () => simulator.log.entries({ type: 'identify' }).length;
	const answers = () =>
		simulator.log
			.entries({ type: 'rest' })
			.filter(({ method, path, status }) => method === 'POST' && String(path).endsWith('/messages') && status === 200).length;
	const answered = async () => {
		const before = answers();
		simulator.emit('MESSAGE_CREATE', { content: '!ping' });
		await waitFor('the answer', () => answers() > before);
	};
	const spawn = () =>
		manager.spawn().catch((error: unknown) => {
			throw new Error(`not ready:\n${lines.join('\n')}`, { cause: error });
		});
	return { manager, simulator, identifies, answered, spawn };
}

describe.each([
	['discord-js.cjs', 'discord.js-14.0'],
	['discord-js.cjs', 'discord.js-14.9'],
	['discord-js.cjs', 'discord.js-14.11'],
	['core.mjs', 'discordjs-core-0.6'],
	['core.mjs', 'discordjs-core-1'],
	['eris.cjs', 'eris-0.14'],
	['eris.cjs', 'eris-0.17'],
	['eris.cjs', 'dysnomia'],
])('%s with %s', (file, library) => {
	it('identifies within the rate limit, reaches REST, answers a call, and logs out', async () => {
		const { manager, simulator, identifies, answered, spawn } = await makeFleet(file, library);
		await spawn();
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
		expect(identifies()).toBe(2);
		expect(await manager.broadcastEval('typeof client')).toEqual(['object', 'object']);
		await answered();
		await manager.stop();
		await waitFor('the end of its connections', () => simulator.state().connections === 0);
		expect(simulator.log.entries({ type: 'close' }).map(({ code }) => code)).not.toContain(1006);
	});

	it('is deployed in resident mode without an IDENTIFY', async () => {
		const { manager, identifies, answered, spawn } = await makeFleet(file, library, { gateway: 'resident' });
		await spawn();
		await answered();
		await manager.deploy({ observeMs: 0 });
		await answered();
		expect(identifies()).toBe(2);
	});
});

it("names the supported versions when attach() does not support the bot's", async () => {
	const { manager } = await makeFleet('eris.cjs', 'eris-0.10');
	await expect(manager.spawn()).rejects.toMatchObject({
		code: 'BOT_FILE_INVALID',
		message: expect.stringContaining('eris 0.10.1; it supports 0.13 and newer'),
		details: { problem: 'UNSUPPORTED_LIBRARY' },
	});
});
