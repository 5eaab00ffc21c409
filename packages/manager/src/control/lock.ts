// One manager per name: a lock file that holds who has it. A lock whose owner is dead is taken over.
import { closeSync, openSync, readFileSync, unlinkSync, writeSync } from 'node:fs';
import { ShardctlError } from '@shardctl/core';

export interface Lock {
	release(): void;
}

/** Takes the lock, or throws `MANAGER_RUNNING` with the owner's process id. */
export function takeLock(path: string, name: string): Lock {
	for (;;) {
		try {
			const fd = openSync(path, 'wx', 0o600);
			writeSync(fd, `${process.pid}\n`);
			closeSync(fd);
			return { release: () => unlinkIfThere(path) };
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
		}
		const owner = ownerOf(path);
		if (owner !== undefined && isRunning(owner)) {
			throw new ShardctlError(
				'MANAGER_RUNNING',
				`a manager named "${name}" is running already (process ${owner}): stop it with "shardctl stop --name ${name}", or give this one another --name`,
				{ details: { name, pid: owner } },
			);
		}
		unlinkIfThere(path);
	}
}

function ownerOf(path: string): number | undefined {
	try {
		return Number.parseInt(readFileSync(path, 'utf8'), 10) || undefined;
	} catch {
		return undefined;
	}
}

function isRunning(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}

function unlinkIfThere(path: string): void {
	try {
		unlinkSync(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
	}
}
