// The requests of each library's example go through the REST process, with workers that own their sessions and with gateway processes.
import { waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { examplePath } from '../e2e/example-path.js';
import { sharedFleet } from './shared-fleet.js';

describe.each([
	['discord.js', 'plain-bot/bot.cjs'],
	['@discordjs/core', 'core-bot/bot.js'],
	['eris', 'eris-bot/bot.js'],
	['oceanic.js', 'oceanic-bot/bot.js'],
	['no library', 'no-library-bot/bot.js'],
])('a bot with %s', (_, bot) => {
	it.each(['direct', 'resident'] as const)('answers a message through the REST process in %s mode', async (gateway) => {
		const { simulator, manager } = await sharedFleet(examplePath(bot), { gateway });
		const before = (await manager.getStats()).rest?.classes.messages ?? 0;
		simulator.emit('MESSAGE_CREATE', { content: '!ping' });
		await waitFor('the answer', () =>
			simulator.log.entries({ type: 'rest' }).some(({ method, path, status }) => {
				return method === 'POST' && String(path).endsWith('/messages') && status === 200;
			}),
		);
		const { rest } = await manager.getStats();
		expect(rest).toMatchObject({ status: 'ready', limited: 0, invalid: 0, guarded: false, globalPerSecond: 50 });
		expect(rest?.classes.messages).toBe(before + 1);
	});
});
