// A fleet whose dashboard may only be looked at: no login gives more, whatever it is asked for.
import { createSimulator } from '@shardctl/simulator';
import { cliSandbox } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { tinyBot } from '../faults/fleet.js';

it('lets no browser act on a fleet that was started with --dashboard-read-only', async () => {
	const simulator = await createSimulator({ guilds: 4 });
	onTestFinished(() => simulator.stop());
	const cli = cliSandbox();
	const args = `start ${tinyBot} --name wall --shards 1 --api ${simulator.url} --dashboard 0 --dashboard-read-only`.split(' ');
	const run = cli.run(args, { env: { DISCORD_TOKEN: simulator.token, INTENTS: '1' } });
	await run.message(/^fleet ready/);
	const { stdout } = await cli.output(['dashboard', '--json', '--name', 'wall']);
	const { url, readOnly } = JSON.parse(stdout) as { url: string; readOnly: boolean };
	expect(readOnly).toBe(true);

	const { origin, hash } = new URL(url);
	const login = await fetch(`${origin}/dashboard/login`, {
		method: 'POST',
		headers: { 'x-shardctl-login': hash.replace('#login=', '') },
	});
	const { pageKey, rights } = (await login.json()) as { pageKey: string; rights: string };
	expect(rights).toBe('read');
	const cookie = login.headers.get('set-cookie') ?? '';
	expect(cookie).toMatch(/; HttpOnly; SameSite=Strict$/);
	const headers = { cookie: cookie.split(';')[0] as string, 'x-shardctl-dashboard': pageKey };
	const statusOf = async (path: string, method = 'POST') =>
		(await fetch(origin + path, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) })).status;
	expect(await statusOf('/v1/stats', 'GET')).toBe(200);
	for (const path of [
		'/v1/stop',
		'/v1/restart',
		'/v1/deploy',
		'/v1/drain',
		'/v1/shards/0/respawn',
		'/v1/shards/0/move',
		'/v1/dashboard',
	])
		expect({ path, status: await statusOf(path) }).toEqual({ path, status: 403 });
	expect(await statusOf('/v1/logs', 'GET')).toBe(403);
	const { code } = await cli.output(['stop', '--name', 'wall']);
	expect(code).toBe(0);
	expect(await run.exit).toBe(0);
});
