// Commands on the whole cluster while something is wrong with a part of it.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { clusterFleet } from './cluster-fleet.js';

const bot = fileURLToPath(new URL('fixtures/calling-bot.mjs', import.meta.url));

interface Stats {
	shards: { shardId: number; node: string; pid: number; ready: boolean }[];
}

async function twoNodes(args: readonly string[] = []) {
	const fleet = await clusterFleet({ shards: 2, lease: '3s', bot, args });
	return { fleet, ...(await fleet.startAll(['a', 'b'])) };
}

describeWithRedis('a command on a cluster', () => {
	it('calls a deploy off from any node', async () => {
		const { fleet, a, b } = await twoNodes();
		const before = (await a.json<Stats>('stats')).shards;
		expect(await a.cli('deploy', '--observe', '10m', '--detach')).toMatchObject({ code: 0 });
		const cancelled = await b.cli('deploy', '--cancel');
		expect(cancelled).toMatchObject({ code: 0, stderr: expect.stringMatching(/^calling off deploy 1 of fleet\n/) });
		const after = (await b.json<Stats>('stats')).shards;
		expect(after.map(({ ready }) => ready)).toEqual([true, true]);
		// The node whose turn had not come is as it was.
		const ofB = (shards: Stats['shards']) => shards.filter(({ node }) => node === 'b').map(({ pid }) => pid);
		expect(ofB(after)).toEqual(ofB(before));
		expect(await b.cli('deploy', '--cancel')).toMatchObject({
			code: 2,
			stderr: expect.stringContaining('no deploy is running, so there is nothing to call off'),
		});
		fleet.expectIdentifies(2);
	});

	it('deploy ends with the name of the node that dies in the middle, and the fleet is whole again', async () => {
		const { fleet, a, b } = await twoNodes();
		const deploy = a.sandbox.run(['deploy', '--observe', '10s', '--name', 'fleet']);
		await waitFor('the turn of the other node', () => /node b: /.test(deploy.stderr()));
		b.kill('everything');
		expect(await deploy.exit).toBe(1);
		expect(deploy.stderr()).toMatch(/error: .*node "?b"?.*1 of 2 nodes keep the new version\n$/);
		await fleet.whole();
		await waitFor('every shard to be ready', async () => {
			const { shards } = await a.json<Stats>('stats');
			return shards.length === 2 && shards.every(({ node, ready }) => node === 'a' && ready);
		});
		fleet.expectIdentifies(2);
	});

	it('restart ends with the name of the node that dies in the middle, and the fleet is whole again', async () => {
		const { fleet, a, b } = await twoNodes(['--grace', '60s']);
		// Its worker takes longer to stop than the test, and says when it was asked to.
		const begun = fleet.folder('begun');
		const code = `fleet.onShutdown(() => new Promise(() => require('node:fs').writeFileSync(${JSON.stringify(begun)}, '')))`;
		expect(await a.cli('eval', code, '--node', 'b')).toMatchObject({ code: 0 });
		const restart = a.sandbox.run(['restart', '--rolling', '--name', 'fleet']);
		await waitFor('the turn of the other node', () => existsSync(begun));
		b.kill('everything');
		expect(await restart.exit).toBe(1);
		expect(restart.stderr()).toMatch(/error: node "?b"?.*\n$/);
		await fleet.whole();
		await waitFor('every shard to be ready', async () => {
			const { shards } = await a.json<Stats>('stats');
			return shards.length === 2 && shards.every(({ node, ready }) => node === 'a' && ready);
		});
		fleet.expectIdentifies(2);
	});

	it('drain --force marks a node that no other can replace, and its sessions move once another one is there', async () => {
		const fleet = await clusterFleet({ shards: 2, lease: '3s' });
		const a = await fleet.start('a');
		const stop = fleet.talk(100);
		expect(await a.cli('drain')).toMatchObject({
			code: 1,
			stderr: expect.stringMatching(/^error: no other node can take .*node "a"/),
		});
		expect(await a.cli('drain', '--force')).toMatchObject({
			code: 0,
			stderr: 'node a is marked, and keeps 2 sessions: no other node can take them\n',
		});
		const b = await fleet.start('b');
		await fleet.servedBy(b);
		stop();
		await fleet.verdict({ identifies: 2 });
	});

	it('nodes --watch continues while Redis does not answer, and says so', async () => {
		const { fleet, a } = await twoNodes();
		const watch = a.sandbox.run(['nodes', '--watch', '--json', '--interval', '100ms', '--name', 'fleet']);
		await waitFor('the nodes', () => watch.json().length > 2);
		expect(watch.stderr()).toBe('');
		fleet.redis.kill('SIGSTOP');
		await waitFor('a message', () => watch.stderr() !== '');
		const before = watch.json().length;
		fleet.redis.kill('SIGCONT');
		await waitFor('the nodes again', () => watch.json().length > before);
		expect(watch.stderr()).toMatch(/^Redis at .* (did not answer|cannot be reached for) (?!.*maxRetries).*\n/);
		watch.process.kill('SIGINT');
		expect(await watch.exit).toBe(0);
	});
});
