// A control group with a limit on memory, in which the kernel's out-of-memory killer acts. Only root can make one.
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { waitFor } from './wait-for.js';

/** By version: where groups are made, and the names of their files. */
const versions = [
	{ root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes' },
	{ root: '/sys/fs/cgroup', limit: 'memory.max', used: 'memory.current' },
] as const;

const version = (() => {
	if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
	for (const candidate of versions) {
		const folder = join(candidate.root, `shardctl-probe-${randomUUID()}`);
		try {
			mkdirSync(folder);
		} catch {
			continue;
		}
		const works = existsSync(join(folder, candidate.limit));
		rmdirSync(folder);
		if (works) return candidate;
	}
	return undefined;
})();

export const canLimitMemory = version !== undefined;
/** For the end of the name of a test that is skipped without {@link canLimitMemory}. */
export const memoryLimitNotice = canLimitMemory ? '' : ' (skipped: needs root, to make a control group)';

export interface MemoryGroup {
	/** Goes before a command that is to run in the group. */
	readonly enter: readonly string[];
	usedBytes(): number;
	setLimit(bytes: number): void;
	/** Moves a process in; what it has used so far stays where it was. */
	add(pid: number): void;
	/** Moves a process to the group of this process's system. */
	release(pid: number): void;
}

/** A group without a limit; it is removed when the test finishes, once it is empty. */
export function memoryGroup(): MemoryGroup {
	if (!version) throw new Error('there are no control groups here');
	const { root, limit, used } = version;
	const folder = join(root, `shardctl-test-${randomUUID()}`);
	mkdirSync(folder);
	onTestFinished(async () => {
		await waitFor('the group to be empty', () => readFileSync(join(folder, 'cgroup.procs'), 'utf8').trim() === '');
		rmdirSync(folder);
	});
	const procs = join(folder, 'cgroup.procs');
	return {
		enter: ['sh', '-c', `echo $$ > ${procs} && exec "$@"`, 'sh'],
		usedBytes: () => Number(readFileSync(join(folder, used), 'utf8')),
		setLimit: (bytes) => writeFileSync(join(folder, limit), String(bytes)),
		add: (pid) => writeFileSync(procs, String(pid)),
		release: (pid) => writeFileSync(join(root, 'cgroup.procs'), String(pid)),
	};
}
