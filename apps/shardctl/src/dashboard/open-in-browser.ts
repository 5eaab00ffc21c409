// Opens an address in the browser of a desktop. Where there is none, nothing happens: the address was printed.
import { spawn } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stateDir } from '@shardctl/control';

/** The program that opens an address on this system; undefined without a desktop, as on a server or over SSH. */
export function opener(platform: NodeJS.Platform, env: NodeJS.ProcessEnv): { command: string; args: string[] } | undefined {
	if (env.SSH_CONNECTION || env.SSH_TTY) return undefined;
	if (platform === 'darwin') return { command: 'open', args: [] };
	if (platform === 'win32') return { command: 'rundll32', args: ['url.dll,FileProtocolHandler'] };
	return env.DISPLAY || env.WAYLAND_DISPLAY ? { command: 'xdg-open', args: [] } : undefined;
}

/** By a file that only this user can read: every user of the machine sees the arguments of a process, and the address logs in. */
export function openInBrowser(url: string): void {
	const found = opener(process.platform, process.env);
	if (!found) return;
	const file = join(stateDir(), 'dashboard.html');
	rmSync(file, { force: true });
	writeFileSync(file, `<!doctype html><title>shardctl</title><meta http-equiv="refresh" content="0;url=${url}">\n`, {
		mode: 0o600,
		flag: 'wx',
	});
	const child = spawn(found.command, [...found.args, file], { detached: true, stdio: 'ignore' });
	child.on('error', () => {});
	child.unref();
}
