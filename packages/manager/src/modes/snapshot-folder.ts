// Where the gateway processes of a manager keep their snapshots: beside the lock on the manager's name, where there is one. Without it
// another manager of that name may run at the same time, so the folder is a temporary one.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stateDir } from '@shardctl/control';

export interface SnapshotFolder {
	path: string;
	/** Removes it where no later process could find it. */
	release(): void;
}

export function openSnapshotFolder({ name, locked }: { name: string; locked: boolean }): SnapshotFolder {
	if (locked) return { path: join(stateDir(), `${name}.gateways`), release() {} };
	const path = mkdtempSync(join(tmpdir(), 'shardctl-gateways-'));
	return { path, release: () => rmSync(path, { recursive: true, force: true }) };
}
