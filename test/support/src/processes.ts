// Facts about processes from /proc, where a kill(pid, 0) would still see a zombie that its parent has not reaped.
import { readdirSync, readFileSync } from 'node:fs';

/** Whether a process exists and is not a zombie. */
export function isAlive(pid: number): boolean {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3) !== 'Z';
	} catch {
		return false;
	}
}

/**
 * Whether a process leads its own process group, as every supervised child does. A process that such a child is starting does
 * not: between its fork and its exec it is a copy of the child, with the child's environment and command line.
 */
export function leadsGroup(pid: number): boolean {
	try {
		const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
		// "pid (name) state ppid pgrp …", where the name may hold spaces and parentheses.
		return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === pid;
	} catch {
		return false;
	}
}

/** The ids of live processes whose environment holds `NAME=value`, also orphaned ones. */
export function processesWithEnv(name: string, value: string): number[] {
	const needle = `${name}=${value}`;
	return readdirSync('/proc').flatMap((entry) => {
		if (!/^\d+$/.test(entry)) return [];
		try {
			const env = readFileSync(`/proc/${entry}/environ`, 'utf8').split('\0');
			return env.includes(needle) && isAlive(Number(entry)) ? [Number(entry)] : [];
		} catch {
			return [];
		}
	});
}
