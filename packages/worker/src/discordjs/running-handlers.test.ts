import { EventEmitter, once } from 'node:events';
import { expect, it, vi } from 'vitest';
import { RunningHandlers } from './running-handlers.js';

function setup() {
	// As discord.js creates its client.
	const client = new EventEmitter({ captureRejections: true });
	const listeners = new RunningHandlers();
	listeners.watch(client);
	return { client, listeners };
}

it('waits for the running handlers, and for none that starts later', async () => {
	const { client, listeners } = setup();
	const finish: (() => void)[] = [];
	const slow: (...args: unknown[]) => unknown = () => new Promise<void>((resolve) => finish.push(resolve));
	client.on('message', slow);
	client.on('message', () => 'done at once');
	client.emit('message');
	const finished = vi.fn<() => void>();
	const wait = listeners.finished().then(finished);
	client.emit('message');
	await Promise.resolve();
	expect(finished).not.toHaveBeenCalled();
	finish[0]?.();
	await wait;
	expect(finished).toHaveBeenCalledOnce();
	finish[1]?.();
	await listeners.finished();
});

it("keeps the emitter's behaviour for the bot: off, once, listeners, this and arguments", () => {
	const { client } = setup();
	const seen: unknown[] = [];
	function listener(this: unknown, ...args: unknown[]): void {
		seen.push(this === client, args);
	}
	client.on('a', listener);
	client.prependListener('b', listener);
	client.addListener('b', listener);
	expect([client.listeners('a'), client.listenerCount('b')]).toEqual([[listener], 2]);
	client.emit('a', 1, 2);
	expect(seen).toEqual([true, [1, 2]]);
	client.off('a', listener).removeListener('b', listener);
	expect([client.listenerCount('a'), client.listenerCount('b')]).toEqual([0, 1]);
	client.once('c', listener);
	expect(client.listeners('c')).toEqual([listener]);
	client.emit('c');
	client.emit('c');
	client.once('c', listener).off('c', listener);
	client.emit('c');
	expect(seen).toHaveLength(4);
	expect(Object.keys(client)).not.toContain('on');
	expect(() => client.on('a', null as never)).toThrow(/listener/);
});

it('leaves a rejection to the emitter', async () => {
	const { client, listeners } = setup();
	const failing: (...args: unknown[]) => unknown = async () => {
		throw new Error('a handler failed');
	};
	client.on('message', failing);
	const failed = once(client, 'error');
	client.emit('message');
	await listeners.finished();
	expect(await failed).toMatchObject([{ message: 'a handler failed' }]);
});
