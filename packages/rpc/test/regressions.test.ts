// Known faults of other sharding managers and RPC libraries on this channel, each as the behaviour required here
// instead. The contract suite says what a peer does; this file says what it must never do again.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ipcPort } from '../src/ipc-port.js';
import { memoryPortPair } from '../src/memory-port.js';
import { Peer } from '../src/peer.js';

interface AnyMethods {
	[method: string]: { params: unknown; result: unknown };
}
interface AnyEvents {
	[event: string]: unknown;
}
type AnyPeer = Peer<AnyMethods, AnyMethods, AnyEvents, AnyEvents>;

const children: ChildProcess[] = [];
afterEach(async () => {
	await Promise.all(
		children.splice(0).map(async (child) => {
			if (child.exitCode !== null || child.signalCode !== null) return;
			const exited = once(child, 'exit');
			child.kill('SIGKILL');
			await exited;
		}),
	);
});

function start(fixture: string, ...args: string[]): ChildProcess {
	const child = fork(fileURLToPath(new URL(`./fixtures/${fixture}.mjs`, import.meta.url)), args, { execArgv: [] });
	children.push(child);
	return child;
}

async function startFarSide(): Promise<{ child: ChildProcess; peer: AnyPeer }> {
	const child = start('far-side-child', '1');
	await once(child, 'message');
	return { child, peer: new Peer({ port: ipcPort(child), epoch: 1 }) };
}

const codeOf = (call: Promise<unknown>): Promise<unknown> =>
	call.then(
		() => 'answered',
		(error: { code?: unknown }) => error.code,
	);

describe('discord.js ShardingManager', () => {
	it('settles every eval when the child dies, instead of leaving it pending', async () => {
		const { child, peer } = await startFarSide();
		const calls = Array.from({ length: 50 }, () => codeOf(peer.request('wait', null, { timeoutMs: Number.POSITIVE_INFINITY })));
		await new Promise<void>((resolve) => peer.on('waiting', () => resolve()));
		child.kill('SIGKILL');
		expect(new Set(await Promise.all(calls))).toEqual(new Set(['CHANNEL_CLOSED']));
	});

	it('runs each of several identical concurrent evals, instead of only one', async () => {
		const [near, far] = memoryPortPair();
		const [caller, answerer]: AnyPeer[] = [new Peer({ port: near, epoch: 1 }), new Peer({ port: far, epoch: 1 })];
		let runs = 0;
		answerer?.handle('eval', () => ++runs);
		const calls = Array.from({ length: 3 }, () => caller?.request('eval', { script: '() => ++counter' }));
		expect(await Promise.all(calls)).toEqual([1, 2, 3]);
	});

	it.each([
		['a circular result', 'unserializable', 'circular', 'NOT_SERIALIZABLE'],
		['a function as the result', 'unserializable', 'function', 'NOT_SERIALIZABLE'],
		['throw null', 'throw', 'null', 'REMOTE_ERROR'],
	])(
		'%s fails the call and the child lives, instead of ending the child while the caller waits',
		async (_, method, kind, code) => {
			const { peer, child } = await startFarSide();
			expect(await codeOf(peer.request(method, kind))).toBe(code);
			expect(await peer.request('echo', 10n)).toBe(10n);
			expect(child.exitCode).toBeNull();
		},
	);

	it('drops a response to a requester that has died, instead of ending the manager', async () => {
		const { child, peer } = await startFarSide();
		let answer: (value: unknown) => void = () => {};
		let signal: AbortSignal | undefined;
		const asked = new Promise<void>((resolve) => {
			peer.handle('double', (_, context) => {
				({ signal } = context);
				resolve();
				return new Promise((later) => {
					answer = later;
				});
			});
		});
		const call = codeOf(peer.request('callBack', 1));
		await asked;
		child.kill('SIGKILL');
		expect(await call).toBe('CHANNEL_CLOSED');
		expect(signal?.aborted).toBe(true);
		answer(2);
		await new Promise((resolve) => setImmediate(resolve));
		expect(peer.runningCount).toBe(0);
	});

	it('keeps the number of listeners constant, instead of adding one per pending call and a warning', async () => {
		const warning = vi.fn<(warning: Error) => void>();
		process.on('warning', warning);
		const { child, peer } = await startFarSide();
		const events = ['message', 'disconnect', 'error', 'exit'];
		const listeners = () => events.map((event) => child.listenerCount(event));
		const before = listeners();
		const calls = Array.from({ length: 1000 }, (_, i) => peer.request('later', i));
		expect(listeners()).toEqual(before);
		await Promise.all(calls);
		expect(listeners()).toEqual(before);
		process.off('warning', warning);
		expect(warning).not.toHaveBeenCalled();
	});

	it('survives a send after its channel was closed, instead of ending with ERR_IPC_CHANNEL_CLOSED', async () => {
		const child = start('closes-channel');
		expect(await once(child, 'exit')).toEqual([0, null]);
	});

	it("keeps an error's code and cause, instead of losing them", async () => {
		const { peer } = await startFarSide();
		await expect(peer.request('throw', 'error')).rejects.toMatchObject({ code: 10004, cause: { message: 'cache is empty' } });
	});
});

describe('discord-hybrid-sharding', () => {
	it('fails a call on a closed channel with a code, instead of an unhandled rejection', async () => {
		const { child, peer } = await startFarSide();
		child.disconnect();
		// What Node itself returns just before it reports that the channel is closed.
		expect(await codeOf(peer.request('echo', 1))).toBe('CHANNEL_CLOSED');
		expect(peer.notify('note', 1)).toBe(false);
		expect(await codeOf(peer.request('echo', 1))).toBe('CHANNEL_CLOSED');
	});

	it('registers a call before it is sent, so that an immediate reply is not lost', async () => {
		const [near, far] = memoryPortPair({ deliver: (task) => task() });
		const [caller, answerer]: AnyPeer[] = [new Peer({ port: near, epoch: 1 }), new Peer({ port: far, epoch: 1 })];
		answerer?.handle('echo', (value) => value);
		expect(await caller?.request('echo', 1)).toBe(1);
	});

	it('settles pending calls when a peer is replaced, instead of forgetting them', async () => {
		const { peer } = await startFarSide();
		const call = codeOf(peer.request('wait', null, { timeoutMs: 0 }));
		peer.close();
		expect(await call).toBe('CHANNEL_CLOSED');
	});
});

describe('Kurasuta and eris-fleet', () => {
	it('rejects with an Error for a thrown text or error, instead of no reply or {}', async () => {
		const { peer } = await startFarSide();
		await expect(peer.request('throw', 'string')).rejects.toMatchObject({ code: 'REMOTE_ERROR', cause: 'just text' });
		await expect(peer.request('throw', 'error')).rejects.toBeInstanceOf(TypeError);
	});
});

describe('birpc', () => {
	it.each(['undefined', 'null', 'false', 'zero', 'empty'])(
		'rejects for a thrown %s, instead of treating it as success',
		async (kind) => {
			const { peer } = await startFarSide();
			expect(await codeOf(peer.request('throw', kind))).toBe('REMOTE_ERROR');
		},
	);

	it.each(['toString', 'constructor', '__proto__', 'valueOf'])('does not expose "%s" to remote calls', async (name) => {
		const { peer } = await startFarSide();
		expect(await codeOf(peer.request(name, null))).toBe('METHOD_NOT_FOUND');
	});

	it('keeps a process alive whose only work is a call, until the response or the deadline', async () => {
		const child = start('waits-for-deadline');
		const peer: AnyPeer = new Peer({ port: ipcPort(child), epoch: 1 });
		peer.handle('never', () => new Promise(() => {}));
		expect(await once(child, 'exit')).toEqual([7, null]);
	});
});

describe('libraries that take the whole channel', () => {
	it("passes the bot's own messages in both directions, also those that look like another library's", async () => {
		const child = start('bot-with-own-messages');
		await once(child, 'message');
		const peer: AnyPeer = new Peer({ port: ipcPort(child), epoch: 1 });
		const seen: unknown[] = [];
		child.on('message', (message) => seen.push(message));
		const messages = ['text', 5, null, { _eval: 'process.exit()' }, { _type: 16 }, { a: [1] }];
		for (const message of messages) child.send(message as never);
		expect(await peer.request('echo', 'ours')).toBe('ours');
		const foreign = seen.filter((message) => typeof message === 'object' && message !== null && 'botHeard' in message);
		expect(foreign).toEqual(messages.map((botHeard) => ({ botHeard })));
		expect(peer.counters.malformedFrames).toBe(0);
	});
});
