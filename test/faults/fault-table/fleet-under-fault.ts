// A real fleet of the command line on its own simulated Discord, for one row of the table of faults.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createSimulator, type Simulator, type SimulatorOptions } from '@shardctl/simulator';
import { type CliRun, type CliSandbox, cliSandbox, tempDir } from '@shardctl/test-support';
import { createControlClient, type ManagerStats } from 'shardctl';
import { onTestFinished } from 'vitest';
import { fixture } from '../fleet.js';

export interface FleetUnderFault {
	cli: CliSandbox;
	run: CliRun;
	simulator: Simulator;
	/** Where the fleet keeps its state. */
	stateDir: string;
	stats(): Promise<ManagerStats>;
	metrics(): Promise<string>;
	/** Runs code in every worker, or in that of one shard. */
	eval(code: string, shard?: number): Promise<void>;
	/** The next processes of the bot exit at once. */
	crashAtStart(): void;
	workerPid(id: number): Promise<number>;
	gatewayPid(): Promise<number>;
}

export interface FleetSetup {
	args?: readonly string[];
	simulator?: SimulatorOptions;
	/** A folder instead of the sandbox's own. */
	stateDir?: string;
}

const bot = `
	const { existsSync } = require('node:fs');
	if (existsSync(process.env.CRASH)) throw new Error('no database');
	require(${JSON.stringify(fixture('fleet-bot.cjs'))});
`;

/** Starts it and waits until it is ready. Everything is removed when the test finishes. */
export async function startFleetUnderFault({ args = [], simulator: world, stateDir }: FleetSetup): Promise<FleetUnderFault> {
	const simulator = await createSimulator({ guilds: 8, shards: 4, maxConcurrency: 16, heartbeatIntervalMs: 1000, ...world });
	onTestFinished(() => simulator.stop());
	const cli = cliSandbox();
	const folder = tempDir();
	const crash = join(folder, 'crash');
	const file = join(folder, 'bot.cjs');
	writeFileSync(file, bot);
	const dir = stateDir ?? cli.stateDir;
	mkdirSync(dir, { recursive: true });
	const env = { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url, CRASH: crash, SHARDCTL_STATE_DIR: dir };
	const run = cli.run(['start', file, '--name', 'fleet', '--shards', '4', '--shards-per-worker', '2', ...args], { env });
	await run.message(/^fleet ready/);
	process.env.SHARDCTL_STATE_DIR = dir;
	const client = createControlClient('fleet', { timeoutMs: 5000 });
	const needed = (pid: number | null | undefined) => {
		if (typeof pid !== 'number') throw new Error('there is no such process now');
		return pid;
	};
	return {
		cli,
		run,
		simulator,
		stateDir: dir,
		stats: () => client.stats(),
		metrics: () => client.metrics(),
		async eval(code, shard) {
			await client.eval(code, shard === undefined ? {} : { shard });
		},
		crashAtStart: () => writeFileSync(crash, ''),
		workerPid: async (id) => needed((await client.stats()).workers.find((worker) => worker.id === id)?.pid),
		gatewayPid: async () => needed((await client.stats()).gateways?.[0]?.pid),
	};
}
