// `shardctl health`: whether a fleet serves its guilds, as a sentence, as JSON, and as an exit status for machines.
import { ShardctlError } from '@shardctl/core';
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { duration } from '../option-parsers.js';
import { scopeOptions, type TargetOptions, target, targetOptions } from '../target.js';
import { printErr, printOut } from '../terminal/print.js';

interface HealthOptions extends TargetOptions {
	json?: boolean;
	wait?: number;
}

export function healthCommand(): Command {
	const command = new Command('health')
		.summary('Reports whether a fleet is healthy, as its exit status.')
		.description(
			'Reports whether a fleet serves its guilds, and if not, why. Exit status: 0 healthy, 1 degraded, 2 down, 3 no such fleet.',
		)
		.addOption(option('--wait <time>', 'wait until the fleet is healthy, for this long at most', 'HEALTH').argParser(duration))
		.addOption(jsonOption());
	for (const each of [...targetOptions(), ...scopeOptions()]) command.addOption(each);
	return command.action(async ({ json, wait = 0, ...which }: HealthOptions) => {
		const { healthExitCodes, readHealth } = await import('../health/read-health.js');
		const { systemClock } = await import('@shardctl/core');
		try {
			const connect = async () => (await target(which)).client;
			const { name, health, losses } = await readHealth({ connect, waitMs: wait, clock: systemClock });
			process.exitCode = healthExitCodes[health.status];
			if (json) {
				printOut(`${JSON.stringify({ name, ...health, losses }, null, 2)}\n`);
				return;
			}
			const { healthText } = await import('../health/health-lines.js');
			const { outputWidth } = await import('../terminal/width.js');
			printOut(healthText({ name, health, losses }, { width: outputWidth(process.stdout), nowMs: Date.now() }));
		} catch (error) {
			// The manager exists and does not answer, so what it serves is not known.
			if (!ShardctlError.is(error) || error.code === 'MANAGER_NOT_RUNNING' || error.code === 'OPTIONS_INVALID') throw error;
			printErr(`error: ${error.message}\n`);
			process.exitCode = healthExitCodes.down;
		}
	});
}
