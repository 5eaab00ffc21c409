// One fleet for all tests of a file: a bot without a library, so that it is ready in a second, on a simulated Discord.
import { fileURLToPath } from 'node:url';
import { createSimulator, type Simulator } from '@shardctl/simulator';
import { type CliRun, type CliSandbox, cliSandbox } from '@shardctl/test-support';
import { afterAll, beforeAll } from 'vitest';

export const bot = fileURLToPath(new URL('fixtures/bot.mjs', import.meta.url));

export interface RunningFleet {
	cli: CliSandbox;
	/** The environment that points to the simulated Discord. */
	env: Record<string, string>;
	run: CliRun;
	simulator: Simulator;
}

/** Starts the fleet before the tests of this file and stops it after them. */
export function runningFleet(args: readonly string[]): RunningFleet {
	const ends: (() => void)[] = [];
	const cli = cliSandbox((end) => ends.push(end));
	const fleet = { cli, env: {} } as RunningFleet;
	beforeAll(async () => {
		fleet.simulator = await createSimulator({ guilds: 4, maxConcurrency: 16 });
		fleet.env = { DISCORD_TOKEN: fleet.simulator.token, SHARDCTL_API: fleet.simulator.url };
		fleet.run = cli.run(['start', bot, '--log-format', 'json', ...args], { env: fleet.env });
		await fleet.run.message(/^fleet ready/);
	});
	afterAll(async () => {
		fleet.run.process.kill('SIGTERM');
		await fleet.run.exit;
		for (const end of ends.reverse()) end();
		await fleet.simulator.stop();
	});
	return fleet;
}
