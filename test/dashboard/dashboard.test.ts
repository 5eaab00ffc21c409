// The dashboard of a real fleet of 16 shards in a real browser: what an operator sees and does. Skipped, with a notice, where no Chromium is
// installed.
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createSimulator, type Simulator } from '@shardctl/simulator';
import { type CliRun, type CliSandbox, cliSandbox, findBrowser, tempDir } from '@shardctl/test-support';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { accessibilityFaults, launch, loginAddress, openPage } from './open-dashboard.js';

const require = createRequire(import.meta.url);
const executable = findBrowser();
if (!executable) process.emitWarning('SKIPPED: no Chromium is installed, so the dashboard is not tried in a browser');

/** Logs in once the file `hold` is not there, and then writes what could be taken for markup. */
const bot = (hold: string) => `
	const { existsSync } = require('node:fs');
	const { Client } = require(${JSON.stringify(require.resolve('discord.js'))});
	const client = new Client({ intents: ['Guilds'] });
	client.once('ready', () => console.log('<img src=x onerror=alert(1)> \\u202e \\u001b[31mshards ' + client.shard.ids + '\\u001b[0m'));
	const logIn = () => (existsSync(${JSON.stringify(hold)}) ? setTimeout(logIn, 50) : client.login());
	logIn();`;

interface Figures {
	shards: { shardId: number; pid: number | null }[];
	health: { status: string };
}

describe.skipIf(!executable)('the dashboard', () => {
	let simulator: Simulator;
	let browser: Browser;
	let cli: CliSandbox;
	let fleet: CliRun;
	let file: string;
	let hold: string;
	let port: number;

	beforeAll(async () => {
		simulator = await createSimulator({ guilds: 64, maxConcurrency: 16 });
		browser = await launch(executable as string);
		cli = cliSandbox(afterAll);
		const folder = tempDir('shardctl-dashboard-', afterAll);
		hold = join(folder, 'hold');
		file = join(folder, 'bot.cjs');
		writeFileSync(file, bot(hold));
		port = await freePort();
		fleet = start();
		await fleet.message(/^fleet ready: 16 shards in 4 workers/);
	});

	afterAll(async () => {
		await browser?.close();
		await cli?.output(['stop', '--name', 'board']);
		await fleet?.exit;
		await simulator?.stop();
	});

	function start(): CliRun {
		const flags = ['--shards', '16', '--shards-per-worker', '4', '--name', 'board', '--dashboard', String(port)];
		flags.push('--rest', 'shared', '--heartbeat-timeout', '6s');
		return cli.run(['start', file, ...flags], { env: { DISCORD_TOKEN: simulator.token, SHARDCTL_API: simulator.url } });
	}

	const figures = async () => JSON.parse((await cli.output(['stats', '--json', '--name', 'board'])).stdout) as Figures;
	const pidOf = async (shard: number) => (await figures()).shards.find(({ shardId }) => shardId === shard)?.pid ?? undefined;
	const enter = async (...flags: string[]) => openPage(browser, await loginAddress(cli, 'board', ...flags));

	it('logs in once, and shows that every shard is well', async () => {
		const url = await loginAddress(cli, 'board');
		const { page, problems } = await openPage(browser, url);
		await healthy(page);
		await page.getByRole('button', { name: 'Shard 15: ready' }).waitFor();
		expect(await page.getByRole('button', { name: /^Shard \d+: ready$/ }).count()).toBe(16);
		expect(new URL(page.url()).hash).toBe('');
		// No script can read the session, and nothing of it or of the bot is in the page or in what it can read.
		expect(await page.evaluate('document.cookie')).toBe('');
		const readable =
			await page.evaluate(`Promise.all(['/v1/stats', '/v1/events', '/v1/logs', '/dashboard/history'].map(async (path) => {
			const response = await fetch(path, { headers: { 'x-shardctl-dashboard': localStorage.getItem('shardctl-page-key') } });
			return response.status + await response.text();
		}))`);
		expect(readable).toEqual(Array.from({ length: 4 }, () => expect.stringMatching(/^200/)));
		expect(`${JSON.stringify(readable)}${await page.content()}`).not.toContain(simulator.token);
		// The session outlives the page.
		await page.reload();
		await healthy(page);
		expect(problems).toEqual([]);

		const { page: second } = await openPage(browser, url);
		await second.getByRole('alert').getByText('has been used or is too old').waitFor();
		await second.getByText('shardctl dashboard', { exact: true }).waitFor();
		expect(await second.getByRole('button', { name: /^Shard/ }).count()).toBe(0);
	});

	it('shows a worker that was killed, why, and that it is back', async () => {
		const { page, problems } = await enter();
		await healthy(page);
		writeFileSync(hold, '');
		onTestFinished(() => rmSync(hold, { force: true }));
		process.kill((await pidOf(5)) as number, 'SIGKILL');
		await page.getByRole('heading', { name: 'Degraded' }).waitFor();
		await page.getByText('12 of 16 shards served', { exact: true }).waitFor();
		await expect.poll(() => page.title()).toBe('▲ board: 12 of 16 shards served');
		await page.getByRole('button', { name: /^Shard 5: (?!ready)/ }).waitFor();
		await page.getByRole('list', { name: 'Events' }).getByText('was killed by SIGKILL').first().waitFor();
		rmSync(hold);
		await healthy(page);
		await page.getByRole('button', { name: 'Shard 5: ready' }).click();
		await page.getByRole('region', { name: 'Details of shard 5' }).getByText('was killed by SIGKILL').waitFor();
		expect(problems).toEqual([]);
	});

	it('respawns a worker after it has named the price, and not before', async () => {
		const { page, problems } = await enter();
		const before = await pidOf(9);
		await page.getByRole('button', { name: 'Shard 9: ready' }).click();
		await page.getByRole('button', { name: 'Respawn' }).click();
		const dialog = page.getByRole('dialog', { name: 'Respawn shard 9?' });
		await dialog.getByText(/Worker 2 with shards 8-11 .* costs 4 session starts of the \d+ that are left today/).waitFor();
		await dialog.getByRole('button', { name: 'Cancel' }).click();
		await dialog.waitFor({ state: 'hidden' });
		expect(await pidOf(9)).toBe(before);

		await page.getByRole('button', { name: 'Respawn' }).click();
		await dialog.getByRole('button', { name: 'Respawn' }).click();
		await page.getByText('Worker 2 (shards 8-11) is ready again.').waitFor();
		expect(await pidOf(9)).not.toBe(before);
		await healthy(page);
		expect(problems).toEqual([]);
	});

	it('shows what bots write as text, of one shard and by search', async () => {
		const { page, problems } = await enter();
		await page.getByRole('button', { name: 'Logs' }).click();
		const log = page.getByRole('list', { name: 'Log' });
		await log.getByText('<img src=x onerror=alert(1)> \ufffd shards 12,13,14,15', { exact: true }).waitFor();
		expect(await page.locator('img').count()).toBe(0);
		await page.getByLabel('Shard whose log is shown').selectOption('3');
		await log.getByText('shards 0,1,2,3').waitFor();
		await log.getByText('shards 12,13,14,15').waitFor({ state: 'detached' });
		await page.getByLabel('Search in logs').fill('no such words');
		await log.getByText('No line matches.').waitFor();

		// The name of a guild, too.
		const rename = `const guild = client.guilds.cache.first(); guild.name = '<b>bold</b>\\u202e'; return guild.id;`;
		const { stdout } = await cli.output(['eval', rename, '--shard', '3', '--json', '--name', 'board']);
		const [{ value }] = JSON.parse(stdout) as [{ value: string }];
		await page.getByLabel('Find the shard of a guild').fill(value);
		await page.keyboard.press('Enter');
		await page.getByText(/^Shard \d+: <b>bold<\/b>\ufffd\.$/).waitFor();
		expect(await page.locator('b').count()).toBe(0);
		expect(problems).toEqual([]);
	});

	it('shows where a worker hung and what it wrote last, and the requests to Discord', async () => {
		const { page, problems } = await enter();
		await healthy(page);
		// Hangs in a function of this name for longer than the fleet allows.
		await cli.output([
			'eval',
			'setTimeout(function hangsHere() { for (;;); }, 0); console.error("about <i>to</i> \\u202ehang"); 0',
			'--shard',
			'12',
			'--name',
			'board',
		]);
		const details = page.getByRole('region', { name: 'Details of shard 12' });
		await page.getByRole('button', { name: /^Shard 12: / }).click();
		await details.getByText('hung: its main thread').first().waitFor({ timeout: 60_000 });
		await details.getByText('It hung in').first().click();
		await details.getByText('hangsHere').first().waitFor();
		await details.getByText('Its last errors').first().click();
		await details.getByText('about <i>to</i> \ufffdhang').first().waitFor();
		await healthy(page);
		await page.getByText('REST a second', { exact: true }).waitFor();
		await page.getByRole('img', { name: /^REST requests a second over time/ }).waitFor();
		expect(problems).toEqual([]);
	});

	it('is usable over a slow connection, and says how old its figures are while none arrive', async () => {
		const { page, problems } = await enter();
		await healthy(page);
		const network = await page.context().newCDPSession(page);
		const slow = { offline: false, latency: 400, downloadThroughput: 50_000, uploadThroughput: 20_000 };
		await network.send('Network.emulateNetworkConditions', slow);
		await page.reload();
		await healthy(page);
		await page.getByRole('button', { name: 'Shard 15: ready' }).waitFor();
		expect(problems).toEqual([]);
		// No connection breaks here: the manager is frozen.
		process.kill(fleet.pid, 'SIGSTOP');
		onTestFinished(() => void process.kill(fleet.pid, 'SIGCONT'));
		await page.getByText('not connected', { exact: true }).waitFor();
		await page.getByText(/^as of \d+s ago$/).waitFor();
		expect(await page.title()).toMatch(/^\? board/);
		process.kill(fleet.pid, 'SIGCONT');
		await page.getByText('live', { exact: true }).waitFor();
		await healthy(page);
	});

	it('offers nothing that acts to a read-only browser', async () => {
		const { page, problems } = await enter('--read-only');
		await healthy(page);
		await page.getByText('read-only', { exact: true }).waitFor();
		await page.getByRole('button', { name: 'Shard 0: ready' }).click();
		await page.getByRole('region', { name: 'Details of shard 0' }).waitFor();
		for (const name of ['Respawn', 'Stop', 'Rolling restart', 'Logs'])
			expect(await page.getByRole('button', { name }).count()).toBe(0);
		expect(problems).toEqual([]);
	});

	it('is used with the keyboard alone', async () => {
		const { page, problems } = await enter();
		await page.getByRole('button', { name: 'Shard 0: ready' }).focus();
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('ArrowRight');
		await page.keyboard.press('ArrowLeft');
		await page.keyboard.press('Enter');
		await page.getByRole('region', { name: 'Details of shard 1' }).waitFor();
		await page.getByRole('button', { name: 'Shard 1: ready' }).focus();
		await page.keyboard.press('End');
		await page.keyboard.press('Space');
		await page.getByRole('region', { name: 'Details of shard 15' }).waitFor();
		// The panel is next, and Escape leads back.
		await page.keyboard.press('Tab');
		await page.getByRole('button', { name: 'Close the details' }).and(page.locator(':focus')).waitFor();
		await page.keyboard.press('Escape');
		await page.getByRole('button', { name: 'Shard 15: ready' }).and(page.locator(':focus')).waitFor();
		// A worker has a panel of its own, from which its shards are reached.
		await page.getByRole('button', { name: 'Worker 2', exact: true }).focus();
		await page.keyboard.press('Enter');
		const worker = page.getByRole('region', { name: 'Details of worker 2' });
		for (const figure of ['Memory', 'Processor', 'Event loop delay'])
			await worker.getByRole('img', { name: new RegExp(`^${figure} over time; now .* [\\d.]+`) }).waitFor();
		await worker.getByRole('button', { name: /^Shard 9/ }).click();
		await page.getByRole('region', { name: 'Details of shard 9' }).waitFor();
		await page.getByLabel('Find the shard of a guild').fill('4194304');
		await page.keyboard.press('Enter');
		await page.getByRole('region', { name: 'Details of shard 1' }).waitFor();
		await page.getByText('the bot is not in guild 4194304').waitFor();
		// The browser itself notes that the response is a 404.
		expect(problems.filter((problem) => !problem.includes('404'))).toEqual([]);
	});

	it('has no fault of accessibility, in both themes, at the width of a phone, in a dialog and at the login', async () => {
		const { page } = await enter();
		await page.getByRole('button', { name: 'Shard 2: ready' }).click();
		for (const [theme, width] of [
			['light', 1280],
			['dark', 390],
		] as const) {
			await page.getByLabel('Colours').selectOption(theme);
			await page.setViewportSize({ width, height: 850 });
			expect(await accessibilityFaults(page)).toEqual([]);
			expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
		}
		await page.getByRole('button', { name: 'Respawn' }).click();
		await page.getByRole('dialog').waitFor();
		expect(await accessibilityFaults(page)).toEqual([]);
		await page.keyboard.press('Escape');
		await page.getByRole('dialog').waitFor({ state: 'hidden' });
		const { page: login } = await openPage(browser, `http://127.0.0.1:${port}/dashboard/`);
		await login.getByRole('heading', { name: 'Log in to the dashboard' }).waitFor();
		expect(await accessibilityFaults(login)).toEqual([]);
	});

	it('says when the manager is gone, and continues with the next one without a login', async () => {
		const { page } = await enter();
		await healthy(page);
		await page.getByRole('button', { name: 'Stop', exact: true }).click();
		await page.getByRole('dialog').getByText('All 4 workers end, the bot goes offline on 16 shards').waitFor();
		await page.getByRole('button', { name: 'Stop the fleet' }).click();
		expect(await fleet.exit).toBe(0);
		await page.getByText('not connected', { exact: true }).waitFor();
		fleet = start();
		await page.getByText('live', { exact: true }).waitFor();
		await healthy(page);
		expect(await pidOf(0)).toBeGreaterThan(0);
	});
});

async function healthy(page: Page): Promise<void> {
	await page.getByRole('heading', { name: 'Healthy' }).waitFor({ timeout: 60_000 });
	await page.getByText('All 16 shards are served', { exact: true }).waitFor();
}

/** A port that was free a moment ago: the manager has the same one after its restart. */
async function freePort(): Promise<number> {
	const server = createServer();
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as { port: number };
	await new Promise((resolve) => server.close(resolve));
	return port;
}
