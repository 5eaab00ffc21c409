// Distinguishes a process from a later one with the same id: in a container every manager is process 1.
import { readFileSync, readlinkSync } from 'node:fs';

/** A process on this machine; null for what the system does not provide (outside Linux). */
export interface ProcessIdentity {
	pid: number;
	/** Clock ticks from boot to the start of the process. */
	startedAtTicks: string | null;
	/** Changes with every boot. */
	boot: string | null;
	/** The process id namespace; a container has its own. */
	namespace: string | null;
}

/** The identity of a live process, by default this one. */
export function processIdentity(pid: number = process.pid): ProcessIdentity {
	const boot = read('/proc/sys/kernel/random/boot_id')?.trim() ?? null;
	return { pid, startedAtTicks: statOf(pid)?.startTicks ?? null, boot, namespace: ownNamespace() };
}

/**
 * Whether that same process still runs. One that is dead and that its parent has not reaped, which in a container may never happen, does
 * not. `unsure` where only its id is known to be in use, or where it is not visible from here.
 */
export function isSameProcess(identity: ProcessIdentity): 'yes' | 'no' | 'unsure' {
	const now = processIdentity(identity.pid);
	if (identity.boot === now.boot && (identity.namespace ?? now.namespace) !== now.namespace) return 'unsure';
	if (!isUsed(identity.pid) || statOf(identity.pid)?.isDead) return 'no';
	if (identity.startedAtTicks === null || now.startedAtTicks === null) return 'unsure';
	return now.startedAtTicks === identity.startedAtTicks && now.boot === identity.boot ? 'yes' : 'no';
}

function ownNamespace(): string | null {
	try {
		return readlinkSync('/proc/self/ns/pid');
	} catch {
		return null;
	}
}

function isUsed(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		return (error as NodeJS.ErrnoException).code === 'EPERM';
	}
}

/** Fields 3 and 22 of /proc/PID/stat. The second field is the program's name in brackets, which may itself contain spaces and brackets. */
function statOf(pid: number): { isDead: boolean; startTicks: string | null } | undefined {
	const stat = read(`/proc/${pid}/stat`);
	if (stat === undefined) return undefined;
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
	return { isDead: fields[0] === 'Z' || fields[0] === 'X', startTicks: fields[19] ?? null };
}

function read(path: string): string | undefined {
	try {
		return readFileSync(path, 'utf8');
	} catch {
		return undefined;
	}
}
