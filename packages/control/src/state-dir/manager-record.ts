// The record of a running manager in the state folder: its process, and where it was started. The record is also the lock on its name.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { isSameProcess, type ProcessIdentity } from './process-identity.js';
import { socketPath, stateDirCandidates } from './state-dir.js';

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

/** The record at a path; undefined if there is none, or it cannot be read. */
export function readRecord(path: string): ManagerRecord | undefined {
	try {
		const record = JSON.parse(readFileSync(path, 'utf8')) as ManagerRecord;
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
	for (const dir of stateDirCandidates(env)) {
		for (const entry of entriesOf(dir)) {
			if (!entry.endsWith(recordSuffix)) continue;
			const record = readRecord(join(dir, entry));
			if (!record || found.has(record.name) || isSameProcess(record) === 'no') continue;
			found.set(record.name, { ...record, socketPath: socketPath(dir, record.name) });
		}
	}
	return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

export function entriesOf(dir: string): string[] {
	try {
		return readdirSync(dir);
	} catch {
		return [];
	}
}
