import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { isSameProcess, processIdentity } from './process-identity.js';

it('knows this process again', () => {
	expect(isSameProcess(processIdentity())).toBe('yes');
});

it('tells a process that is over', () => {
	const { pid } = spawnSync(process.execPath, ['-e', '']);
	expect(isSameProcess({ ...processIdentity(), pid })).toBe('no');
});

it('tells another process that was given the same id, and the same id after a boot', () => {
	expect(isSameProcess({ ...processIdentity(), startedAtTicks: '1' })).toBe('no');
	expect(isSameProcess({ ...processIdentity(), boot: 'another' })).toBe('no');
});

it('is unsure of an id in use where start times are not known', () => {
	expect(isSameProcess({ ...processIdentity(), startedAtTicks: null })).toBe('unsure');
});

it('is unsure of a process of another container, whose ids mean something else', () => {
	expect(isSameProcess({ ...processIdentity(), namespace: 'pid:[1]', startedAtTicks: '1' })).toBe('unsure');
});
