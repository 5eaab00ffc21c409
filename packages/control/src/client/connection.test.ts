import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { tempDir } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { openResponse, readJson, readText } from './connection.js';

const get = { method: 'GET', path: '/v1/stats', body: undefined };

async function managerThat(responds: RequestListener) {
	const server = createServer(responds).listen(0, '127.0.0.1');
	onTestFinished(() => {
		server.closeAllConnections();
		server.close();
	});
	await once(server, 'listening');
	return { label: 'bot', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' };
}

it('sends the token and the body, and reads the JSON of the response', async () => {
	const target = await managerThat((request, response) => {
		request.resume();
		response.end(JSON.stringify([request.method, request.headers.authorization, request.headers['content-type']]));
	});
	const response = await openResponse(target, { method: 'POST', path: '/v1/eval', body: '{}' }, undefined);
	expect(await readJson(response)).toEqual(['POST', 'Bearer secret', 'application/json']);
});

it('names the manager that is not running', async () => {
	const target = { label: 'bot', socketPath: join(tempDir(), 'none') };
	await expect(openResponse(target, get, undefined)).rejects.toMatchObject({
		code: 'MANAGER_NOT_RUNNING',
		message: 'no manager is listening at "bot"',
	});
});

it('says that the manager exited where the connection ends before a response', async () => {
	const target = await managerThat(({ socket }) => socket.destroy());
	await expect(openResponse(target, get, undefined)).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
});

it('gives up after the time that was given, and at once when its signal aborts', async () => {
	const target = await managerThat(() => {});
	await expect(openResponse(target, get, 20)).rejects.toMatchObject({
		code: 'CALL_TIMEOUT',
		message: 'the manager "bot" did not respond within 0.02 s',
	});
	const abort = new AbortController();
	const cancelled = openResponse(target, get, undefined, abort.signal);
	abort.abort(new Error('cancelled'));
	await expect(cancelled).rejects.toThrow('cancelled');
});

it('rejects a response that breaks off, and one that is not JSON', async () => {
	const broken = await managerThat((_, response) => {
		response.writeHead(200, { 'content-length': 10 });
		response.write('123', () => response.destroy());
	});
	await expect(readText(await openResponse(broken, get, undefined))).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
	const page = await managerThat((_, response) => void response.end('<html>'));
	await expect(readJson(await openResponse(page, get, undefined))).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
});
