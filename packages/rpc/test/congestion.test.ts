// A process that does not read: messages to it wait in a bounded queue, further ones are rejected, cancelled ones are never
// delivered, and everything works once it reads again.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { ipcPort } from '../src/ipc-port.js';
import { Peer } from '../src/peer.js';

interface FarMethods {
	echo: { params: unknown; result: unknown };
	countTo: { params: number; result: null };
}

async function start(limits: { maxQueuedBytes?: number }) {
	const child = fork(fileURLToPath(new URL('./fixtures/far-side-child.mjs', import.meta.url)), ['1'], { execArgv: [] });
	const exited = once(child, 'exit');
	onTestFinished(async () => {
		child.kill('SIGKILL');
		await exited;
	});
	await once(child, 'message');
	const peer = new Peer<Record<never, never>, FarMethods, { note: unknown }, { noted: string; count: number }>({
		port: ipcPort(child),
		epoch: 1,
		limits,
	});
	const freeze = async () => {
		child.kill('SIGSTOP');
		await waitFor('the stop', () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') T '));
	};
	return { peer, freeze, thaw: () => child.kill('SIGCONT') };
}

const outcome = (call: Promise<unknown>): Promise<unknown> =>
	call.then(
		() => 'ok',
		(error: { code?: unknown }) => error.code,
	);

it('queues a bounded amount for a process that does not read, rejects more, and delivers it in the end', async () => {
	const { peer, freeze, thaw } = await start({ maxQueuedBytes: 1_000_000 });
	await freeze();
	const text = 'x'.repeat(50_000);
	const calls: Promise<unknown>[] = [];
	for (let i = 0; i < 200; i++) {
		calls.push(outcome(peer.request('echo', text)));
		await new Promise((resolve) => setImmediate(resolve));
	}
	// 10 MB were requested; the kernel, Node and the queue hold about a megabyte together.
	expect(peer.pendingCount).toBeGreaterThan(20);
	expect(peer.pendingCount).toBeLessThan(50);
	expect(await calls.at(-1)).toBe('CALL_LIMIT');
	const accepted = peer.pendingCount;
	thaw();
	const outcomes = await Promise.all(calls);
	expect(outcomes.filter((each) => each === 'ok')).toHaveLength(accepted);
	expect(outcomes.filter((each) => each === 'CALL_LIMIT')).toHaveLength(200 - accepted);
	expect(await outcome(peer.request('echo', text))).toBe('ok');
});

it('never delivers calls that were cancelled while they waited', async () => {
	const { peer, freeze, thaw } = await start({});
	const seen: string[] = [];
	peer.on('noted', (note) => seen.push(note.slice(0, 5)));
	await freeze();
	// These fill the channel, so that later calls wait in the queue.
	for (let i = 0; i < 20; i++) peer.notify('note', 'first'.repeat(10_000));
	await new Promise((resolve) => setImmediate(resolve));
	const abort = new AbortController();
	const given = Array.from({ length: 100 }, () => outcome(peer.request('countTo', 1000, { signal: abort.signal })));
	const late = outcome(peer.request('countTo', 1000, { timeoutMs: 20 }));
	await new Promise((resolve) => setImmediate(resolve));
	abort.abort();
	expect(new Set(await Promise.all(given))).toEqual(new Set(['CALL_CANCELLED']));
	expect(await late).toBe('CALL_TIMEOUT');
	let counted = 0;
	peer.on('count', () => counted++);
	thaw();
	expect(await outcome(peer.request('echo', 1))).toBe('ok');
	expect(seen).toHaveLength(20);
	expect(counted).toBe(0);
	expect(peer.counters.lateReplies).toBe(0);
});
