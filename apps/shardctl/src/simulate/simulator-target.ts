// Which simulator a command talks to.
import type { Option } from 'commander';
import { option } from '../option.js';

export interface SimulatorTarget {
	name?: string;
	url?: string;
}

/** The options of every command that talks to a simulator. */
export function simulatorTargetOptions(): Option[] {
	return [
		option('--name <name>', 'the fleet whose simulator is meant (default: the only one that has one)'),
		option(
			'--url <url>',
			'a simulator by its address instead, as "shardctl simulate" printed it; its control token, if it has one, comes from SHARDCTL_SIMULATE_CONTROL_TOKEN',
			'SIMULATE',
		),
	];
}
