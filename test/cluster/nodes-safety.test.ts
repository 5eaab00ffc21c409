// Calls between the nodes of a cluster when something is wrong: a node that dies in the middle, and a person who has only Redis.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { botKey } from '@shardctl/core';
import { waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { clusterKeys, type IoredisPort, MessageSeal, NodeBus } from '../../packages/cluster/src/index.js';
import { connectTo, describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterNodeRun, type ClusterSetup, clusterFleet } from './cluster-fleet.js';

const bot = fileURLToPath(new URL('fixtures/calling-bot.mjs', import.meta.url));

interface Result {
	shardIds: number[];
	node: string;
	status: string;
	value?: unknown;
	error?: { code: string; message: string };
}

async function twoNodes(setup: Partial<ClusterSetup> = {}) {
	const fleet = await clusterFleet({ shards: 2, lease: '6s', bot, ...setup });
	return { fleet, ...(await fleet.startAll(['a', 'b'])) };
}

/** Runs code in every worker. */
async function inAll(node: ClusterNodeRun, code: string): Promise<Result[]> {
	const { stdout } = await node.cli('eval', code, '--json');
	return JSON.parse(stdout) as Result[];
}

describeWithRedis('calls between the nodes of a cluster', () => {
	it.each([
		['killed', 'SIGKILL'],
		['stopped, so that its lease ends', 'SIGSTOP'],
	] as const)(
		'(44) settle with the reason when the other node is %s, and the results of this one are there',
		async (_, signal) => {
			const { fleet, a, b } = await twoNodes({ lease: '3s' });
			const begun = fleet.folder('begun');
			// The worker of node b never answers; that of node a does.
			const code = `new Promise((resolve) => {
			require('node:fs').appendFileSync(${JSON.stringify(begun)}, process.pid + '\\n');
			if (process.env.WITNESS !== 'b') resolve(1);
		})`;
			const call = inAll(a, code);
			await waitFor('both workers to have begun', () => lines(begun) === 2);
			b.kill('everything', signal);
			const results = await call;
			expect(results.find(({ node }) => node === 'a')).toMatchObject({ status: 'fulfilled', value: 1 });
			expect(results.find(({ node }) => node === 'b')).toMatchObject({
				status: 'rejected',
				error: { code: 'CHANNEL_CLOSED', message: expect.stringContaining('node "b" no longer responds') },
			});
		},
	);

	it('are not needed for the figures of a node that Redis does not answer', async () => {
		const { fleet, a } = await twoNodes();
		fleet.redis.kill('SIGKILL');
		const kinds = async () => {
			const { health } = await a.json<{ health: { causes: { kind: string }[] } }>('stats');
			return health.causes.map(({ kind }) => kind);
		};
		await expect.poll(kinds, { timeout: 30_000 }).toContain('redis-unreachable');
		const results = await inAll(a, '1');
		expect(results.filter(({ node }) => node === 'a')).toMatchObject([{ status: 'fulfilled' }]);
		expect(results.filter(({ node }) => node === 'b')).toMatchObject([{ status: 'rejected' }]);
	});

	it('cannot be made, repeated or answered by who has only Redis', async () => {
		const { fleet, a } = await twoNodes();
		const attacker = await connectTo(fleet.redis);
		onTestFinished(() => attacker.close());
		const keys = clusterKeys(botKey(fleet.simulator.token));
		const [members] = (await attacker.batch([['HGETALL', keys.members]])) as [Buffer[]];
		const nodes = members.filter((_, index) => index % 2 === 0).map(String);
		expect(nodes).toHaveLength(2);
		const recorded: [string, Buffer][] = [];
		for (const node of nodes) await attacker.subscribe(keys.inbox(node), (message) => recorded.push([node, message]));

		const count = () => inAll(a, 'globalThis.count = (globalThis.count ?? 0) + 1');
		expect((await count()).map(({ value }) => value)).toEqual([1, 1]);
		// At least the request and its answer.
		expect(recorded.length).toBeGreaterThanOrEqual(2);
		// Whole, to the right node and to the other; cut; with one bit changed; without a seal.
		const sent = recorded.splice(0);
		for (const [node, message] of sent) {
			const changed = Buffer.from(message);
			changed[changed.length - 1] = (changed.at(-1) as number) ^ 1;
			for (const forged of [message, changed, message.subarray(0, -1), message.subarray(32)]) {
				for (const to of [node, ...nodes.filter((each) => each !== node)]) await attacker.publish(keys.inbox(to), forged);
			}
		}
		await expect(callOf(attacker, fleet.simulator.token.slice(1), nodes[0] as string, keys)).rejects.toMatchObject({
			code: 'CALL_TIMEOUT',
		});
		// The nodes have read all of that by now: messages of one channel arrive in order, and this is one of them.
		expect((await count()).map(({ value }) => value)).toEqual([2, 2]);
		// Who has the secret is a node, as far as this goes: the same call is answered.
		await expect(callOf(attacker, fleet.simulator.token, nodes[0] as string, keys)).resolves.toBeNull();
	});

	it('and everything else work with the rights that the documentation names', async () => {
		const readme = readFileSync(new URL('../../packages/cluster/README.md', import.meta.url), 'utf8');
		const rights = /`(~shardctl:APPLICATION:[^`]+)`/.exec(readme)?.[1];
		const { fleet, a, b } = await twoNodes({ rights: rights as string });
		expect((await inAll(a, '1 + 1')).map(({ value }) => value)).toEqual([2, 2]);
		expect(await a.cli('drain', 'b')).toMatchObject({ code: 0, stderr: expect.stringContaining('node b is drained') });
		expect(await b.cli('stop')).toMatchObject({ code: 0 });
		expect(await b.run.exit).toBe(0);
		await fleet.whole();
		fleet.expectIdentifies(2);
	});
});

function lines(file: string): number {
	try {
		return readFileSync(file, 'utf8').split('\n').length - 1;
	} catch {
		return 0;
	}
}

/** A ping of a node, by one who has this secret. */
async function callOf(redis: IoredisPort, secret: string, node: string, keys: ReturnType<typeof clusterKeys>): Promise<unknown> {
	const bus = new NodeBus<{ ping: { params: null; result: null } }>({
		redis,
		keys,
		node: 'attacker',
		seal: new MessageSeal({ secret, applicationId: botKey(secret) }),
		serve: () => {},
		openMs: 500,
	});
	await bus.start();
	try {
		return await (await bus.peer(node)).request('ping', null, { timeoutMs: 5000 });
	} finally {
		await bus.close();
	}
}
