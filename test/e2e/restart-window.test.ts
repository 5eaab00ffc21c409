// Discord's identify window is the token's: it does not end with the manager that used it.
import { join } from 'node:path';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';

const bot = join(import.meta.dirname, '../faults/fixtures/tiny-bot.mjs');

it.each(['stopped', 'killed'] as const)(
	'a fleet that is started again just after it was %s waits for the rest of the window',
	async (how) => {
		const simulator = await createSimulator({ guilds: 2, shards: 1 });
		onTestFinished(() => simulator.stop());
		const cli = cliSandbox();
		const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url };
		const start = () => cli.run(['start', bot, '--shards', '1', '--name', 'again'], { env });
		const first = start();
		await first.message(/^fleet ready/);
		first.process.kill(how === 'stopped' ? 'SIGTERM' : 'SIGKILL');
		await first.exit;
		const second = start();
		await second.message(/^fleet ready/);
		expect(await cli.output(['stop', '--name', 'again'])).toMatchObject({ code: 0 });
		await second.exit;
		expect(simulator.log.entries({ type: 'identify' })).toHaveLength(2);
		expect(simulator.violations({ hardOnly: true })).toEqual([]);
	},
);
