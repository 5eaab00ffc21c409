// Which fleet a command connects to: `--name`, `--url`, or the default.
import { dirname, isAbsolute, join, relative, sep } from 'node:path';
import type { ControlClient, EndedFleet } from '@shardctl/control';
import { ShardctlError } from '@shardctl/core';
import type { Option } from 'commander';
import { option } from './option.js';
import { ownCommand } from './terminal/own-command.js';

export interface TargetOptions {
	name?: string;
	url?: string;
	/** Only the node of that manager, or only the node of this name. */
	local?: boolean;
	node?: string;
}

/**
 * The options of every command that connects to a fleet.
 *
 * @param ownFolder See `replacing` of {@link target}.
 */
export function targetOptions({ ownFolder = false } = {}): Option[] {
	return [
		option(
			'--name <name>',
			ownFolder
				? 'fleet to use (default: the one of this folder)'
				: 'fleet to use, if several run (default: the one started in this folder, or the only one)',
		),
		option('--url <url>', 'connect over TCP instead; the token is read from SHARDCTL_CONTROL_TOKEN'),
	];
}

export interface Target {
	client: ControlClient;
	/** For people. */
	label: string;
}

/** The options of a command that means a whole cluster, and can mean one node. */
export function scopeOptions(): Option[] {
	return [
		option('--local', 'in a cluster: only the node of this fleet').conflicts('node'),
		// SHARDCTL_NODE is the name of the node that "start" runs.
		option('--node <name>', 'in a cluster: only this node', 'ON'),
	];
}

/** The one for reading is enough for the commands that only read. */
function controlToken(): string {
	return process.env.SHARDCTL_CONTROL_TOKEN || process.env.SHARDCTL_CONTROL_READ_TOKEN || '';
}

/**
 * A client for that fleet. Throws `MANAGER_NOT_RUNNING`, and `OPTIONS_INVALID` when there is more than one candidate.
 *
 * @param replacing The command, where it ends or replaces processes of the fleet: without a name it takes only a fleet of this folder.
 */
export async function target({ name, url, local, node }: TargetOptions, replacing?: string): Promise<Target> {
	const { createControlClient } = await import('@shardctl/control');
	const scope = { ...(local ? { local } : {}), ...(node === undefined ? {} : { node }) };
	if (url !== undefined) {
		return { client: createControlClient({ url, token: controlToken() }, { scope }), label: url };
	}
	const chosen = name ?? (await resolveDefaultManager(replacing));
	return { client: createControlClient(chosen, { scope }), label: chosen };
}

/** A running fleet, or what is left of one. */
export type TargetOrEnded = { running: Target } | { ended: EndedFleet };

/** As {@link target}; where no such fleet runs, the one that ran last. Throws `MANAGER_NOT_RUNNING` where there is none of either kind. */
export async function targetOrEnded(which: TargetOptions): Promise<TargetOrEnded> {
	const { endedFleets, runningManagers } = await import('@shardctl/control');
	if (which.url !== undefined) return { running: await target(which) };
	const running = runningManagers();
	const isRunning = which.name === undefined ? running.length > 0 : running.some(({ name }) => name === which.name);
	const past = isRunning ? [] : endedFleets();
	const ended = which.name === undefined ? lastOf(past) : past.find(({ name }) => name === which.name);
	return ended ? { ended } : { running: await target(which) };
}

/** Of fleets that have ended: the last one of this folder, else the only one. */
function lastOf(past: readonly EndedFleet[]): EndedFleet | undefined {
	return past.find(({ cwd }) => cwd === process.cwd()) ?? (past.length === 1 ? past[0] : undefined);
}

/** Without a name: the only manager started in this folder; else the one named like this folder's bot; else the only one. */
async function resolveDefaultManager(replacing: string | undefined): Promise<string> {
	const { defaultManagerName, endedFleets, managerNotRunning, runningManagers } = await import('@shardctl/control');
	const all = runningManagers();
	const running = replacing === undefined ? all : all.filter((fleet) => isOfFolder(fleet, process.cwd()));
	if (replacing !== undefined && all.length > 0 && running.length === 0) throw notOfThisFolder(all, replacing);
	const names = running.map(({ name }) => name);
	const here = running.filter(({ cwd }) => cwd === process.cwd());
	const usual = defaultManagerName(`${process.cwd()}/bot.js`);
	const meant = here.length === 1 ? here[0]?.name : names.includes(usual) ? usual : names.length === 1 ? names[0] : undefined;
	if (meant !== undefined) return meant;
	// One that has just ended here is the one that is meant, and how it ended the answer.
	if (running.length === 0) throw managerNotRunning(lastOf(endedFleets())?.name ?? usual, []);
	throw new ShardctlError('OPTIONS_INVALID', `several fleets are running; pick one with --name: ${names.join(', ')}`, {
		details: { running: names },
	});
}

/** Whether a fleet was started in a folder, or its bot file is below it or above. */
function isOfFolder({ cwd, file }: { cwd: string; file: string }, folder: string): boolean {
	return cwd === folder || isInside(file, folder) || isInside(join(folder, 'any'), dirname(file));
}

function isInside(path: string, folder: string): boolean {
	const way = relative(folder, path);
	return way !== '' && !isAbsolute(way) && way.split(sep)[0] !== '..';
}

function notOfThisFolder(running: readonly { name: string; cwd: string }[], replacing: string): ShardctlError {
	const command = [ownCommand({ script: process.argv[1], cwd: process.cwd() }), ...process.argv.slice(2)].join(' ');
	const commands = running.map(({ name, cwd }) => `  ${command} --name ${name}  (started in ${cwd})`);
	return new ShardctlError(
		'MANAGER_NOT_RUNNING',
		`no fleet of this folder is running; to ${replacing} another one:\n${commands.join('\n')}`,
		{
			details: { running: running.map(({ name }) => name) },
		},
	);
}
