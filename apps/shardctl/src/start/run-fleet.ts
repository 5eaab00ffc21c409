// Runs a manager from start to end: simulator, signals, output, exit status.
import { messageOf, ShardctlError } from '@shardctl/core';
import { createShardManager, type ShardManager, type ShardManagerOptions } from '@shardctl/manager';
import type { StartOptions } from '../commands/start.js';
import { exitCodeOf, exitCodes } from '../exit-codes.js';
import { type FleetOutput, jsonOutput, prettyOutput } from './fleet-output.js';
import { type SimulatorProcess, startSimulatorProcess } from './simulator-process.js';
import { readTokenFile } from './token-file.js';

const defaultSimulatedGuilds = 20;

/** Runs until the fleet is stopped or has failed; answers the exit status. Wrong options are thrown before anything starts. */
export async function runFleet(file: string, args: string[], options: StartOptions): Promise<number> {
	const format = options.logFormat ?? (process.stderr.isTTY ? 'pretty' : 'json');
	const output = format === 'json' ? jsonOutput() : prettyOutput();
	// All that can be wrong with the options is said before a simulator is started for nothing.
	const simulated = { api: 'http://127.0.0.1', token: 'simulated' };
	createShardManager(file, managerOptions(options, args, output, options.simulate === undefined ? undefined : simulated));
	const simulator = await simulatorFor(options);
	try {
		return await runManager(
			createShardManager(
				file,
				managerOptions(options, args, output, simulator && { api: simulator.url, token: simulator.token }),
			),
			output,
		);
	} finally {
		output.close();
		await simulator?.stop();
	}
}

async function simulatorFor({ simulate, shards }: StartOptions): Promise<SimulatorProcess | undefined> {
	if (simulate === undefined) return undefined;
	return startSimulatorProcess({
		guilds: simulate === true ? defaultSimulatedGuilds : simulate,
		shards: typeof shards === 'number' ? shards : undefined,
	});
}

async function runManager(manager: ShardManager, output: FleetOutput): Promise<number> {
	let stopRequested = false;
	const onSignal = (signal: NodeJS.Signals) => {
		output.close();
		if (!stopRequested) output.say('info', `${signal}: stopping; once more to stop without grace`);
		void manager.stop(stopRequested ? { graceMs: 0 } : {});
		stopRequested = true;
	};
	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
	for (const signal of signals) process.on(signal, onSignal);

	const refused = new Promise<number>((resolve) => {
		manager.once('fleet:refused', ({ error }) => {
			output.say('error', error.message, { code: error.code });
			void manager.stop().then(() => resolve(exitCodeOf(error)));
		});
	});
	output.follow(manager);
	try {
		await manager.spawn();
		output.close();
	} catch (error) {
		output.close();
		if (stopRequested) {
			await manager.stop();
			return exitCodes.fine;
		}
		output.say('error', messageOf(error), ShardctlError.is(error) ? { code: error.code } : {});
		if (manager.status === 'stopped') return exitCodeOf(error);
	}
	const status = await Promise.race([manager.stopped.then(() => exitCodes.fine), refused]);
	for (const signal of signals) process.off(signal, onSignal);
	output.say('info', 'stopped', { event: 'fleet:stopped' });
	return status;
}

function managerOptions(
	options: StartOptions,
	args: string[],
	output: FleetOutput,
	simulated: { api: string; token: string } | undefined,
): ShardManagerOptions {
	return definedOnly({
		token: simulated?.token ?? (options.tokenFile === undefined ? undefined : readTokenFile(options.tokenFile)),
		api: simulated?.api ?? options.api,
		totalShards: options.shards,
		shardList: options.shardList,
		shardsPerWorker: options.shardsPerWorker,
		name: options.name,
		respawn: options.respawn,
		readyTimeoutMs: options.readyTimeout,
		heartbeatTimeoutMs: options.heartbeatTimeout,
		shutdownGraceMs: options.grace,
		maxMemoryBytes: options.maxMemory,
		args,
		logger: output.logger,
	});
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function definedOnly<T extends object>(object: T): Defined<T> {
	return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined)) as Defined<T>;
}
