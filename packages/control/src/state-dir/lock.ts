// One manager per name. Its record is created in one step that fails where a record exists; the record of a manager that is gone,
// however it ended, is replaced.
import { linkSync, renameSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { ShardctlError } from '@shardctl/core';
import { type ManagerRecord, readRecord, recordPath } from './manager-record.js';
import { isSameProcess } from './process-identity.js';
import { socketPath } from './state-dir.js';

export interface Lock {
	/** Notes that the manager is alive: the time of the record is all that is left of one that is killed. */
	touch(): void;
	release(): void;
}

const connectTimeoutMs = 1000;
let attempts = 0;

/**
 * Takes the name, or throws `MANAGER_RUNNING` with the owner's process id.
 *
 * @param onStale Called with the record of a manager that was killed, before it is replaced.
 */
export async function takeLock(
	dir: string,
	record: ManagerRecord,
	onStale: (owner: ManagerRecord) => void = () => {},
): Promise<Lock> {
	const { name } = record;
	const path = recordPath(dir, name);
	const draft = `${path}.${process.pid}.${++attempts}`;
	try {
		writeDraft(draft, record);
		for (;;) {
			// A finished file is linked, so half a record is never read.
			if (tryLink(draft, path)) return { touch: () => touch(path), release: () => releaseOwn(path, record) };
			const owner = readRecord(path);
			if (owner && (await isRunning(dir, owner))) throw managerRunning(owner);
			if (owner) onStale(owner);
			removeStale(path, owner, `${draft}.stale`);
		}
	} catch (error) {
		// Nothing can be written, which does not matter where the name is taken.
		const owner = ShardctlError.is(error) && error.code === 'STATE_DIR_UNUSABLE' ? readRecord(path) : undefined;
		if (owner && (await isRunning(dir, owner))) throw managerRunning(owner);
		throw error;
	} finally {
		unlinkIfThere(draft);
	}
}

function writeDraft(path: string, record: ManagerRecord): void {
	try {
		writeFileSync(path, `${JSON.stringify(record)}\n`, { mode: 0o600 });
	} catch (cause) {
		const { code } = cause as NodeJS.ErrnoException;
		const what =
			code === 'ENOSPC' || code === 'EDQUOT'
				? 'is on a disk without free space: free some'
				: `cannot be written (${code}): repair that`;
		throw new ShardctlError(
			'STATE_DIR_UNUSABLE',
			`the state folder ${dirname(path)} ${what}, or set SHARDCTL_STATE_DIR to another folder`,
			{ cause },
		);
	}
}

/**
 * The process decides where its identity is certain. Where it is not, or where the process is not visible (a manager in another
 * container that shares the folder), the socket decides: either a manager listens on it or not.
 */
async function isRunning(dir: string, owner: ManagerRecord): Promise<boolean> {
	return isSameProcess(owner) === 'yes' || (await accepts(socketPath(dir, owner.name)));
}

function accepts(path: string): Promise<boolean> {
	return new Promise((resolve) => {
		const socket = connect(path);
		const settle = (answer: boolean) => {
			socket.destroy();
			resolve(answer);
		};
		socket.setTimeout(connectTimeoutMs, () => settle(false));
		socket.once('connect', () => settle(true));
		socket.once('error', () => settle(false));
	});
}

/** Moves the record away, and back if it turns out to be a new one that another manager has made in the meantime. */
function removeStale(path: string, judged: ManagerRecord | undefined, aside: string): void {
	try {
		renameSync(path, aside);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
		throw error;
	}
	if (!isSameRecord(readRecord(aside), judged)) tryLink(aside, path);
	unlinkIfThere(aside);
}

function touch(path: string): void {
	const now = new Date();
	try {
		utimesSync(path, now, now);
	} catch {
		// The record was deleted by hand, or the disk is read-only.
	}
}

function releaseOwn(path: string, record: ManagerRecord): void {
	if (isSameRecord(readRecord(path), record)) unlinkIfThere(path);
}

function isSameRecord(a: ManagerRecord | undefined, b: ManagerRecord | undefined): boolean {
	return a?.pid === b?.pid && a?.since === b?.since && a?.startedAtTicks === b?.startedAtTicks;
}

function managerRunning({ name, pid }: ManagerRecord): ShardctlError {
	return new ShardctlError(
		'MANAGER_RUNNING',
		`a manager named "${name}" is running already (process ${pid}): stop it with "shardctl stop --name ${name}", or start this one with another --name`,
		{ details: { name, pid } },
	);
}

function tryLink(from: string, to: string): boolean {
	try {
		linkSync(from, to);
		return true;
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
		throw error;
	}
}

function unlinkIfThere(path: string): void {
	try {
		unlinkSync(path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
	}
}
