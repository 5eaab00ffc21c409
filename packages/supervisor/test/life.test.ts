import { isAlive } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { defaultRestartPolicy } from '../src/index.js';
import { event, realChild } from './real-child.js';

it('starts, becomes ready, stops when asked, and reports a requested end', async () => {
	const { child, exits } = realChild();
	child.start();
	const { pid, epoch } = await event(child, 'ready');
	expect({ state: child.state, epoch }).toEqual({ state: 'ready', epoch: 1 });
	expect(child.pid).toBe(pid);
	await child.stop();
	expect(child.state).toBe('stopped');
	expect(isAlive(pid)).toBe(false);
	expect(exits).toMatchObject([{ reason: 'requested', code: 0, signal: null, epoch: 1, pid, wasReady: true }]);
});

it('restarts a process that was killed, once it is gone', async () => {
	const { child, exits, pids } = realChild({ policy: defaultRestartPolicy });
	child.start();
	await event(child, 'ready');
	process.kill(child.pid as number, 'SIGKILL');
	await event(child, 'ready');
	expect(child.epoch).toBe(2);
	expect(child.restarts).toBe(1);
	expect(exits).toMatchObject([{ reason: 'signal', signal: 'SIGKILL', epoch: 1, wasReady: true }]);
	expect(pids.map(isAlive)).toEqual([false, true]);
});

it('captures what it writes, line by line', async () => {
	const { child, tell } = realChild();
	child.start();
	await event(child, 'ready');
	tell("process.stdout.write('one\\ntw'); process.stderr.write('err\\n'); process.stdout.write('o\\nlast')");
	await child.stop();
	const lines = child.recentLogs();
	expect(lines.filter(({ stream }) => stream === 'stdout').map(({ line }) => line)).toEqual(['one', 'two', 'last']);
	expect(lines.filter(({ stream }) => stream === 'stderr').map(({ line }) => line)).toEqual(['err']);
});
