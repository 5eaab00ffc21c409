// Where the simulator beside a fleet is found, and the token of its control API: a file that only this user can read, in the folder of
// the fleet's own record.
import { lstatSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateDir } from '@shardctl/control';

export interface SimulatorRecord {
	/** Its REST address, as it is printed at the start; the control API is on the same server. */
	url: string;
	controlToken: string;
}

function fileOf(name: string): string {
	return join(stateDir(), `${name}.simulator`);
}

/**
 * Writes the record of the fleet's simulator; the caller removes it by calling what is returned. Where it cannot be written, as on a full
 * disk, `simulate say` does not find the simulator; the manager reports what is wrong with the folder.
 */
export function writeSimulatorRecord(name: string, { url, controlToken }: SimulatorRecord): () => void {
	const file = fileOf(name);
	// An old file keeps its mode when it is written over.
	try {
		rmSync(file, { force: true });
		writeFileSync(file, JSON.stringify({ url, controlToken } satisfies SimulatorRecord), { mode: 0o600, flag: 'wx' });
	} catch {
		// See above.
	}
	return () => rmSync(file, { force: true });
}

/** The record of the fleet's simulator; undefined where there is none, or one that another user could have written. */
export function readSimulatorRecord(name: string): SimulatorRecord | undefined {
	const file = fileOf(name);
	try {
		const { uid, mode } = lstatSync(file);
		if (process.platform !== 'win32' && (uid !== process.getuid?.() || (mode & 0o777) !== 0o600)) return undefined;
		return JSON.parse(readFileSync(file, 'utf8')) as SimulatorRecord;
	} catch {
		return undefined;
	}
}
