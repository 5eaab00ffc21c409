// Ending a process together with what it started. On POSIX every child leads a process group; Windows has none, and there
// taskkill walks the tree of the living.
import { type ChildProcess, execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const isWindows = process.platform === 'win32';
const pollEveryMs = 20;

/** Sends a signal to the process alone; `false` when it is gone. */
export function signalProcess(child: ChildProcess, signal: NodeJS.Signals): boolean {
	try {
		return child.kill(signal);
	} catch {
		// EPERM: it changed its user. Nothing milder than waiting is left.
		return false;
	}
}

/** Sends a signal to the group of a program, or where that is not possible to its process; `false` when it is gone. */
export function signalProgram(child: ChildProcess, signal: NodeJS.Signals): boolean {
	if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return false;
	return (!isWindows && signalGroup(child.pid, signal)) || signalProcess(child, signal);
}

/** Sends a signal to the process and all of its group. */
export function signalProcessGroup(child: ChildProcess, signal: NodeJS.Signals): void {
	if (child.pid === undefined) return;
	if (isWindows) {
		// /T takes the tree, which is known only while its root lives.
		execFile('taskkill', ['/PID', String(child.pid), '/T', '/F'], () => child.kill(signal));
		return;
	}
	// The leader may have left its group's id to itself alone (setsid in a wrapper), so it is signalled by its own id as well.
	signalGroup(child.pid, signal);
	signalProcess(child, signal);
}

/**
 * Kills what is left of the group of `pid`, whose leader has exited, and resolves when none of it is alive. The kernel gives a
 * group's id to no other process while a member exists; that the id is reused within the moment between exit and call is not
 * worth guarding against.
 */
export async function endProcessGroup(pid: number): Promise<void> {
	if (isWindows || !signalGroup(pid, 'SIGKILL')) return;
	// A killed process still counts as a member until its parent reaps it, which in a container may never happen.
	while (groupHasLiveMember(pid)) await new Promise((resolve) => setTimeout(resolve, pollEveryMs));
}

/** Whether there was a member to signal. */
function signalGroup(pid: number, signal: NodeJS.Signals | 0): boolean {
	try {
		process.kill(-pid, signal);
		return true;
	} catch (error) {
		// EPERM: on macOS, all that is left is zombies; elsewhere, a member runs as another user, out of our reach either way.
		return (error as NodeJS.ErrnoException).code === 'EPERM' && process.platform === 'linux' && signal !== 0;
	}
}

function groupHasLiveMember(pid: number): boolean {
	if (process.platform !== 'linux') return signalGroup(pid, 0);
	return signalGroup(pid, 0) && readdirSync('/proc').some((entry) => /^\d+$/.test(entry) && isLiveMember(entry, pid));
}

function isLiveMember(entry: string, groupId: number): boolean {
	try {
		const stat = readFileSync(`/proc/${entry}/stat`, 'latin1');
		// "pid (name) state ppid pgrp …", where the name may hold spaces and parentheses.
		const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
		return Number(group) === groupId && state !== 'Z' && state !== 'X';
	} catch {
		return false;
	}
}
