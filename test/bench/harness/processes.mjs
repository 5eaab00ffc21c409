// Facts about processes from /proc. It exists on Linux only; elsewhere the rows that need it are left out.
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const pageBytes = 4096;

export const hasProc = existsSync('/proc/self/statm');

/** Whether a process exists and is not a zombie. */
export function isAlive(pid) {
	if (!hasProc) return signalReaches(pid);
	const stat = read(`/proc/${pid}/stat`);
	return stat !== '' && stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
}

/** The live processes whose environment holds `NAME=value`. */
export function pidsWithEnv(name, value) {
	if (!hasProc) return [];
	return readdirSync('/proc')
		.filter((entry) => /^\d+$/.test(entry))
		.map(Number)
		.filter((pid) => read(`/proc/${pid}/environ`).split('\0').includes(`${name}=${value}`) && isAlive(pid));
}

export function rssBytes(pid) {
	return Number(read(`/proc/${pid}/statm`).split(' ')[1] ?? 0) * pageBytes;
}

/** Processor time of all threads of a process so far, in ms. */
export function cpuMs(pid) {
	let threads = [];
	try {
		threads = readdirSync(`/proc/${pid}/task`);
	} catch {
		return 0;
	}
	return threads.reduce((sum, thread) => sum + Number(read(`/proc/${pid}/task/${thread}/schedstat`).split(' ')[0]) / 1e6, 0);
}

function read(path) {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return '';
	}
}

function signalReaches(pid) {
	try {
		return process.kill(pid, 0);
	} catch {
		return false;
	}
}
