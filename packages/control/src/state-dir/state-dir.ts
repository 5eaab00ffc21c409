// The folder in which managers are found: only this user can enter it, and it is the same from a terminal, from cron, under systemd and
// in a container.
import { accessSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { messageOf, ShardctlError } from '@shardctl/core';
import { isOpen, type Owners, ownersIn } from './ownership.js';

/** Unix socket paths end at 107 bytes (103 on macOS); a longer path fails with an obscure message. */
const maxSocketPathBytes = process.platform === 'darwin' ? 103 : 107;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The folders that may hold the record of a manager of this user, in order of preference. `SHARDCTL_STATE_DIR` is the only one if it is
 * set. Otherwise what systemd gives a unit (`RuntimeDirectory=`, `StateDirectory=`), the user's state folder, and for users without a
 * writable home (containers, read-only roots) the runtime and the temporary folder. `XDG_RUNTIME_DIR` is one of the last because it is
 * emptied when the user logs out, and a detached manager keeps running.
 */
export function stateDirCandidates(env: Environment = process.env): string[] {
	if (env.SHARDCTL_STATE_DIR) return [env.SHARDCTL_STATE_DIR];
	const bases = [
		firstOfList(env.RUNTIME_DIRECTORY),
		firstOfList(env.STATE_DIRECTORY),
		process.platform === 'win32' ? env.LOCALAPPDATA : undefined,
		env.XDG_STATE_HOME,
		homeStateDir(env),
		env.XDG_RUNTIME_DIR,
	];
	const dirs = bases.filter((base) => base !== undefined && base !== '').map((base) => join(base as string, 'shardctl'));
	return [...new Set([...dirs, temporaryDir()])];
}

/** Those of the candidates whose files are believed, and whose they have to be; see ownership.ts. */
export function believedDirs(env: Environment = process.env): { dir: string; owners: Owners }[] {
	const chosen = Boolean(env.SHARDCTL_STATE_DIR);
	return stateDirCandidates(env).flatMap((dir) => {
		const owners = ownersIn(dir, { chosen });
		return owners === undefined ? [] : [{ dir, owners }];
	});
}

/**
 * The folder for the record of a new manager, created with mode 0700: the first candidate that only this user can write. Throws
 * `STATE_DIR_UNUSABLE` if there is none.
 */
export function stateDir(env: Environment = process.env): string {
	const problems: string[] = [];
	for (const dir of stateDirCandidates(env)) {
		const problem = prepare(dir);
		if (problem === undefined) return dir;
		problems.push(`  ${dir}: ${problem}`);
	}
	throw new ShardctlError(
		'STATE_DIR_UNUSABLE',
		`no usable folder for the manager's socket and lock; set SHARDCTL_STATE_DIR to a folder that this user can write\n${problems.join('\n')}`,
	);
}

/**
 * The address of a control API whose record is in `dir`: a Unix socket, or on Windows a named pipe, where the same name in another
 * folder must be another pipe and the system lets only this user and administrators write to it.
 */
export function socketPath(dir: string, name: string, platform: NodeJS.Platform = process.platform): string {
	if (platform === 'win32') return `\\\\.\\pipe\\shardctl-${pipePart(dir)}-${name}`;
	const path = join(dir, `${name}.sock`);
	if (Buffer.byteLength(path) <= maxSocketPathBytes) return path;
	throw new ShardctlError(
		'STATE_DIR_UNUSABLE',
		`the socket path ${path} is longer than the ${maxSocketPathBytes} bytes that the system allows; set SHARDCTL_STATE_DIR to a shorter path`,
	);
}

/** Names of pipes have no backslash, at most 256 characters, and like paths on Windows no case. */
function pipePart(dir: string): string {
	return dir
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, '-')
		.replace(/^-|-$/g, '')
		.slice(-150);
}

/**
 * Creates the folder for this user alone. One that is there already stays as it is: its mode may be what others need. Returns the problem
 * if it cannot be used.
 */
function prepare(dir: string): string | undefined {
	try {
		mkdirSync(dir, { recursive: true, mode: 0o700 });
		if (process.platform === 'win32') return undefined;
		const stat = statSync(dir);
		// In a world-writable place, a folder of another user would give that user control of the fleet.
		if ([lstatSync(dir).uid, stat.uid].some((uid) => uid !== process.getuid?.())) return 'belongs to another user';
		if (isOpen(stat))
			return `other users can write to it (mode ${(stat.mode & 0o7777).toString(8)}); name a folder of its own in it`;
		accessSync(dir, constants.W_OK | constants.X_OK);
		return undefined;
	} catch (error) {
		return messageOf(error);
	}
}

function homeStateDir(env: Environment): string | undefined {
	const home = env.HOME || lookedUpHome();
	return home === undefined || home === '/' || process.platform === 'win32' ? undefined : join(home, '.local', 'state');
}

/** A user id without an entry in the user database, as in many containers, has no home, and asking for it may throw. */
function lookedUpHome(): string | undefined {
	try {
		return homedir() || undefined;
	} catch {
		return undefined;
	}
}

function temporaryDir(): string {
	return join(tmpdir(), `shardctl-${process.getuid?.() ?? 'user'}`);
}

/** systemd separates several folders by colons. */
function firstOfList(list: string | undefined): string | undefined {
	return list?.split(':')[0];
}
