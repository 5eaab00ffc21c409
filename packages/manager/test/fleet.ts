// Starts a bot of fixtures/ as a fleet against a simulator of its own, and ends both with the test.
import { isAbsolute } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator, type Simulator, type SimulatorOptions } from '@shardctl/simulator';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { createShardManager, type ShardManager, type ShardManagerOptions } from '../src/index.js';

export interface Fleet {
	manager: ShardManager;
	simulator: Simulator;
	/** The lines that workers wrote, each with the worker's id. */
	lines: string[];
}

export type FleetOptions = Omit<ShardManagerOptions, 'simulator'> & { simulator?: SimulatorOptions };

export const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** A fleet that is not spawned yet. The bot is a file of fixtures/, or an absolute path. */
export async function makeFleet(bot: string, { simulator: simulatorOptions, ...options }: FleetOptions = {}): Promise<Fleet> {
	const simulator = await createSimulator({ guilds: 12, maxConcurrency: 16, ...simulatorOptions });
	const manager = createShardManager(isAbsolute(bot) ? bot : fixture(bot), {
		api: simulator.url,
		token: simulator.token,
		totalShards: 2,
		control: false,
		logger: pino({ level: 'silent' }),
		silent: true,
		statsIntervalMs: 200,
		shutdownGraceMs: 5000,
		...options,
	});
	const lines: string[] = [];
	manager.on('worker:log', ({ workerId, line }) => lines.push(`${workerId} ${line}`));
	onTestFinished(async () => {
		await manager.stop({ graceMs: 2000 });
		await simulator.stop();
	});
	return { manager, simulator, lines };
}

/** A fleet whose shards are all ready. */
export async function startFleet(bot: string, options: FleetOptions = {}): Promise<Fleet> {
	const fleet = await makeFleet(bot, options);
	await fleet.manager.spawn();
	return fleet;
}
