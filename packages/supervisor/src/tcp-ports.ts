// Which process has a TCP port, by the kernel's own tables (Linux: /proc/PID/net/tcp, proc(5)). What a process says about its ports is
// not asked.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const listening = '0A';
const established = '01';

/** Whether this process listens on the port. Where the kernel has no such table (macOS, Windows), null. */
export function listensOn(pid: number, port: number): boolean | null {
	return owns(pid, port, listening);
}

/** Whether a client is connected to the port of this process. Where the kernel has no such table (macOS, Windows), null. */
export function hasClient(pid: number, port: number): boolean | null {
	return owns(pid, port, established);
}

function owns(pid: number, port: number, state: string): boolean | null {
	if (process.platform !== 'linux') return null;
	const inodes = inodesOf(pid, port, state);
	return inodes.size > 0 && socketsOf(pid).some((inode) => inodes.has(inode));
}

/** The sockets with this local port and state in the network namespace of the process. */
function inodesOf(pid: number, port: number, state: string): Set<string> {
	const inodes = new Set<string>();
	for (const table of ['tcp', 'tcp6']) {
		for (const line of readOr('', () => readFileSync(`/proc/${pid}/net/${table}`, 'utf8')).split('\n')) {
			const fields = line.trim().split(/\s+/);
			const [, local = '', , st] = fields;
			if (st === state && Number.parseInt(local.slice(local.indexOf(':') + 1), 16) === port) inodes.add(fields[9] ?? '');
		}
	}
	return inodes;
}

function socketsOf(pid: number): string[] {
	return readOr([], () => readdirSync(`/proc/${pid}/fd`)).flatMap((fd) => {
		const target = readOr('', () => readlinkSync(`/proc/${pid}/fd/${fd}`));
		return /^socket:\[(\d+)\]$/.exec(target)?.[1] ?? [];
	});
}

/** The process may end at any time, and a descriptor may close. */
function readOr<T>(otherwise: T, read: () => T): T {
	try {
		return read();
	} catch {
		return otherwise;
	}
}
