// A fleet of a small bot against a simulator, for the tests of what real bots do.
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createSimulator, type Simulator } from '@shardctl/simulator';
import { tempDir, waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { createShardManager, type ShardManager, type ShardManagerOptions } from 'shardctl';
import { onTestFinished } from 'vitest';

const modules = fileURLToPath(new URL('../node_modules', import.meta.url));

export interface Fleet {
	manager: ShardManager;
	simulator: Simulator;
	lines: string[];
	warnings: string[];
}

export interface FleetOptions extends ShardManagerOptions {
	simulate?: boolean;
}

/** A fleet of a bot that consists of the given files, the first of them the one that is started; not spawned yet. */
export async function makeFleet(files: Record<string, string>, options: FleetOptions = {}, level = 'warn'): Promise<Fleet> {
	const dir = tempDir();
	for (const [name, source] of Object.entries(files)) writeFileSync(join(dir, name), source);
	symlinkSync(modules, join(dir, 'node_modules'), 'junction');
	const simulator = await createSimulator({ guilds: 6, maxConcurrency: 16 });
	const warnings: string[] = [];
	const { simulate = false, ...rest } = options;
	const manager = createShardManager(join(dir, Object.keys(files)[0] as string), {
		api: simulator.url,
		token: simulator.token,
		totalShards: 2,
		control: false,
		cwd: dir,
		logger: pino({ level }, { write: (line) => void warnings.push(line) }),
		silent: true,
		statsIntervalMs: 200,
		...rest,
		// As `start --simulate` does it.
		...(simulate ? { simulator: { url: simulator.url } } : {}),
	});
	onTestFinished(async () => {
		await manager.stop({ graceMs: 2000 });
		await simulator.stop();
	});
	const lines: string[] = [];
	manager.on('worker:log', ({ line }) => lines.push(line));
	return { manager, simulator, lines, warnings };
}

export async function startFleet(files: Record<string, string>, options: FleetOptions = {}, level = 'warn'): Promise<Fleet> {
	const fleet = await makeFleet(files, options, level);
	await fleet.manager.spawn().catch((error: unknown) => {
		throw new Error(`not ready:\n${fleet.lines.join('\n')}`, { cause: error });
	});
	return fleet;
}

/** What follows in the first line that begins so. */
export const line = (fleet: Fleet, start: string): Promise<string> =>
	waitFor(`a line "${start}"`, () =>
		fleet.lines
			.find((text) => text.startsWith(start))
			?.slice(start.length)
			.trim(),
	);
