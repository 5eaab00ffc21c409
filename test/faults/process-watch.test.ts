// The watch over a fleet's processes tells workers from copies of them: what a bot starts is such a copy between fork and exec.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { leadsGroup, processesWithEnv, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { workerIdOf } from './fleet.js';

it('takes a process for a worker only when it leads its process group, as a copy made by a fork does not', async () => {
	const mark = randomUUID();
	// A subshell is a fork without an exec: the same environment and the same command line as its parent, for as long as it lives.
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
