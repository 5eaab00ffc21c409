// Where the gateway processes of a manager keep their snapshots: beside the lock on the manager's name, where there is one. Without it
// another manager of that name may run at the same time, so the folder is a temporary one.
import { existsSync, mkdtempSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stateDir } from '@shardctl/control';

export interface SnapshotFolder {
	path: string;
	/** Removes the snapshots, or those of one gateway process; not the events that were set aside. */
	empty(gatewayId?: number): void;
	/** Removes what no later process needs: everything where none could find it, else the folders that are empty. */
	release(): void;
}

export function openSnapshotFolder({ name, locked }: { name: string; locked: boolean }): SnapshotFolder {
	if (locked) {
		const path = join(stateDir(), `${name}.gateways`);
		return {
			path,
			empty: (id) => removeSnapshots(id === undefined ? path : join(path, String(id))),
			release: () => removeEmptyFolders(path),
		};
	}
	const path = mkdtempSync(join(tmpdir(), 'shardctl-gateways-'));
	return {
		path,
		empty: (id) => removeSnapshots(id === undefined ? path : join(path, String(id))),
		release: () => rmSync(path, { recursive: true, force: true }),
	};
}

function removeSnapshots(folder: string): void {
	if (!existsSync(folder)) return;
	for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
		if (entry.isFile() && !entry.name.startsWith('poison-')) rmSync(join(entry.parentPath, entry.name), { force: true });
	}
	removeEmptyFolders(folder);
}

/** A file that is left is a session that was not ended, or an event that was set aside. */
function removeEmptyFolders(folder: string): void {
	try {
		for (const entry of readdirSync(folder, { withFileTypes: true })) {
			if (entry.isDirectory()) removeEmptyFolders(join(folder, entry.name));
		}
		rmdirSync(folder);
	} catch {
		// It is not there, has something in it, or is not ours to change.
	}
}
