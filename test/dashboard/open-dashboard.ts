// A headless Chromium on the dashboard of a fleet: logged in, with everything kept that it wrote to its console.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, isAbsolute, join } from 'node:path';
import type { CliSandbox } from '@shardctl/test-support';
import { type Browser, chromium, type Page } from 'playwright-core';
import { onTestFinished } from 'vitest';

const require = createRequire(import.meta.url);
const axe = readFileSync(require.resolve('axe-core'), 'utf8');

const patienceMs = 120_000;

/** @param name A program on the PATH, or a path. */
export function launch(name: string): Promise<Browser> {
	const places = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
	const executablePath = isAbsolute(name) ? name : places.find((place) => existsSync(place));
	if (executablePath === undefined) throw new Error(`${name} is not on the PATH`);
	return chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'] });
}

export interface OpenPage {
	page: Page;
	/** Errors and warnings of the page. */
	problems: string[];
}

/** An address that logs in once. */
export async function loginAddress(cli: CliSandbox, name: string, ...flags: string[]): Promise<string> {
	const { code, stdout, stderr } = await cli.output(['dashboard', '--json', '--name', name, ...flags]);
	if (code !== 0) throw new Error(`shardctl dashboard: ${stderr}`);
	return (JSON.parse(stdout) as { url: string }).url;
}

/** A page of a browser of its own, as far as cookies and storage are concerned. */
export async function openPage(browser: Browser, url: string): Promise<OpenPage> {
	const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' });
	onTestFinished(() => context.close());
	// As in other tests: it ends what hangs, and measures nothing.
	context.setDefaultTimeout(patienceMs);
	const page = await context.newPage();
	const problems: string[] = [];
	page.on('console', (message) => {
		if (['error', 'warning'].includes(message.type())) problems.push(message.text());
	});
	page.on('pageerror', (error) => problems.push(error.message));
	await page.goto(url);
	return { page, problems };
}

/** What axe finds on the page as it is now. */
export async function accessibilityFaults(page: Page): Promise<string[]> {
	const { violations } = (await page.evaluate(`${axe};axe.run()`)) as {
		violations: { id: string; nodes: { target: string[]; failureSummary: string }[] }[];
	};
	return violations.flatMap(({ id, nodes }) =>
		nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary}`),
	);
}
