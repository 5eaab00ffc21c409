// A web page in a real browser against a simulator: it can neither read its state nor emit an event. Skipped, with a notice, if no
// Chromium is installed.
import { attempts, browse, findBrowser, runInPage } from '@shardctl/test-support';
import { expect, test } from 'vitest';
import { simulator } from './raw-client.js';

const browser = findBrowser();
if (!browser) process.emitWarning('SKIPPED: no Chromium is installed, so the simulator is not tried from a web page');

test.skipIf(!browser)('finding 16: a page cannot read a simulator and has no effect on it', async () => {
	const sim = await simulator({ guilds: 2 });
	const hosts = [`http://127.0.0.1:${sim.port}`, `http://localhost:${sim.port}`, `http://rebound.example:${sim.port}`];
	const paths = ['/simulator/state', '/simulator/emit', '/api/v10/gateway', '//', '/?v=10&encoding=json'];
	const urls = hosts.flatMap((host) => paths.map((path) => host + path));
	const body = '{"type":"MESSAGE_CREATE","data":{"content":"obey"}}';
	const read = (await runInPage(browser as string, attempts(urls, body))) as Record<string, string | null>;
	expect(Object.keys(read).length).toBe(urls.length * 6);
	expect(Object.entries(read).filter(([, text]) => text !== null && text !== '')).toEqual([]);
	expect(await browse(browser as string, `http://rebound.example:${sim.port}/simulator/state`)).not.toContain('sessions');
	expect(sim.log.entries({ type: 'identify' })).toEqual([]);
	expect(JSON.stringify(sim.log.entries())).not.toContain('obey');
});
