// With real sockets and short limits of node's own.
import { createServer as createHttpServer } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { slowClients, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { checkRequestTimeouts } from './request-timeouts.js';

it.each([
	['a head', 'GET / HTTP/1.1\r\nX'],
	['a body', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{'],
])('closes a connection that was handed over and sends %s that does not end', async (_, text) => {
	const http = createHttpServer({ headersTimeout: 50, requestTimeout: 50, connectionsCheckingInterval: 10 }, () => {});
	const net = createServer((socket) => http.emit('connection', socket));
	await new Promise<void>((resolve) => net.listen(0, '127.0.0.1', resolve));
	onTestFinished(async () => {
		http.closeAllConnections();
		await new Promise((resolve) => http.close(resolve));
		await new Promise((resolve) => net.close(resolve));
	});
	checkRequestTimeouts(http);
	const clients = await slowClients({ port: (net.address() as AddressInfo).port, host: '127.0.0.1' }, 3);
	onTestFinished(() => clients.close());
	clients.send(text);
	await waitFor('the connections to be closed', () => clients.open() === 0);
	expect(http.listening).toBe(false);
});
