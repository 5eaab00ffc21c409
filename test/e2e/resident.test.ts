// Resident mode from the command line: start, deploy, a version that crashes, restart of the gateway processes, stats.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, tempDir, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';

const discordJs = createRequire(import.meta.url).resolve('discord.js');

it('deploys and rolls back while Discord sees one session, and leaves nothing behind', async () => {
	const simulator = await createSimulator({ guilds: 8, maxConcurrency: 16 });
	onTestFinished(() => simulator.stop());
	const folder = tempDir();
	const bot = join(folder, 'bot.cjs');
	const good = `const { Client } = require(${JSON.stringify(discordJs)});\nnew Client({ intents: ['Guilds'] }).login();\n`;
	writeFileSync(bot, good);
	const cli = cliSandbox();
	const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url };
	const run = cli.run(['start', bot, '--gateway', 'resident', '--shards', '2', '--name', 'resident'], { env });
	await run.message(/^fleet ready: 2 shards in 2 workers/);

	const deployed = await cli.output(['deploy', '--observe', '300ms', '--name', 'resident']);
	expect(deployed).toMatchObject({ code: 0, stdout: '' });
	expect(deployed.stderr).toMatch(/deployed 2 workers of .*resident/);

	writeFileSync(bot, 'throw new Error("a bad version");\n');
	const failed = await cli.output(['deploy', '--name', 'resident']);
	expect(failed.code).toBe(1);
	expect(failed.stderr).toMatch(/the old one keeps running/);
	expect(failed.stderr).toMatch(/a bad version/);
	writeFileSync(bot, good);

	// Ctrl-C cancels a deploy; a queued deploy reports that, and ends with its client.
	const interrupted = cli.run(['deploy', '--observe', '5m', '--name', 'resident']);
	const progress = (run: typeof interrupted, text: string) =>
		waitFor(`"${text}"`, () => run.stderr().includes(text), { timeoutMs: 60_000 });
	await progress(interrupted, 'worker 0: watching the new process');
	const waiting = cli.run(['deploy', '--name', 'resident']);
	await progress(waiting, 'waiting for deploy 3 to end: worker 0: watching the new process');
	const deployOf = async () =>
		(JSON.parse((await cli.output(['stats', '--json', '--name', 'resident'])).stdout) as { deploy: object }).deploy;
	expect(await deployOf()).toMatchObject({ id: 3, state: 'replacing', queued: 1, done: 0, total: 2, workerId: 0 });
	waiting.process.kill('SIGKILL');
	await waiting.exit;
	await waitFor('the waiting deploy to end with its client', async () => ((await deployOf()) as { queued: number }).queued === 0);
	interrupted.process.kill('SIGINT');
	expect(await interrupted.exit).toBe(1);
	expect(interrupted.stderr()).toMatch(/calling the deploy off at the next safe point/);
	expect(interrupted.stderr()).toMatch(
		/the deploy was called off; the old version runs again in 1 worker; 1 of 2 workers were left unchanged/,
	);
	expect(await deployOf()).toMatchObject({ id: 3, state: 'called-off' });

	expect(await cli.output(['restart', '--gateways', '--name', 'resident'])).toMatchObject({ code: 0 });
	const stats = JSON.parse((await cli.output(['stats', '--json', '--name', 'resident'])).stdout) as {
		shards: { ready: boolean }[];
		gateways: {
			id: number;
			pid: number;
			shardIds: number[];
			restarts: number;
			shards: { guildCount: number }[];
		}[];
	};
	expect(stats.gateways).toMatchObject([{ id: 0, shardIds: [0, 1], restarts: 1, status: 'ready' }]);
	expect(stats.gateways[0]?.shards.reduce((sum, { guildCount }) => sum + guildCount, 0)).toBe(8);
	expect((await cli.output(['stats', '--name', 'resident'])).stdout).toMatch(/SESSION +WORKER +EV\/S +BUFFER +AGE +LAG/);
	expect(simulator.log.entries({ type: 'identify' })).toHaveLength(2);

	expect(await cli.output(['stop', '--name', 'resident'])).toMatchObject({ code: 0 });
	expect(await run.exit).toBe(0);
	expect(simulator.state().sessions).toEqual([]);
	expect(cli.survivors()).toEqual([]);
});
