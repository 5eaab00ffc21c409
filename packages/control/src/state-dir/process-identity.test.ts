import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { isSameProcess, processIdentity } from './process-identity.js';

it('recognises this process', () => {
	expect(isSameProcess(processIdentity())).toBe('yes');
});

it('detects a process that has exited', () => {
	const { pid } = spawnSync(process.execPath, ['-e', '']);
	expect(isSameProcess({ ...processIdentity(), pid })).toBe('no');
});

it('detects another process with the same id, also after a reboot', () => {
	expect(isSameProcess({ ...processIdentity(), startedAtTicks: '1' })).toBe('no');
	expect(isSameProcess({ ...processIdentity(), boot: 'another' })).toBe('no');
});

it('is unsure of an id in use when start times are unknown', () => {
	expect(isSameProcess({ ...processIdentity(), startedAtTicks: null })).toBe('unsure');
});

it('is unsure of a process of another container, whose ids differ', () => {
	expect(isSameProcess({ ...processIdentity(), namespace: 'pid:[1]', startedAtTicks: '1' })).toBe('unsure');
});
