// Whether a process failed because the port that it listens on is taken by a process that it is to replace. Ending the old one first helps
// then; it does not where some other program has the port.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const listening = '0A';

/** The port, or path, that was in use: `3000`, `/tmp/bot.sock`; undefined where a process ended for another reason. */
export function addressInUse(stderrTail: readonly string[]): string | undefined {
	const address = stderrTail.map((line) => /EADDRINUSE: address already in use (\S+)/.exec(line)?.[1]).findLast(Boolean);
	return address && (/:(\d+)$/.exec(address)?.[1] ?? address);
}

/** Whether the process listens on this address. `true` where that cannot be found out: other systems than Linux, and paths. */
export function holdsAddress(pid: number, address: string): boolean {
	if (process.platform !== 'linux' || !/^\d+$/.test(address)) return true;
	try {
		const sockets = new Set(['tcp', 'tcp6'].flatMap((family) => listenersOf(family, Number(address))));
		const folder = `/proc/${pid}/fd`;
		return readdirSync(folder).some((fd) => sockets.has(linkOf(`${folder}/${fd}`)));
	} catch {
		return true;
	}
}

/** Of the sockets that listen on a port, the links that a process's descriptors have. Linux: proc_pid_net(5). */
function listenersOf(family: string, port: number): string[] {
	const hex = port.toString(16).toUpperCase().padStart(4, '0');
	return readFileSync(`/proc/self/net/${family}`, 'utf8')
		.split('\n')
		.slice(1)
		.map((line) => line.trim().split(/\s+/))
		.filter(([, local, , state]) => local?.endsWith(`:${hex}`) && state === listening)
		.map((fields) => `socket:[${fields[9]}]`);
}

function linkOf(path: string): string {
	try {
		return readlinkSync(path);
	} catch {
		// It was closed meanwhile.
		return '';
	}
}
