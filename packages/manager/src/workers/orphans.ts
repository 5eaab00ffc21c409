// Remembers on disk which processes of workers and gateways a manager has, so that the next one of the same name can end what a manager that was
// killed outright left behind: a worker logs out by itself when its manager is gone, but not while its event loop is blocked.
import { closeSync, openSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs';
import { isSameProcess, type ProcessIdentity, processIdentity, readOwned } from '@shardctl/control';
import { type Clock, sleep } from '@shardctl/core';
import type { Logger } from 'pino';

/** How long processes whose manager is gone take to log out and end by themselves, at most. */
const selfEndMs = 5000;
const pollEveryMs = 100;
const blockBytes = 4096;

/** The record of one manager's living processes. Keeping it never fails: it is a safety net, and the fleet runs without it. */
export class WorkerRecord {
	readonly #path: string;
	/** With how many workers each runs: threads share a process. */
	readonly #living = new Map<number, { identity: ProcessIdentity; workers: number }>();

	/** @param path A file in the state folder, which belongs to the holder of the manager's name. */
	constructor(path: string) {
		this.#path = path;
	}

	add(pid: number): void {
		const known = this.#living.get(pid);
		if (known) {
			known.workers++;
			return;
		}
		this.#living.set(pid, { identity: processIdentity(pid), workers: 1 });
		this.#write();
	}

	/** The process is gone for good, or one of its workers is. */
	remove(pid: number): void {
		const known = this.#living.get(pid);
		if (!known || --known.workers > 0) return;
		this.#living.delete(pid);
		this.#write();
	}

	#write(): void {
		try {
			if (this.#living.size === 0) {
				rmSync(this.#path, { force: true });
				return;
			}
		} catch {
			return;
		}
		const text = JSON.stringify([...this.#living.values()].map(({ identity }) => identity));
		// Renamed into place, so that a manager that dies in the middle leaves the last whole record. On a full disk there is no room for
		// a second file, but in the one that is there: a text of its size or shorter needs no more blocks, and blanks keep its size.
		if (this.#replace(text)) return;
		try {
			const size = statSync(this.#path).size;
			if (Buffer.byteLength(text) <= roundUp(size)) overwrite(this.#path, text.padEnd(size));
		} catch {
			// The next change tries again.
		}
	}

	#replace(text: string): boolean {
		const path = `${this.#path}.new`;
		try {
			rmSync(path, { force: true });
			writeFileSync(path, text.padEnd(roundUp(text.length)), { mode: 0o600, flag: 'wx' });
			renameSync(path, this.#path);
			return true;
		} catch {
			rmSync(path, { force: true });
			return false;
		}
	}
}

/** To whole blocks of a file system: the record of a fleet keeps its size while the fleet does, and can be written over on a full disk. */
function roundUp(bytes: number): number {
	return Math.ceil(bytes / blockBytes) * blockBytes;
}

function overwrite(path: string, text: string): void {
	const file = openSync(path, 'r+');
	try {
		writeSync(file, text, 0);
	} finally {
		closeSync(file);
	}
}

/**
 * Ends the processes that a record names and that are still alive, and resolves when none is. They get the time that they need to
 * log out; what is left then is killed with its process group. Two processes of one slice would fight over its sessions.
 *
 * Only processes that are certainly the recorded ones are touched: the id and the time of start have to agree.
 */
export async function endOrphans(
	path: string,
	{ clock, logger, signal }: { clock: Clock; logger: Pick<Logger, 'warn'>; signal: AbortSignal },
): Promise<void> {
	let alive = recorded(path).filter(isAlive);
	if (alive.length > 0) {
		logger.warn(
			{ pids: alive.map(({ pid }) => pid) },
			`an earlier manager of this name was killed and left ${list(alive)} of its workers and gateways behind; waiting until they have logged out`,
		);
		const deadline = clock.monotonic() + selfEndMs;
		while (alive.length > 0 && clock.monotonic() < deadline) {
			await sleep(clock, pollEveryMs, signal);
			alive = alive.filter(isAlive);
		}
		if (alive.length > 0) {
			for (const { pid } of alive) killGroup(pid);
			logger.warn({ pids: alive.map(({ pid }) => pid) }, `${list(alive)} did not exit on their own and were killed`);
		}
		while (alive.length > 0) {
			await sleep(clock, pollEveryMs, signal);
			alive = alive.filter(isAlive);
		}
	}
	rmSync(path, { force: true });
}

function list(processes: readonly ProcessIdentity[]): string {
	const ids = processes.map(({ pid }) => pid).join(', ');
	return processes.length === 1 ? `1 process (${ids})` : `${processes.length} processes (${ids})`;
}

function recorded(path: string): ProcessIdentity[] {
	try {
		const list = JSON.parse(readOwned(path) ?? 'null') as ProcessIdentity[] | null;
		return Array.isArray(list) ? list.filter((entry) => Number.isSafeInteger(entry?.pid) && entry.pid > 1) : [];
	} catch {
		// None, or one that was written half: there is nothing to go by.
		return [];
	}
}

function isAlive(identity: ProcessIdentity): boolean {
	return isSameProcess(identity) === 'yes';
}

/** Each of them leads a process group. */
function killGroup(pid: number): void {
	for (const target of [-pid, pid]) {
		try {
			process.kill(target, 'SIGKILL');
		} catch {
			// Gone in the meantime.
		}
	}
}
