// A fleet whose requests go through the REST process, on a simulator of its own.
import { createSimulator, type Simulator, type SimulatorOptions } from '@shardctl/simulator';
import { pino } from 'pino';
import { createShardManager, type ShardManager, type ShardManagerOptions } from 'shardctl';
import { onTestFinished } from 'vitest';

const identifyWindowMs = 300;

export interface SharedFleet {
	simulator: Simulator;
	manager: ShardManager;
	/** What the bots print. */
	lines: string[];
}

/** Starts it; everything is gone when the test finishes. */
export async function sharedFleet(
	file: string,
	options: ShardManagerOptions = {},
	simulated: SimulatorOptions = {},
): Promise<SharedFleet> {
	const simulator = await createSimulator({ guilds: 24, maxConcurrency: 16, identifyWindowMs, ...simulated });
	const manager = createShardManager(file, {
		api: simulator.url,
		token: simulator.token,
		totalShards: 2,
		identifyWindowMs,
		control: false,
		logger: pino({ level: 'silent' }),
		silent: true,
		rest: 'shared',
		...options,
	});
	onTestFinished(async () => {
		await manager.stop({ graceMs: 5000 });
		await simulator.stop();
	});
	const lines: string[] = [];
	manager.on('worker:log', ({ line }) => lines.push(line));
	await manager.spawn().catch((error: unknown) => {
		throw new Error(`not ready:\n${lines.join('\n')}`, { cause: error });
	});
	return { simulator, manager, lines };
}
