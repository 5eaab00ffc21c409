// The record of a running manager in the state folder: its process, and where it was started. The record is also the lock on its name.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isOwned, type Owners, readOwned } from './ownership.js';
import { isSameProcess, type ProcessIdentity } from './process-identity.js';
import { believedDirs, socketPath } from './state-dir.js';

export interface ManagerRecord extends ProcessIdentity {
	name: string;
	/** Folder in which the manager was started. */
	cwd: string;
	/** The bot file. */
	file: string;
	/** Epoch ms. */
	since: number;
	/** What it was started with: the arguments of its process, from the script on. Absent in records of earlier versions. */
	command?: readonly string[];
}

/** A record with the address of its manager. */
export interface FoundManager extends ManagerRecord {
	socketPath: string;
}

export const recordSuffix = '.lock';

export function recordPath(dir: string, name: string): string {
	return join(dir, `${name}${recordSuffix}`);
}

/** The record at a path; undefined if there is none, it cannot be read, or another user (default: than this one) could have written it. */
export function readRecord(path: string, owners?: Owners): ManagerRecord | undefined {
	try {
		const record = JSON.parse(readOwned(path, owners) ?? 'null') as ManagerRecord;
		return isRecord(record) ? record : undefined;
	} catch {
		return undefined;
	}
}

export function isRecord(record: Partial<ManagerRecord> | null): boolean {
	return typeof record?.pid === 'number' && typeof record.name === 'string';
}

/** The managers of this user whose process exists, or may exist where it is not visible from here, sorted by name. */
export function runningManagers(env: NodeJS.ProcessEnv = process.env): FoundManager[] {
	const found = new Map<string, FoundManager>();
	for (const { dir, owners } of believedDirs(env)) {
		for (const entry of entriesOf(dir)) {
			if (!entry.endsWith(recordSuffix)) continue;
			const record = readRecord(join(dir, entry), owners);
			if (!record || recordPath(dir, record.name) !== join(dir, entry)) continue;
			if (found.has(record.name) || isSameProcess(record) === 'no') continue;
			const path = socketPath(dir, record.name);
			if (isBelievedSocket(path, owners)) found.set(record.name, { ...record, socketPath: path });
		}
	}
	return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/** A manager that is just starting has no socket yet. */
function isBelievedSocket(path: string, owners: Owners): boolean {
	try {
		return isOwned(path, owners, 'socket');
	} catch {
		return true;
	}
}

export function entriesOf(dir: string): string[] {
	try {
		return readdirSync(dir);
	} catch {
		return [];
	}
}
