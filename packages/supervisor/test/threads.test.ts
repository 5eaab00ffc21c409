// Threads as children: what their processes have to do with it.
import { fileURLToPath } from 'node:url';
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import type { ChildHandle } from '../src/child-handle.js';
import { type ExitReport, SupervisedChild } from '../src/index.js';
import { createThreadHost } from '../src/threads/thread-host.js';

const file = fileURLToPath(new URL('fixtures/thread.cjs', import.meta.url));

function setup({
	threadsPerProcess = 4,
	isPrivate = true,
	...more
}: {
	threadsPerProcess?: number;
	isPrivate?: boolean;
	execArgv?: string[];
} = {}) {
	const host = createThreadHost({ threadsPerProcess, isPrivate: () => isPrivate });
	let count = 0;
	/** A supervised thread without a restart. */
	return (deed: string) => {
		const messages: unknown[] = [];
		const lines: string[] = [];
		const reports: ExitReport[] = [];
		let handle: ChildHandle | undefined;
		const child = new SupervisedChild({
			host,
			spec: { id: 'test', file, env: { PATH: process.env.PATH ?? '', DEED: deed }, ordinal: count++, ...more },
			policy: null,
			readyTimeoutMs: 0,
			shutdownGraceMs: 0,
			heartbeat: { intervalMs: 0, timeoutMs: 0 },
			connect: (started) => {
				handle = started;
				started.channel.on('message', (message) => messages.push(message));
				return { ping: async () => {}, shutdown: async () => {}, closed: () => {} };
			},
		});
		child.on('exited', (report) => reports.push(report));
		child.on('log', ({ line }) => lines.push(line));
		onTestFinished(() => child.stop());
		child.start();
		const report = () => waitFor('its end', () => reports[0]);
		return { child, messages, lines, report, handle: () => handle as ChildHandle, pid: child.pid };
	};
}

it('puts threads into one process, and ends the process with its last thread', async () => {
	const start = setup({ threadsPerProcess: 2 });
	const [one, two, three] = [start('idle'), start('idle'), start('idle')];
	expect(one.pid).toBe(two.pid);
	expect(three.pid).not.toBe(one.pid);
	await one.child.stop();
	expect(isAlive(two.pid)).toBe(true);
	await two.child.stop();
	expect(isAlive(two.pid)).toBe(false);
});

it('reports an uncaught exception of one thread, and leaves the others running', async () => {
	const start = setup();
	const [idle, thrower] = [start('echoes'), start('throws')];
	expect(await thrower.report()).toMatchObject({
		reason: 'uncaught-exception',
		code: 1,
		message: expect.stringMatching(
			/^a thread of process \d+ died of an uncaught exception: AssertionError.*: thrown in a thread, at .*thread\.cjs/,
		),
	});
	idle.handle().channel.send('still here', () => {});
	await waitFor('an answer', () => idle.messages.length === 1);
});

it('reports a thread at its heap limit as out of memory', async () => {
	const start = setup({ execArgv: ['--max-old-space-size=32'] });
	const [idle, hungry] = [start('idle'), start('runs out of memory')];
	expect(await hungry.report()).toMatchObject({ reason: 'out-of-memory' });
	expect(idle.child.state).toBe('starting');
});

it('ends a thread that is busy for ever, and shows where it was', async () => {
	const start = setup();
	const [idle, busy] = [start('idle'), start('spins')];
	const frames = await waitFor('the frames', async () => {
		const found = await busy.handle().hungStack(undefined as never, AbortSignal.timeout(5000));
		return found[0]?.startsWith('spins ') ? found : undefined;
	});
	expect(frames[0]).toMatch(/^spins \(file:.*thread\.cjs:\d+:\d+\)$/);
	await busy.child.stop();
	expect(idle.child.state).toBe('starting');
});

it('reports the end of a process for each of its threads, with the last words of the process', async () => {
	const start = setup();
	const threads = [start('idle'), start('writes past its streams')];
	await waitFor('the line', () => threads[0]?.lines.includes('straight to the descriptor'));
	process.kill(threads[0]?.pid as number, 'SIGKILL');
	for (const { report, pid } of threads) {
		const { message, stderrTail } = await report();
		expect(message).toMatch(new RegExp(`^process ${pid} was killed by SIGKILL`));
		expect(stderrTail).toContain('straight to the descriptor');
	}
});

it('carries messages to and from parentPort, and reports one that is no JSON', async () => {
	const { handle, messages, lines } = setup({ isPrivate: false })('talks to its parentPort');
	handle().channel.send({ hello: 1 }, () => {});
	await waitFor('the answer', () => messages.length === 1);
	expect(messages).toEqual([{ heard: { hello: 1 } }]);
	await waitFor('the report', () => lines.some((line) => line.startsWith('a message to parentPort cannot be sent')));
});

function isAlive(pid: number | null): boolean {
	try {
		process.kill(pid as number, 0);
		return true;
	} catch {
		return false;
	}
}
