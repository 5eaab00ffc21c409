// A web page in a real browser against the control API over TCP: it can neither read nor change anything. Skipped, with a notice, if no
// Chromium is installed.
import { systemClock } from '@shardctl/core';
import { attempts, browse, findBrowser, runInPage, tempDir } from '@shardctl/test-support';
import { pino } from 'pino';
import { expect, onTestFinished, test, vi } from 'vitest';
import { startControl } from '../src/server/index.js';
import { FakeFleet } from './fake-fleet.js';

const browser = findBrowser();
if (!browser) process.emitWarning('SKIPPED: no Chromium is installed, so the control API is not tried from a web page');

test.skipIf(!browser)('finding 8: a page cannot read a control API and has no effect on its fleet', async () => {
	vi.stubEnv('SHARDCTL_STATE_DIR', tempDir('shardctl-state-'));
	onTestFinished(() => void vi.unstubAllEnvs());
	const fleet = new FakeFleet();
	const lines: string[] = [];
	const setup = { file: 'bot.js', logger: pino({}, { write: (line) => lines.push(line) }), clock: systemClock };
	const control = await startControl(fleet, { port: 0, allowEval: true }, setup);
	onTestFinished(() => control.close({ how: 'stopped', code: null, message: 'stopped by a test' }));
	const base = control.url as string;
	const rebound = base.replace('127.0.0.1', 'rebound.example');
	const paths = ['/v1/stats', '/v1/eval', '/v1/stop', '/metrics', '//'];
	const urls = [base, rebound].flatMap((host) => paths.map((path) => host + path));
	const read = (await runInPage(browser as string, attempts(urls, '{"code":"1"}'))) as Record<string, string | null>;
	expect(Object.keys(read).length).toBe(urls.length * 6);
	expect(Object.entries(read).filter(([, text]) => text !== null && text !== '')).toEqual([]);
	expect(await browse(browser as string, `${rebound}/v1/stats`)).toContain('UNAUTHORIZED');
	// The browser did send them.
	expect(lines.join('')).toMatch(/rejected a request from 127\.0\.0\.1/);
	expect(fleet.actions).toEqual([]);
});
