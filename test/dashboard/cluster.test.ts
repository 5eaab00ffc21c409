// The dashboard of a real cluster of two nodes over Redis, in a real browser: the nodes, what moves between them, and what an operator does with
// them. Skipped, with a notice, where no Chromium or no Redis is installed.
import { findBrowser } from '@shardctl/test-support';
import type { Locator, Page } from 'playwright-core';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterNodeRun, clusterFleet } from '../cluster/cluster-fleet.js';
import { accessibilityFaults, launch, openPage } from './open-dashboard.js';

const executable = findBrowser();
if (!executable)
	process.emitWarning('SKIPPED: no Chromium is installed, so the dashboard of a cluster is not tried in a browser');

const partOf = (page: Page, name: string) => page.getByRole('region', { name: `Node ${name}`, exact: true });
const shardsOf = (part: Locator) => part.getByRole('button', { name: /^Shard \d+: ready$/ });
const waitForShards = (part: Locator, count: number) => expect.poll(() => shardsOf(part).count()).toBe(count);
const stateOf = (part: Locator, status: string) => part.getByText(status, { exact: true }).waitFor();

async function confirm(page: Page, title: string, consequence: RegExp, button: string): Promise<void> {
	const dialog = page.getByRole('dialog', { name: title });
	await dialog.getByText(consequence).waitFor();
	await dialog.getByRole('button', { name: button, exact: true }).click();
}

/** What an action reports in the end: this, or the test fails with what it reports instead. */
async function outcome(page: Page, text: string): Promise<void> {
	const ended = page.locator('.notice p').filter({ hasNotText: 'under way' });
	await ended.first().waitFor();
	expect(await ended.allTextContents()).toEqual([text]);
}

describeWithRedis('the dashboard of a cluster', () => {
	it.skipIf(!executable)(
		'shows its nodes and what happens on each, moves and drains without an identify, and shows a node that is gone',
		async () => {
			// Of three sessions: a move from the node with two leaves no difference that the cluster evens out by itself.
			const fleet = await clusterFleet({ shards: 3, lease: '6s' });
			const nodes = await fleet.startAll(['a', 'b']);
			const browser = await launch(executable as string);
			onTestFinished(() => browser.close());
			const open = async (node: ClusterNodeRun, ...flags: string[]) =>
				openPage(browser, (await node.json<{ url: string }>('dashboard', ...flags)).url);
			const { page, problems } = await open(nodes.a);
			const events = page.getByRole('list', { name: 'Events' });
			await page.getByText('All 3 shards are served', { exact: true }).waitFor();
			await Promise.all(['a', 'b'].map((name) => stateOf(partOf(page, name), 'ready')));
			await page.getByText('of all nodes together, kept by node a', { exact: true }).waitFor();
			expect(await accessibilityFaults(page)).toEqual([]);

			// One shard to the other node, from its panel.
			const hasTwo = (await shardsOf(partOf(page, 'a')).count()) === 2;
			const [full, other] = hasTwo ? ['a', 'b'] : ['b', 'a'];
			const [partFull, partOther] = [partOf(page, full as string), partOf(page, other as string)];
			await Promise.all([waitForShards(partFull, 2), waitForShards(partOther, 1)]);
			const first = shardsOf(partFull).first();
			const shard = (await first.getAttribute('aria-label'))?.replace(': ready', '').toLowerCase() as string;
			await first.click();
			const details = page.getByRole('region', { name: `Details of ${shard}` });
			await details.getByRole('button', { name: 'Move', exact: true }).click();
			const route = new RegExp(`with ${shard} moves from node ${full} to node ${other}\\. .* without an IDENTIFY`);
			await confirm(page, `Move ${shard} to node ${other}?`, route, 'Move');
			await outcome(page, `Session with ${shard} is ready on node ${other}.`);
			await Promise.all([waitForShards(partFull, 1), waitForShards(partOther, 2)]);

			// All that the other node has.
			await page.getByRole('button', { name: `Drain node ${other}` }).click();
			const all = new RegExp(`^Its 2 sessions \\(shards .*\\) move to node ${full}, .* without an IDENTIFY`);
			await confirm(page, `Drain node ${other}?`, all, 'Drain');
			await Promise.all([stateOf(partOther, 'draining'), waitForShards(partFull, 3), partOther.getByText('No shard.').waitFor()]);
			await partOther.getByText('it has no session left, and gets none').waitFor();
			expect(await page.getByRole('button', { name: `Drain node ${full}` }).isDisabled()).toBe(true);
			// What happened on either node is among the events, with its name.
			await events
				.getByText(new RegExp(`^${full} session \\d has moved to this node`))
				.first()
				.waitFor();
			await events
				.getByText(new RegExp(`^${other} session \\d was moved to another node`))
				.first()
				.waitFor();

			await page.getByRole('button', { name: `End the drain of node ${other}` }).click();
			await confirm(page, `End the drain of node ${other}?`, /may get sessions again/, 'End the drain');
			await stateOf(partOther, 'ready');
			await Promise.all([waitForShards(partOther, 1), waitForShards(partFull, 2)]);
			await fleet.whole();
			fleet.expectIdentifies(3);

			// Who may only read sees the nodes, and can do nothing with them.
			const reader = (await open(nodes.a, '--read-only')).page;
			await stateOf(partOf(reader, 'b'), 'ready');
			expect(await reader.getByRole('button', { name: /^(Drain|Stop|End)/ }).count()).toBe(0);

			// Its lease ends, and the other node takes over what it had.
			nodes.b.kill('everything');
			await page.getByRole('heading', { name: 'Degraded' }).waitFor();
			await waitForShards(partOf(page, 'a'), 3);
			await page.getByText('All 3 shards are served', { exact: true }).waitFor();
			expect(
				await partOf(page, 'b')
					.getByRole('button', { name: /^Shard/ })
					.count(),
			).toBe(0);
			// The rule for that names what is counted.
			expect((await nodes.a.cli('metrics')).stdout).toMatch(
				/^shardctl_cluster_steps_total\{.*kind="session_taken_over".*\} [1-9]/m,
			);
			expect(problems).toEqual([]);

			// What is in the head of the page is about all nodes.
			await page.getByRole('button', { name: 'Stop', exact: true }).click();
			await confirm(page, 'Stop the fleet?', /^The node ends with 3 workers, the bot goes offline on 3 shards/, 'Stop the fleet');
			expect(await nodes.a.run.exit).toBe(0);
		},
	);
});
