// What the page costs with 1,000 shards, compared with 100: counts and a ratio, no times. The figures are made up, the control API, the page and
// the browser are real. test/bench/dashboard-scale.mjs measures the costs themselves.
import { findBrowser } from '@shardctl/test-support';
import type { CDPSession, Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { launch, openPage } from './open-dashboard.js';
import { openScene } from './open-scene.mjs';

const executable = findBrowser();
if (!executable) process.emitWarning('SKIPPED: no Chromium is installed, so the page of 1,000 shards is not tried in a browser');

/** Ten times the shards; linear costs would be 10 at most, quadratic ones 100. */
const mostTimes = 25;
const frames = 5;

it.skipIf(!executable)(
	'renders no shard again that is as it was, and takes no more time per shard the more there are',
	async () => {
		const browser = await launch(executable as string);
		onTestFinished(() => browser.close());
		async function open(name: string, shards: number) {
			const scene = await openScene(name, { historyMs: 60_000 });
			onTestFinished(() => scene.close());
			const { page, problems } = await openPage(browser, await scene.login());
			await page.getByRole('button', { name: `Shard ${shards - 1}: ready` }).waitFor();
			expect(await page.getByRole('button', { name: /^Shard \d+: ready$/ }).count()).toBe(shards);
			return { scene, page, problems, session: await page.context().newCDPSession(page) };
		}
		const small = await open('small', 100);
		const large = await open('large', 1000);
		await countChanges(large.page);
		const costs: number[] = [];
		for (const { scene, session } of [small, large]) {
			await session.send('Performance.enable');
			const before = await taskSeconds(session);
			const from = scene.reads;
			await expect.poll(() => scene.reads - from).toBeGreaterThanOrEqual(frames);
			costs.push(((await taskSeconds(session)) - before) / (scene.reads - from));
		}
		const [ofSmall, ofLarge] = costs as [number, number];
		expect(ofLarge / ofSmall).toBeLessThan(mostTimes);
		expect(await large.page.evaluate('changedShards')).toBe(0);
		expect([...small.problems, ...large.problems]).toEqual([]);
	},
);

/** Counts what changes in the cells of shards from now on. */
async function countChanges(page: Page): Promise<void> {
	await page.evaluate(`
		globalThis.changedShards = 0;
		new MutationObserver((changes) => (globalThis.changedShards += changes.length)).observe(document.querySelector('.grid'), {
			subtree: true, childList: true, attributes: true, characterData: true,
		});`);
}

/** Time that the page's main thread has been busy. */
async function taskSeconds(session: CDPSession): Promise<number> {
	const { metrics } = await session.send('Performance.getMetrics');
	return metrics.find(({ name }) => name === 'TaskDuration')?.value ?? Number.NaN;
}
