// Tells one process from a later one that was given the same id: in a container every manager is process 1.
import { readFileSync } from 'node:fs';

/** A process on this machine; `startedAtTicks` and `boot` are null where the system does not tell (outside Linux). */
export interface ProcessIdentity {
	pid: number;
	/** Clock ticks from boot to the start of the process. */
	startedAtTicks: string | null;
	/** Changes with every boot. */
	boot: string | null;
}

/** The identity of a live process, by default this one. */
export function processIdentity(pid: number = process.pid): ProcessIdentity {
	return { pid, startedAtTicks: startTicks(pid), boot: read('/proc/sys/kernel/random/boot_id')?.trim() ?? null };
}

/** Whether that very process is still there: `unsure` where only its id is known to be in use. */
export function isSameProcess(identity: ProcessIdentity): 'yes' | 'no' | 'unsure' {
	if (!isUsed(identity.pid)) return 'no';
	const now = processIdentity(identity.pid);
	if (identity.startedAtTicks === null || now.startedAtTicks === null) return 'unsure';
	return now.startedAtTicks === identity.startedAtTicks && now.boot === identity.boot ? 'yes' : 'no';
}

function isUsed(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}

/** Field 22 of /proc/PID/stat. The second field is the program's name in brackets, which may itself hold blanks and brackets. */
function startTicks(pid: number): string | null {
	const stat = read(`/proc/${pid}/stat`);
	return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function read(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
}
