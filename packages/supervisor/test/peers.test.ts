// Faults of other managers that concern the life of a process, each as a behaviour that ours must not have.
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isAlive, tempDir, waitFor } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { defaultRestartPolicy } from '../src/index.js';
import { event, realChild, started } from './real-child.js';

/** A policy that gives up after two restarts, without long waits. */
const impatient = { ...defaultRestartPolicy, initialDelayMs: 1, maxDelayMs: 1, maxRestarts: 2, cooldownMs: 50 };

describe('discord.js', () => {
	it('a crash-looping process affects no other, also without a listener for its failure', async () => {
		const neighbour = await started();
		const looping = realChild({ policy: { ...impatient, cooldownMs: 1e6 }, doFirst: 'process.exit(1)' });
		looping.child.start();
		await waitFor('the loop to be given up', () => looping.child.state === 'failed');
		expect(looping.exits).toHaveLength(3);
		expect({ state: neighbour.child.state, alive: isAlive(neighbour.child.pid as number) }).toEqual({
			state: 'ready',
			alive: true,
		});
	});

	it('a process that is not ready in time is ended and replaced, and does not keep running beside its successor', async () => {
		const folder = tempDir();
		const marker = join(folder, 'second');
		const { child, exits, pids } = realChild({
			policy: defaultRestartPolicy,
			readyTimeoutMs: 400,
			shutdownGraceMs: 50,
			doFirst: `if (!require('node:fs').existsSync(${JSON.stringify(marker)})) for (;;) {}`,
		});
		child.once('exited', () => writeFileSync(marker, ''));
		child.start();
		await event(child, 'ready');
		expect(exits).toMatchObject([{ reason: 'ready-timeout', wasReady: false }]);
		expect(pids.map(isAlive)).toEqual([false, true]);
	});

	it('replacing or stopping a process that has just exited, or is stopped, is no error; concurrent replacements join', async () => {
		const { child, process: current } = await started();
		current().signal('SIGKILL');
		expect(await Promise.all([child.restart('a'), child.restart('b')])).toEqual([true, true]);
		expect(child.epoch).toBe(2);
		const failed = event(child, 'failed');
		current().signal('SIGKILL');
		await failed;
		expect(await child.restart('dead')).toBe(true);
		current().signal('SIGKILL');
		await child.stop();
		expect(await child.restart('stopped')).toBe(false);
	});

	it('the last output of the old process is delivered before its end, never as output of its successor', async () => {
		const order: string[] = [];
		const { child, run, process: current } = await started({ policy: defaultRestartPolicy });
		current().channel.on('message', (message) => {
			if ((message as { number?: number }).number === 1999) order.push('last word');
		});
		child.on('exited', () => order.push('exited'));
		child.on('spawned', () => order.push('spawned'));
		run(`
			for (let number = 0; number < 2000; number++) process.send({ number, padding: 'x'.repeat(1000) }, number === 1999 ? () => process.exit(1) : undefined);`);
		await event(child, 'ready');
		expect(order).toEqual(['last word', 'exited', 'spawned']);
	});
});

describe('discord-hybrid-sharding', () => {
	it('a process that traps SIGTERM and blocks its loop is replaced by one process at a time, and counted by the policy', async () => {
		const { child, exits, pids, run } = realChild({
			policy: { ...impatient, cooldownMs: 1e6 },
			heartbeat: { intervalMs: 20, timeoutMs: 200 },
			killAfterMs: 50,
		});
		const aliveAtSpawn: number[] = [];
		child.on('spawned', () => aliveAtSpawn.push(pids.filter(isAlive).length));
		// Blocks after its next heartbeat: one must have been answered before silence counts.
		child.on('ready', () =>
			run(`
				process.on('SIGTERM', () => {});
				process.on('message', ({ ping }) => { if (ping) setImmediate(() => { for (;;) {} }); });`),
		);
		child.start();
		await waitFor('the loop to be given up', () => child.state === 'failed');
		expect(exits.map(({ reason }) => reason)).toEqual(['hung', 'hung', 'hung']);
		expect(aliveAtSpawn).toEqual([1, 1, 1]);
		expect(pids.filter(isAlive)).toEqual([]);
	});

	it('a failed child reports it, and restarts after the cool-down', async () => {
		const marker = join(tempDir(), 'fixed');
		const { child, exits } = realChild({
			policy: impatient,
			doFirst: `if (!require('node:fs').existsSync(${JSON.stringify(marker)})) process.exit(1)`,
		});
		const failed = event(child, 'failed');
		child.start();
		const { retryInMs, reason } = await failed;
		expect(retryInMs).toBeGreaterThanOrEqual(50);
		expect(reason).toContain('exit code 1');
		writeFileSync(marker, '');
		await event(child, 'ready');
		expect(exits.length).toBeGreaterThanOrEqual(3);
	});
});

describe('Kurasuta', () => {
	it('is ready again after a replacement', async () => {
		const { child } = await started();
		expect(await child.restart('again')).toBe(true);
		expect({ state: child.state, epoch: child.epoch }).toEqual({ state: 'ready', epoch: 2 });
	});
});

describe('eris-fleet', () => {
	it('a process that exits on its first launch is launched again', async () => {
		const marker = join(tempDir(), 'launched');
		const { child, exits } = realChild({
			policy: defaultRestartPolicy,
			doFirst: `const { existsSync, writeFileSync } = require('node:fs');
				if (!existsSync(${JSON.stringify(marker)})) { writeFileSync(${JSON.stringify(marker)}, ''); process.exit(1); }`,
		});
		child.start();
		await event(child, 'ready');
		expect(existsSync(marker)).toBe(true);
		expect(exits).toMatchObject([{ reason: 'exit-code', code: 1, wasReady: false, epoch: 1 }]);
	});

	it('a stop does not wait for a process that has already exited', async () => {
		const { child, process: current } = await started();
		const exited = event(child, 'exited');
		current().signal('SIGKILL');
		await exited;
		await child.stop();
		expect(child.state).toBe('stopped');
	});
});

describe('pm2', () => {
	it('a ready timeout does not count as ready', async () => {
		const { child } = realChild({
			policy: null,
			readyTimeoutMs: 50,
			shutdownGraceMs: 1,
			killAfterMs: 50,
			doFirst: 'for (;;) {}',
		});
		const heard: string[] = [];
		child.on('state', ({ to }) => heard.push(to));
		child.start();
		await event(child, 'failed');
		expect(heard).toEqual(['spawning', 'starting', 'draining', 'exited', 'failed']);
		expect(child.lastExit).toMatchObject({ reason: 'ready-timeout' });
	});
});
