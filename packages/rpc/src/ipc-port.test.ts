import { EventEmitter } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { envelope } from './frames.js';
import { type IpcEnd, ipcPort } from './ipc-port.js';

const settled = () => new Promise((resolve) => setImmediate(resolve));

class FakeEnd extends EventEmitter implements IpcEnd {
	connected = true;
	readonly send = vi.fn<(message: unknown, callback: (error: Error | null) => void) => boolean>(() => false);
}

describe('a port on an IPC channel', () => {
	it('receives our messages and leaves the others to their listeners', () => {
		const end = new FakeEnd();
		const ours = vi.fn<(message: unknown) => void>();
		const bots = vi.fn<(message: unknown) => void>();
		const others = vi.fn<(message: unknown) => void>();
		ipcPort(end, others).onMessage(ours);
		end.on('message', bots);
		const messages = [envelope(1), { _eval: '1' }, 'text'];
		for (const message of messages) end.emit('message', message);
		expect(ours.mock.calls).toEqual([[messages[0]]]);
		expect(others.mock.calls).toEqual(messages.slice(1).map((message) => [message]));
		expect(bots.mock.calls).toEqual(messages.map((message) => [message]));
	});

	it('reports whether the channel is congested, and always passes a callback', () => {
		const end = new FakeEnd();
		const done = () => {};
		expect(ipcPort(end).send({ a: 1 }, done)).toBe(false);
		expect(end.send).toHaveBeenCalledWith({ a: 1 }, done);
	});

	it('reports the close once', () => {
		const end = new FakeEnd();
		const closed = vi.fn<() => void>();
		ipcPort(end).onClose(closed);
		end.emit('disconnect');
		end.emit('disconnect');
		expect(closed).toHaveBeenCalledTimes(1);
	});

	it('reports the close also when it happened before, or there never was a channel', async () => {
		for (const end of [Object.assign(new FakeEnd(), { connected: false }), new EventEmitter() as IpcEnd]) {
			const closed = vi.fn<() => void>();
			ipcPort(end).onClose(closed);
			expect(closed).not.toHaveBeenCalled();
			await settled();
			expect(closed).toHaveBeenCalledTimes(1);
		}
	});

	it('fails a message without throwing when there never was a channel', async () => {
		const done = vi.fn<(error: Error | null) => void>();
		expect(ipcPort(new EventEmitter() as IpcEnd).send({}, done)).toBe(false);
		expect(done).not.toHaveBeenCalled();
		await settled();
		expect(done).toHaveBeenCalledWith(expect.any(Error));
	});
});
