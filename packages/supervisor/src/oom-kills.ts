// Whether the kernel's out-of-memory killer struck in our control group. The kernel only counts; which process it was, we
// conclude: one that got a SIGKILL which we did not send.
import { readFileSync } from 'node:fs';

/** Watches the `oom_kill` counter of this process's memory control group (Linux; elsewhere it never rises). */
export class OomKillCounter {
	readonly #read: () => number;
	#claimed: number;

	constructor(read: () => number = oomKillReader()) {
		this.#read = read;
		this.#claimed = read();
	}

	/** Whether there was a kill that no call has claimed yet. */
	claim(): boolean {
		if (this.#read() <= this.#claimed) return false;
		this.#claimed++;
		return true;
	}

	/** Kills so far concerned others. Called before a process starts, so that it is not blamed on that one. */
	forget(): void {
		this.#claimed = Math.max(this.#claimed, this.#read());
	}
}

/** A function that reads the counter of the group that this process is in now; 0 where there is none. */
function oomKillReader(): () => number {
	const path = counterPaths().find((candidate) => readText(candidate) !== undefined);
	return () => (path === undefined ? 0 : oomKillsIn(readText(path) ?? ''));
}

/** The figure in `memory.events` (cgroup v2) or `memory.oom_control` (v1). */
export function oomKillsIn(text: string): number {
	return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

function counterPaths(): string[] {
	return counterPathsIn(readText('/proc/self/cgroup') ?? '');
}

/**
 * Where the counter may be, from the text of `/proc/self/cgroup`, the most precise first. In a container the text may name
 * the group as the host sees it, while the group itself is mounted as the root.
 */
export function counterPathsIn(text: string): string[] {
	const v1 = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m.exec(text)?.[1];
	const v2 = /^0::(.*)$/m.exec(text)?.[1];
	if (v1 !== undefined) return inGroup('/sys/fs/cgroup/memory', v1, 'memory.oom_control');
	return v2 === undefined ? [] : inGroup('/sys/fs/cgroup', v2, 'memory.events');
}

function inGroup(mount: string, group: string, file: string): string[] {
	return group === '/' ? [`${mount}/${file}`] : [`${mount}${group}/${file}`, `${mount}/${file}`];
}

function readText(path: string): string | undefined {
	try {
		return readFileSync(path, 'latin1');
	} catch {
		return undefined;
	}
}
