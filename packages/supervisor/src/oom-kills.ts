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
	const path = counterPath();
	return () => {
		if (path === undefined) return 0;
		try {
			return oomKillsIn(readFileSync(path, 'latin1'));
		} catch {
			return 0;
		}
	};
}

/** The figure in `memory.events` (cgroup v2) or `memory.oom_control` (v1). */
export function oomKillsIn(text: string): number {
	return Number(/^oom_kill (\d+)$/m.exec(text)?.[1] ?? 0);
}

function counterPath(): string | undefined {
	try {
		return counterPathIn(readFileSync('/proc/self/cgroup', 'latin1'));
	} catch {
		return undefined;
	}
}

/** Where the counter stands, from the text of `/proc/self/cgroup`. */
export function counterPathIn(text: string): string | undefined {
	const v1 = /^\d+:(?:[^:\n]*,)?memory(?:,[^:\n]*)?:(.*)$/m.exec(text)?.[1];
	if (v1 !== undefined) return `/sys/fs/cgroup/memory${v1 === '/' ? '' : v1}/memory.oom_control`;
	const v2 = /^0::(.*)$/m.exec(text)?.[1];
	return v2 === undefined ? undefined : `/sys/fs/cgroup${v2 === '/' ? '' : v2}/memory.events`;
}
