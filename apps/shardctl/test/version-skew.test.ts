// Commands of this version against a manager of another one: unknown values are shown unchanged, missing ones are left out, and
// if that is not possible both versions are named.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cliSandbox } from '@shardctl/test-support';
import { expect, onTestFinished, test } from 'vitest';

/** The output of a command whose manager returns these responses, by path. */
async function asked(args: string[], answers: Record<string, unknown>, version: string | undefined = '9.0.0') {
	const server = createServer((request, response) => {
		if (version !== undefined) response.setHeader('x-shardctl-version', version);
		const answer = answers[(request.url ?? '').split('?')[0] as string];
		const status = answer === undefined ? 404 : 200;
		response.writeHead(status, { 'content-type': 'application/json' });
		response.end(JSON.stringify(answer ?? { error: { code: 'METHOD_NOT_FOUND', message: 'unknown operation' } }));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const cli = cliSandbox(onTestFinished);
	onTestFinished(async () => {
		server.closeAllConnections();
		await new Promise((resolve) => server.close(resolve));
	});
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return cli.output([...args, '--url', url], { env: { SHARDCTL_CONTROL_TOKEN: 'x'.repeat(20) } });
}

test('finding 17: shows events of unknown types, and with missing fields, unchanged', async () => {
	const events = [
		{ seq: 1, at: 0, type: 'worker:teleported', workerId: 3, to: 'Mars' },
		{ seq: 2, at: 0, type: 'worker:exited', workerId: 1 },
		{ seq: 3, at: 0, type: 'fleet:health' },
		{ seq: 4, at: 'soon', type: 'gateway:notice', shardIds: 'all' },
		{ seq: 5, at: 1000, type: 'worker:ready', workerId: 0, shardIds: [0], tookMs: 1500, more: 1 },
	];
	const { code, stdout, stderr } = await asked(['events'], { '/v1/events': { events } });
	expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
	const lines = stdout.trimEnd().split('\n');
	expect(lines[0]).toBe('1970-01-01T00:00:00.000Z ● worker:teleported {"workerId":3,"to":"Mars"}');
	expect(lines).toContainEqual(expect.stringContaining('worker:exited {"workerId":1}'));
	expect(lines).toContainEqual(expect.stringContaining('fleet:health {}'));
	expect(lines.at(-1)).toContain('worker 0 (shard 0) is ready after 1.5 s');
	expect(lines).toHaveLength(5);
});

test.each([
	['without a status and the session starts', { manager: { name: 'bot' }, shards: [{ shardId: 0 }] }],
	[
		'with a status that it does not know',
		{ manager: { name: 'bot', status: 'teleporting' }, shards: [{ shardId: 0, status: 'x' }] },
	],
	['without a shard', { manager: { name: 'bot' } }],
	[
		'of resident mode, without sessions',
		{ manager: { name: 'bot' }, shards: [], gateways: [{ id: 0, shards: [{ shardId: 0 }] }] },
	],
])('finding 17: shows stats %s', async (_, stats) => {
	const { code, stdout, stderr } = await asked(['stats'], { '/v1/stats': stats });
	expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
	expect(stdout).toMatch(/^bot /);
	expect(stdout).not.toMatch(/NaN|undefined/);
});

test('finding 17: names both versions when a command cannot show a response', async () => {
	const { code, stderr } = await asked(['health'], { '/v1/health': { name: 'bot' } });
	expect(code).not.toBe(0);
	expect(stderr).toMatch(/^error: this command is of shardctl \d+\.\d+\.\d+ and the manager of shardctl 9\.0\.0/);
	expect(stderr).not.toMatch(/^\s+at /m);
});
