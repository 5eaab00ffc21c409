// Finds the managers of this user and queries their health, all at once.
import { createControlClient, type FoundManager, runningManagers } from '@shardctl/control';
import { messageOf, ShardctlError } from '@shardctl/core';
import type { FleetHealth } from '@shardctl/manager';
import { causeText } from '../health/health-lines.js';
import { age } from '../terminal/age.js';
import { out, statusColour } from '../terminal/colours.js';
import { plural } from '../terminal/count.js';
import { clip, tableLines } from '../terminal/table.js';
import { outputWidth } from '../terminal/width.js';

const healthTimeoutMs = 2000;

/** One running manager. `status` is `unresponsive` when its process exists but does not answer. */
export interface ListedManager {
	name: string;
	status: string;
	pid: number;
	shards: number | null;
	readyShards: number | null;
	workers: number | null;
	uptimeMs: number;
	cwd: string;
	file: string;
	/** Null where the manager does not answer. */
	health: FleetHealth | null;
	/** Why it does not answer. */
	problem?: string;
}

export async function listManagers(): Promise<ListedManager[]> {
	const found = await Promise.all(runningManagers().map(listed));
	return found.filter((manager) => manager !== undefined);
}

/** Undefined for a record of a manager in another container. */
async function listed({ name, pid, cwd, file, since }: FoundManager): Promise<ListedManager | undefined> {
	const known = { name, pid, cwd, file };
	try {
		const { status, shards, readyShards, workers, uptimeMs, health } = await createControlClient(name, {
			timeoutMs: healthTimeoutMs,
		}).health();
		return { ...known, status, shards, readyShards, workers, uptimeMs, health };
	} catch (error) {
		if (ShardctlError.is(error) && error.code === 'MANAGER_NOT_RUNNING') return undefined;
		const unknown = { shards: null, readyShards: null, workers: null, uptimeMs: Date.now() - since, health: null };
		return { ...known, ...unknown, status: 'unresponsive', problem: messageOf(error) };
	}
}

/** The table for people. */
export function managerTable(managers: readonly ListedManager[]): string {
	const lines = tableLines<ListedManager>(
		[
			{ title: 'NAME', cell: ({ name }) => out.bold(name) },
			{ title: 'STATUS', cell: (manager) => statusColour(out, shownStatus(manager)) },
			{ title: 'SHARDS', cell: ({ readyShards, shards }) => `${readyShards ?? '?'}/${shards ?? '?'}`, align: 'right' },
			{ title: 'WORKERS', cell: ({ workers }) => String(workers ?? '?'), align: 'right', leaves: 2 },
			{ title: 'UP', cell: ({ uptimeMs }) => age(uptimeMs), align: 'right', leaves: 3 },
			{ title: 'PID', cell: ({ pid }) => String(pid), align: 'right' },
			{ title: 'FOLDER', cell: ({ cwd }) => out.dim(cwd), leaves: 1 },
		],
		managers,
		{ width: outputWidth(process.stdout), dim: out.dim },
	);
	const nowMs = Date.now();
	const width = outputWidth(process.stdout);
	const causes = managers.flatMap(({ name, health, problem }) => {
		const [first, ...others] = health?.causes ?? [];
		const text = first ? causeText(first, nowMs) : problem;
		const more = others.length > 0 ? `, and ${plural(others.length, 'more cause')}` : '';
		return text === undefined ? [] : [clip(`${name}: ${text}${more}`, width)];
	});
	return `${[...lines, ...causes].join('\n')}\n`;
}

function shownStatus({ status, health }: ListedManager): string {
	return health && health.status !== 'healthy' && (status === 'running' || status === 'degraded') ? health.status : status;
}
