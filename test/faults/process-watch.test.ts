// The watch over a fleet's processes distinguishes workers from copies of them: a descendant of a bot is such a copy between fork and exec.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { leadsGroup, processesWithEnv, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { workerIdOf } from './fleet.js';

it('counts a process as a worker only when it leads its process group, unlike a copy made by a fork', async () => {
	const mark = randomUUID();
	// A subshell is a fork without an exec: the same environment and the same command line as its parent, for as long as it runs.
	const shell = spawn('sh', ['-c', '(sleep 1000; exit) & wait'], {
		detached: true,
		stdio: 'ignore',
		env: { PATH: process.env.PATH ?? '', MARK: mark, SHARDCTL_WORKER: JSON.stringify({ workerId: 3 }) },
	});
	onTestFinished(() => void process.kill(-(shell.pid as number), 'SIGKILL'));
	const pid = shell.pid as number;
	const copies = await waitFor('the copy', () => {
		const found = processesWithEnv('MARK', mark).filter((other) => other !== pid);
		return found.length > 0 ? found : undefined;
	});
	expect(leadsGroup(pid)).toBe(true);
	expect(workerIdOf(pid)).toBe(3);
	expect(copies.map(leadsGroup)).toEqual(copies.map(() => false));
	expect(copies.map(workerIdOf)).toEqual(copies.map(() => undefined));
});
