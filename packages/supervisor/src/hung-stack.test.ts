import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { hungStack } from './hung-stack.js';

/** An inspector with given responses; real ones are in test/hangs.test.ts. */
async function inspector(answer: (socket: WebSocket, method: string) => void): Promise<string> {
	const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
	onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
	await once(server, 'listening');
	server.on('connection', (socket) => {
		socket.on('message', (data: Buffer) => answer(socket, (JSON.parse(data.toString()) as { method: string }).method));
	});
	return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/id`;
}

const never = new AbortController().signal;

describe('hungStack', () => {
	it('requests a pause and lists the innermost frames, without a name for anonymous ones', async () => {
		const methods: string[] = [];
		const url = await inspector((socket, method) => {
			methods.push(method);
			if (method !== 'Debugger.pause') return;
			socket.send('{"method":"Debugger.scriptParsed","params":{}}');
			const frame = (functionName: string) => ({
				functionName,
				url: 'file:///bot.js',
				location: { lineNumber: 4, columnNumber: 2 },
			});
			const callFrames = [frame('spin'), frame(''), ...Array.from({ length: 20 }, () => frame('deep'))];
			socket.send(JSON.stringify({ method: 'Debugger.paused', params: { callFrames } }));
		});
		const frames = await hungStack(url, never);
		expect(methods).toEqual(['Debugger.enable', 'Debugger.pause']);
		expect(frames.slice(0, 3)).toEqual(['spin (file:///bot.js:5:3)', 'file:///bot.js:5:3', 'deep (file:///bot.js:5:3)']);
		expect(frames).toHaveLength(10);
	});

	it.each<[string, (socket: WebSocket) => void]>([
		['closes', (socket) => socket.close()],
		['talks nonsense', (socket) => socket.send('{"method":"Debugger.paused",')],
		['sends more than anybody should', (socket) => socket.send('x'.repeat(5 * 2 ** 20))],
	])('returns nothing when the inspector %s', async (_what, answer) => {
		const url = await inspector(answer);
		expect(await hungStack(url, never)).toEqual([]);
	});

	it('returns nothing when no inspector listens', async () => {
		expect(await hungStack('ws://127.0.0.1:1/id', never)).toEqual([]);
	});

	it('stops when it is aborted, also before it began', async () => {
		const abort = new AbortController();
		const url = await inspector(() => abort.abort());
		expect(await hungStack(url, abort.signal)).toEqual([]);
		expect(await hungStack(url, abort.signal)).toEqual([]);
	});
});
