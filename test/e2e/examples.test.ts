// Every example runs unmodified.
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { examplePath } from './example-path.js';

async function simulated(shards: number, guilds = 12) {
	const simulator = await createSimulator({ maxConcurrency: 16, guilds, shards });
	onTestFinished(() => simulator.stop());
	return { simulator, env: { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url } };
}

it.each(['plain-bot/bot.cjs', 'plain-bot-esm/bot.js'])('%s runs unmodified', async (file) => {
	const { env } = await simulated(2);
	const cli = cliSandbox();
	const run = cli.run(['start', examplePath(file)], { env });
	await run.message(/is in \d+ guilds$/);
	await run.message(/^fleet ready: 2 shards/);
	run.process.kill('SIGTERM');
	expect(await run.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);
});

it('slash-bot answers a command with figures of the whole fleet, through client.shard as in the guide', async () => {
	const { simulator, env } = await simulated(3);
	const cli = cliSandbox();
	const run = cli.run(['start', examplePath('slash-bot/bot.cjs')], { env });
	await run.message(/^fleet ready: 3 shards/);
	await waitFor('the registration of the commands', () =>
		simulator.log.entries({ type: 'rest' }).some((entry) => JSON.stringify(entry).includes('/commands')),
	);
	simulator.emit('INTERACTION_CREATE', { name: 'stats' });
	await waitFor('the answer to the command', () => simulator.state().interactions.answered === 1);
	run.process.kill('SIGTERM');
	expect(await run.exit).toBe(0);
});

it('manager-script starts a fleet from code and stops on a signal', async () => {
	const { env } = await simulated(2);
	const cli = cliSandbox();
	const run = cli.run([examplePath('plain-bot/bot.cjs')], {
		env,
		command: [process.execPath, examplePath('manager-script/start.js')],
	});
	await waitFor('the sum of the guilds', () => /12 guilds on 2 shards/.test(run.stdout()) || undefined);
	run.process.kill('SIGTERM');
	expect(await run.exit).toBe(0);
	expect(cli.survivors()).toEqual([]);
});
