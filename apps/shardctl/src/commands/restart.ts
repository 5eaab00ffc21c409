// `shardctl restart`: replaces the workers of a running fleet, or one of them, and waits until they are ready.
import { Command } from 'commander';
import { option } from '../option.js';
import { duration, whole } from '../option-parsers.js';
import { scopeOptions, type TargetOptions, target, targetOptions } from '../target.js';
import { printErr } from '../terminal/print.js';

interface RestartOptions extends TargetOptions {
	shard?: number;
	worker?: number;
	gateways?: boolean;
	rest?: boolean;
	rolling?: boolean;
	parallel?: number;
	delay?: number;
}

export function restartCommand(): Command {
	const command = new Command('restart')
		.summary('Restarts workers and waits until they are ready.')
		.description('Restarts all workers, or one, and waits until they are ready again.')
		.addOption(option('--shard <id>', 'only the worker that owns this shard').argParser(whole(0)))
		.addOption(option('--worker <id>', 'only this worker').argParser(whole(0)).conflicts('shard'))
		.addOption(
			option('--gateways', 'restart the gateway processes instead, one at a time; sessions are resumed').conflicts([
				'shard',
				'worker',
				'rolling',
			]),
		)
		.addOption(
			option('--rest', 'restart the REST process instead; requests wait meanwhile', 'RESTART').conflicts([
				'shard',
				'worker',
				'rolling',
				'gateways',
			]),
		)
		.addOption(
			option('--rolling', 'one at a time, so that the others keep serving (default: all at once)').conflicts(['shard', 'worker']),
		)
		.addOption(option('--parallel <count>', 'workers to restart at once, with --rolling (default: 1)').argParser(whole(1)))
		.addOption(option('--delay <time>', 'pause between two restarts, with --rolling (default: none)').argParser(duration));
	for (const each of [...targetOptions({ ownFolder: true }), ...scopeOptions()]) command.addOption(each);
	return command.action(async ({ shard, worker, gateways, rest, rolling, parallel, delay, ...which }: RestartOptions) => {
		const { client, label } = await target(which, 'restart');
		const restart = () => client.restart({ shard, worker, gateways, rest, rolling, parallel, delayMs: delay });
		const { withProgress } = await import('../progress.js');
		const steps = ['restart:progress', 'worker:rolled-back'] as const;
		const { workers, tookMs } = rolling ? await withProgress(client, steps, restart) : await restart();
		const ofWorkers = workers.length === 1 ? `worker ${workers[0]}` : `${workers.length} workers`;
		const what = gateways ? 'the gateway processes' : rest ? 'the REST process' : ofWorkers;
		printErr(`restarted ${what} of ${label} in ${(tookMs / 1000).toFixed(1)} s\n`);
	});
}
