// The TCP ports at which a process listens, as any user of the machine can find them out. Linux only.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export function listeningPorts(pid: number): number[] {
	const sockets = readdirSync(`/proc/${pid}/fd`).map((fd) => {
		try {
			return readlinkSync(`/proc/${pid}/fd/${fd}`);
		} catch {
			return '';
		}
	});
	return readFileSync(`/proc/${pid}/net/tcp`, 'utf8')
		.split('\n')
		.map((line) => line.trim().split(/\s+/))
		.filter(([, , , state, , , , , , inode]) => state === '0A' && sockets.includes(`socket:[${inode}]`))
		.map(([, local = '']) => Number.parseInt(local.split(':')[1] ?? '', 16));
}
