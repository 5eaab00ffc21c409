// Many children at once: nothing accumulates.
import { readdirSync } from 'node:fs';
import { isAlive, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { defaultRestartPolicy } from '../src/index.js';
import { event, realChild } from './real-child.js';

const descriptors = () => readdirSync('/proc/self/fd').length;

it('64 children start, are killed, restart and stop, and leave no process, descriptor, listener or warning', async () => {
	const warnings: string[] = [];
	const onWarning = (warning: Error) => warnings.push(warning.message);
	process.on('warning', onWarning);
	const listenersBefore = process.eventNames().map((name) => [name, process.listenerCount(name)]);
	const before = descriptors();

	const fleet = Array.from({ length: 64 }, (_, ordinal) =>
		realChild({
			policy: defaultRestartPolicy,
			readyTimeoutMs: 0,
			heartbeat: { intervalMs: 500, timeoutMs: 60_000 },
			spec: { ordinal },
		}),
	);
	const allReady = () => Promise.all(fleet.map(({ child }) => event(child, 'ready')));
	const firstReady = allReady();
	for (const { child } of fleet) child.start();
	await firstReady;
	const secondReady = allReady();
	for (const { child } of fleet) process.kill(child.pid as number, 'SIGKILL');
	await secondReady;
	await Promise.all(fleet.map(({ child }) => child.stop()));

	expect(fleet.flatMap(({ pids }) => pids).filter(isAlive)).toEqual([]);
	expect(fleet.flatMap(({ pids }) => pids)).toHaveLength(128);
	await waitFor('the descriptors to be closed', () => descriptors() <= before);
	expect(process.eventNames().map((name) => [name, process.listenerCount(name)])).toEqual(listenersBefore);
	expect(warnings).toEqual([]);
	process.off('warning', onWarning);
});

it('a start that fails repeatedly leaves no descriptor', async () => {
	const { child, exits } = realChild({
		policy: { ...defaultRestartPolicy, initialDelayMs: 0, maxRestarts: 1e6 },
		spec: { cwd: '/no/such/folder' },
	});
	const before = descriptors();
	child.start();
	await waitFor('a hundred failures', () => exits.length >= 100);
	await child.stop();
	await waitFor('the descriptors to be closed', () => descriptors() <= before);
	expect(new Set(exits.map(({ reason }) => reason))).toEqual(new Set(['spawn-failed']));
});
