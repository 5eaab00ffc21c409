// Where managers leave what others find them by: a lock and a socket per name, in a folder that only this user can enter.
import { chmodSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** Unix socket paths end at 107 bytes; anything longer fails with a message that nobody understands. */
const maxSocketPathBytes = 107;

/**
 * The state folder of this user: `SHARDCTL_STATE_DIR`, else below `XDG_RUNTIME_DIR` or `XDG_STATE_HOME`, else
 * `~/.local/state/shardctl`. Created with mode 0700.
 */
export function stateDir(env: NodeJS.ProcessEnv = process.env): string {
	const dir =
		env.SHARDCTL_STATE_DIR ??
		(env.XDG_RUNTIME_DIR ? join(env.XDG_RUNTIME_DIR, 'shardctl') : undefined) ??
		(env.XDG_STATE_HOME ? join(env.XDG_STATE_HOME, 'shardctl') : join(homedir(), '.local', 'state', 'shardctl'));
	mkdirSync(dir, { recursive: true, mode: 0o700 });
	chmodSync(dir, 0o700);
	return dir;
}

/** The address of a manager's control API: a Unix socket, or a named pipe on Windows. */
export function socketPath(name: string, env: NodeJS.ProcessEnv = process.env): string {
	if (process.platform === 'win32') return `\\\\.\\pipe\\shardctl-${userInfo().username}-${name}`;
	const path = join(stateDir(env), `${name}.sock`);
	if (Buffer.byteLength(path) <= maxSocketPathBytes) return path;
	const short = join(tmpdir(), `shardctl-${userInfo().uid}`);
	mkdirSync(short, { recursive: true, mode: 0o700 });
	return join(short, `${name}.sock`);
}

/** The lock that keeps a second manager from taking the same name. */
export function lockPath(name: string, env: NodeJS.ProcessEnv = process.env): string {
	return join(stateDir(env), `${name}.lock`);
}
