// Which manager a command talks to: `--name`, `--url`, or the one that was probably meant.

import type { ControlClient } from '@shardctl/control';
import { ShardctlError } from '@shardctl/core';
import type { Option } from 'commander';
import { option } from './option.js';

export interface TargetOptions {
	name?: string;
	url?: string;
}

/** The options of every command that talks to a manager. */
export function targetOptions(): Option[] {
	return [
		option('--name <name>', 'which manager, where several run (default: the one of this folder, or the only one)'),
		option('--url <url>', 'a manager on TCP instead; its token comes from SHARDCTL_CONTROL_TOKEN'),
	];
}

export interface Target {
	client: ControlClient;
	/** For people. */
	label: string;
}

/** A client for the manager meant. Throws `MANAGER_NOT_RUNNING`, and `OPTIONS_INVALID` when several could be meant. */
export async function target({ name, url }: TargetOptions): Promise<Target> {
	const { createControlClient } = await import('@shardctl/control');
	if (url !== undefined) {
		return { client: createControlClient({ url, token: process.env.SHARDCTL_CONTROL_TOKEN ?? '' }), label: url };
	}
	const chosen = name ?? (await meantManager());
	return { client: createControlClient(chosen), label: chosen };
}

/** Without a name: the only manager started in this folder; else the one named like this folder's bot; else the only one. */
async function meantManager(): Promise<string> {
	const { defaultManagerName, managerNotRunning, runningManagers } = await import('@shardctl/control');
	const running = runningManagers();
	const names = running.map(({ name }) => name);
	const here = running.filter(({ cwd }) => cwd === process.cwd());
	const usual = defaultManagerName(`${process.cwd()}/bot.js`);
	const meant = here.length === 1 ? here[0]?.name : names.includes(usual) ? usual : names.length === 1 ? names[0] : undefined;
	if (meant !== undefined) return meant;
	if (running.length === 0) throw managerNotRunning(usual, []);
	throw new ShardctlError('OPTIONS_INVALID', `several managers are running, say which one by --name: ${names.join(', ')}`, {
		details: { running: names },
	});
}
