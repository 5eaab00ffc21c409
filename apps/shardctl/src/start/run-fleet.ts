// Runs a manager from start to end: simulator, signals, output, exit status.
import { shownArguments } from '@shardctl/control';
import { LogFile } from '@shardctl/control/server';
import { messageOf, ShardctlError } from '@shardctl/core';
import {
	createShardManager,
	type ResolvedManagerOptions,
	resolveManagerOptions,
	type ShardManager,
	type ShardManagerOptions,
} from '@shardctl/manager';
import { pino } from 'pino';
import { exitCodeOf, exitCodes } from '../exit-codes.js';
import { writeSimulatorRecord } from '../simulate/simulator-record.js';
import { botToken } from './bot-token.js';
import { surviveFailedOutput } from './failed-output.js';
import { bothOutputs, type FleetOutput, jsonLoss, jsonOutput, prettyOutput, standardOutput } from './fleet-output.js';
import type { StartPlan } from './resolve-start.js';
import { type SimulatorProcess, startSimulatorProcess } from './simulator-process.js';

const defaultSimulatedGuilds = 20;

/** Runs until the fleet is stopped or has failed; returns the exit status. Throws for invalid options before anything starts. */
export async function runFleet(plan: StartPlan): Promise<number> {
	const { run } = plan;
	surviveFailedOutput();
	// Every problem of the options is reported before a file is opened or a simulator is started.
	const resolved = checkedOptions(plan);
	const { name } = resolved;
	const format = run.logFormat ?? (process.stderr.isTTY ? 'pretty' : 'json');
	const terminal = format === 'json' ? jsonOutput(standardOutput()) : prettyOutput();
	const output =
		run.logDir === undefined
			? terminal
			: bothOutputs(terminal, jsonOutput(new LogFile(run.logDir, name, { lossLine: (loss) => jsonLoss('this file', loss) })));
	const simulator = await simulatorFor(plan, name);
	try {
		const simulated = simulator && { api: simulator.url, token: simulator.token, simulator: { url: simulator.url } };
		if (simulator) output.say('info', `simulator at ${simulator.url}`, { event: 'simulator:ready', url: simulator.url });
		else sayPlaceOfToken(plan, output);
		warnOfSecretArguments(process.argv.slice(2), output);
		sayProgram(plan, resolved, output);
		return await runManager(
			createShardManager(plan.file, { ...optionsOf(plan), ...simulated, logger: output.logger, silent: true }),
			output,
		);
	} finally {
		output.close();
		await simulator?.stop();
		output.end();
	}
}

function warnOfSecretArguments(args: readonly string[], output: FleetOutput): void {
	if (shownArguments(args).every((shown, index) => shown === args[index])) return;
	output.say(
		'warn',
		'a secret is among the arguments of this command, which every user of the machine can see: give it in the environment instead ' +
			'(SHARDCTL_CLUSTER for --cluster, SHARDCTL_QUEUE for --queue)',
		{ event: 'argument:secret' },
	);
}

/** What runs the bot, where that is not node, and what follows from it. */
function sayProgram({ file, manager: { gateway } }: StartPlan, { program }: ResolvedManagerOptions, output: FleetOutput): void {
	if (!program) return;
	const what = program.interpreter === null ? `${file} is started as a program of its own` : `${program.label} runs ${file}`;
	const why = gateway === undefined ? ', so gateway processes hold its sessions with Discord (--gateway resident)' : '';
	output.say('info', `${what}${why}`, { event: 'bot:program' });
}

function sayPlaceOfToken(plan: StartPlan, output: FleetOutput): void {
	const { place } = botToken(plan);
	if (place !== undefined) output.say('info', `using the bot token of ${place}; DISCORD_TOKEN or --token-file replaces it`);
}

/** Resolves the options before anything is opened. Throws one error with every problem, each with its place. */
export function checkedOptions(plan: StartPlan): ResolvedManagerOptions {
	const simulated = plan.run.simulate === undefined ? {} : { api: 'http://127.0.0.1', token: 'simulated' };
	try {
		return resolveManagerOptions(plan.file, { ...optionsOf(plan), ...simulated, logger: silent });
	} catch (error) {
		throw plan.explain(error);
	}
}

const silent = pino({ level: 'silent' });

/** The simulator has a token of its own, and accepts the bot's. */
function optionsOf(plan: StartPlan): ShardManagerOptions {
	if (plan.run.simulate !== undefined) return plan.manager;
	const { token } = botToken(plan);
	return token === undefined ? plan.manager : { ...plan.manager, token };
}

async function simulatorFor(
	{ run: { simulate }, manager: { totalShards } }: StartPlan,
	name: string,
): Promise<SimulatorProcess | undefined> {
	if (simulate === undefined) return undefined;
	const simulator = await startSimulatorProcess({
		guilds: simulate === true ? defaultSimulatedGuilds : simulate,
		shards: typeof totalShards === 'number' ? totalShards : undefined,
	});
	// For `shardctl simulate say` and the like, from another terminal.
	const remove = writeSimulatorRecord(name, simulator);
	return {
		...simulator,
		stop() {
			remove();
			return simulator.stop();
		},
	};
}

async function runManager(manager: ShardManager, output: FleetOutput): Promise<number> {
	let stopRequested = false;
	const onSignal = (signal: NodeJS.Signals) => {
		output.close();
		if (!stopRequested) output.say('info', `${signal}: stopping; press again to kill`);
		void manager.stop({ reason: signal, ...(stopRequested ? { graceMs: 0 } : {}) });
		stopRequested = true;
	};
	// nodemon ends what it restarts with SIGUSR2.
	const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR2'] as const;
	for (const signal of signals) process.on(signal, onSignal);

	let refusal: ShardctlError | undefined;
	manager.once('fleet:refused', ({ error }) => {
		refusal = error;
		output.say('error', error.message, { code: error.code });
		void manager.stop();
	});
	output.follow(manager);
	try {
		await manager.spawn();
		output.close();
	} catch (error) {
		output.close();
		// By a signal, or by "shardctl stop" from another terminal.
		if (stopRequested || (ShardctlError.is(error) && error.code === 'MANAGER_STOPPED')) {
			await manager.stop();
			return exitCodes.fine;
		}
		output.say('error', messageOf(error), ShardctlError.is(error) ? { code: error.code } : {});
		if (manager.status === 'stopped') return exitCodeOf(error);
	}
	await manager.stopped;
	for (const signal of signals) process.off(signal, onSignal);
	output.say('info', 'stopped', { event: 'fleet:stopped' });
	return refusal ? exitCodeOf(refusal) : exitCodes.fine;
}
