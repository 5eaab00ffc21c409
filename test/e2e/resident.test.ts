// Resident mode from the command line: start, deploy, a version that crashes, restart of the gateway processes, stats.
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox, tempDir } from '@shardctl/test-support';
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

	const deployed = await cli.output(['deploy', '--name', 'resident']);
	expect(deployed).toMatchObject({ code: 0, stdout: '' });
	expect(deployed.stderr).toMatch(/deployed 2 workers of .*resident/);

	writeFileSync(bot, 'throw new Error("a bad version");\n');
	const failed = await cli.output(['deploy', '--name', 'resident']);
	expect(failed.code).toBe(1);
	expect(failed.stderr).toMatch(/the old one keeps running/);
	expect(failed.stderr).toMatch(/a bad version/);
	writeFileSync(bot, good);

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
