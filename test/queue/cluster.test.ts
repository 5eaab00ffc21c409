// Nodes of a cluster whose events go through the queue, as whole fleets through the command line: nodes are killed with all of their processes, cut
// off from Redis, drained and joined while numbered messages flow. Each event is in the streams once, in order of its guild, and no session is
// started again. One kill of two nodes here; with QUEUE_KILLS=1 ten, of three nodes with 8 sessions, at 1,000 messages a second.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connectQueue } from '@shardctl/queue';
import { waitFor } from '@shardctl/test-support';
import { createControlClient, type ManagerStats } from 'shardctl';
import { expect, it, onTestFinished } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, type ClusterNodeRun, clusterFleet } from '../cluster/cluster-fleet.js';
import { orderProblems } from './queue-support.js';

const workerFile = fileURLToPath(new URL('fixtures/appending-worker.mjs', import.meta.url));
// GUILDS, GUILD_MESSAGES and MESSAGE_CONTENT, as its own.
const intents = 1 | 512 | 32_768;
const whole = Boolean(process.env.QUEUE_KILLS);
const size = whole
	? { shards: 8, guilds: 200, perSecond: 1000, nodes: ['a', 'b', 'c'], kills: 10 }
	: { shards: 2, guilds: 20, perSecond: 200, nodes: ['a', 'b'], kills: 1 };
const tickMs = 20;

/** Of all nodes, as one of them shows them. Each node has a state folder of its own. */
function statsAt(node: ClusterNodeRun): Promise<ManagerStats> {
	process.env.SHARDCTL_STATE_DIR = node.sandbox.stateDir;
	return createControlClient('fleet').stats();
}

/** Nodes with a worker each in the group `commands`, and a worker of this process in the group `levels`, which nothing kills. */
async function setup() {
	const fleet = await clusterFleet({
		shards: size.shards,
		guilds: size.guilds,
		lease: '2s',
		queue: true,
		bot: workerFile,
		env: { GROUP: 'commands' },
		simulator: { replay: { maxEvents: 100_000, maxBytes: 2 ** 28 } },
	});
	const before = process.env.SHARDCTL_STATE_DIR;
	onTestFinished(() => {
		if (before === undefined) delete process.env.SHARDCTL_STATE_DIR;
		else process.env.SHARDCTL_STATE_DIR = before;
	});
	const nodes = Object.values(await fleet.startAll(size.nodes));
	const levels: string[] = [];
	const queue = await connectQueue({
		group: 'levels',
		events: ['MESSAGE_CREATE'],
		intents,
		url: fleet.redis.url,
		token: fleet.simulator.token,
		onWarning: () => {},
	});
	queue.handle(({ data }) => void levels.push((data as { content: string }).content));
	const running = queue.run();
	onTestFinished(async () => {
		await queue.close();
		await running;
	});
	const [first] = nodes as [ClusterNodeRun];
	await waitFor('both groups to have their workers', async () => {
		const { queue: figures } = await statsAt(first);
		const members = new Map(figures?.groups.map((each) => [each.group, each.members]));
		return members.get('commands') === nodes.length && members.get('levels') === 1;
	});
	await allSaved(first);
	return { fleet, nodes, levels, ...messages(fleet) };
}

/** A process that is killed before it has saved a session leaves the next one nothing to resume. */
async function allSaved(node: ClusterNodeRun): Promise<void> {
	await waitFor('every session to be served and saved', async () => {
		const { gateways = [], shards } = await statsAt(node);
		return (
			shards.length === size.shards &&
			shards.every(({ ready }) => ready) &&
			gateways.every((each) => each.shards.length > 0 && each.shards.every(({ snapshotBytes }) => snapshotBytes !== null))
		);
	});
}

/** Messages with numbers in all guilds, until `stop`. */
function messages({ simulator, guildIds }: ClusterFleet) {
	const counts = new Map<number, number>();
	let next = 0;
	const timer = setInterval(() => {
		for (let each = 0; each < (size.perSecond * tickMs) / 1000; each++) {
			const index = next++ % guildIds.length;
			const n = (counts.get(index) ?? 0) + 1;
			counts.set(index, n);
			simulator.emit('MESSAGE_CREATE', { content: `${index}:${n}` }, { guildId: guildIds[index] as string });
		}
	}, tickMs);
	const stop = () => clearInterval(timer);
	onTestFinished(stop);
	return { counts, stop, total: () => [...counts.values()].reduce((sum, n) => sum + n, 0) };
}

/** What the workers of the nodes have handled, in the order of the clock that they share. */
function handledByCommands(fleet: ClusterFleet): { content: string; pid: number }[] {
	const file = fleet.folder('handled');
	const lines = existsSync(file) ? readFileSync(file, 'latin1').split('\n').slice(0, -1) : [];
	return lines
		.map((line) => {
			const [content = '', pid, at = '0'] = line.split(' ');
			return { content, at: BigInt(at), pid: Number(pid) };
		})
		.sort((one, other) => (one.at < other.at ? -1 : 1));
}

/** Messages of now are handled, and not only those of before. */
async function servedBy(levels: readonly string[], counts: ReadonlyMap<number, number>): Promise<void> {
	const from = new Map(counts);
	await waitFor('a new message of each guild to be handled', () => {
		const newest = new Map<number, number>();
		for (const content of levels) {
			const [index, n] = content.split(':').map(Number) as [number, number];
			newest.set(index, n);
		}
		return [...from].every(([index, n]) => (newest.get(index) ?? 0) > n);
	});
}

type Setup = Awaited<ReturnType<typeof setup>>;

/** Both groups have handled every message in order of its guild. Resolves with what `commands` handled, and how many events the streams have had. */
async function verdict({ fleet, levels, counts, total, stop }: Setup, survivor: ClusterNodeRun) {
	stop();
	await waitFor('everything to be handled by both groups', () => {
		const distinct = new Set(handledByCommands(fleet).map(({ content }) => content)).size;
		return new Set(levels).size === total() && distinct === total();
	});
	expect(orderProblems(levels, counts)).toEqual([]);
	const commands = handledByCommands(fleet);
	expect(
		orderProblems(
			commands.map(({ content }) => content),
			counts,
		),
	).toEqual([]);
	fleet.expectIdentifies(size.shards);
	// Each event has a number in its partition. Figures may be some seconds old.
	const written = async () => (await statsAt(survivor)).queue?.written ?? 0;
	await waitFor('figures of now', async () => (await written()) >= total());
	return { commands, written: await written() };
}

/** What is asked of one node is done on all, and shown of all. */
async function commandsMeanAllNodes(nodes: readonly ClusterNodeRun[]): Promise<void> {
	const [first, second] = nodes as [ClusterNodeRun, ClusterNodeRun];
	const names = nodes.map(({ name }) => name);
	const workers = async () => (await statsAt(second)).workers;
	expect(await first.cli('scale', '2')).toMatchObject({
		code: 0,
		stderr: `scaled fleet from ${names.length} to ${2 * names.length} workers\n`,
	});
	// A node that does not respond at once is left out of what is shown.
	const all = names.flatMap((name) => [`${name}0`, `${name}1`]).join();
	const shown = (list: Awaited<ReturnType<typeof workers>>) =>
		list
			.map(({ id, node }) => `${node}${id}`)
			.toSorted()
			.join();
	const before = new Set<number | null>();
	await waitFor('the workers of all nodes', async () => {
		const list = await workers();
		for (const { pid } of list) before.add(pid);
		return shown(list) === all;
	});
	await waitFor('how many each node has', async () => {
		const { nodes: infos } = await second.json<{ nodes: { name: string; workers: number }[] }>('nodes');
		return infos.length === names.length && infos.every(({ workers: count }) => count === 2);
	});
	expect(await second.cli('restart', '--worker', '0')).toMatchObject({
		code: 2,
		stderr: expect.stringContaining(`name the node of worker 0 (--node), one of ${names.join(', ')}`),
	});
	expect(await second.cli('deploy', '--observe', '0s')).toMatchObject({ code: 0 });
	await waitFor('all of them to be others', async () => {
		const list = await workers();
		return shown(list) === all && list.every(({ pid, state }) => state === 'ready' && !before.has(pid));
	});
	expect(await second.cli('scale', '1', '--node', first.name)).toMatchObject({
		stderr: expect.stringMatching(/from 2 to 1 worker\n$/),
	});
	await waitFor('the figures of the queue, which may be some seconds old, to be those of now', async () => {
		const { groups } = await second.json<NonNullable<ManagerStats['queue']>>('queue');
		return groups.find(({ group }) => group === 'commands')?.members === 2 * names.length - 1;
	});
}

async function hasAllSessions(fleet: ClusterFleet, nodes: readonly ClusterNodeRun[]): Promise<boolean> {
	const counts = await Promise.all(nodes.map(async (node) => (await fleet.sessionsOf(node)).length));
	return counts.reduce((sum, count) => sum + count, 0) === size.shards;
}

describeWithRedis('a cluster whose events go through a queue', () => {
	it('loses and repeats nothing when a node is killed with all of its processes, joins again, and another one is drained', {
		timeout: whole ? 900_000 : 120_000,
	}, async () => {
		const under = await setup();
		const { fleet, levels, counts } = under;
		let { nodes } = under;
		await commandsMeanAllNodes(nodes);
		const killed = new Set<number>();
		for (let turn = 0; turn < size.kills; turn++) {
			const [victim, ...others] = nodes as [ClusterNodeRun, ...ClusterNodeRun[]];
			const other = others[0] as ClusterNodeRun;
			await allSaved(other);
			for (const pid of victim.processes()) killed.add(pid);
			victim.kill('everything');
			await waitFor('other nodes to have its sessions', () => hasAllSessions(fleet, others));
			await servedBy(levels, counts);
			nodes = [...others, await fleet.start(victim.name)];
			await servedBy(levels, counts);
		}
		const [drained, joined] = [nodes[0], nodes.at(-1)] as [ClusterNodeRun, ClusterNodeRun];
		expect(await joined.cli('rebalance')).toMatchObject({ code: 0 });
		expect((await fleet.sessionsOf(joined)).length).toBeGreaterThan(0);
		expect(await drained.cli('drain')).toMatchObject({ code: 0 });
		expect(await fleet.sessionsOf(drained)).toEqual([]);
		await servedBy(levels, counts);
		const { commands, written } = await verdict(under, drained);
		expect(written).toBe(under.total());
		const first = new Map<string, number>();
		const repeats = commands.filter(({ content, pid }) => {
			const by = first.get(content);
			first.set(content, pid);
			return by !== undefined && !killed.has(by);
		});
		expect(repeats).toEqual([]);
		for (const node of nodes) node.kill('manager', 'SIGTERM');
		expect(await Promise.all(nodes.map((node) => node.run.exit))).toEqual(nodes.map(() => 0));
		expect(nodes.flatMap((node) => node.processes())).toEqual([]);
	});

	it('writes nothing twice when a node that was cut off from Redis comes back and another one has its sessions', {
		timeout: 120_000,
	}, async () => {
		const under = await setup();
		const { fleet, nodes, levels, counts } = under;
		const [cutOff, ...others] = nodes as [ClusterNodeRun, ...ClusterNodeRun[]];
		cutOff.toRedis.set({ lose: ['requests', 'answers'] });
		await waitFor('other nodes to have its sessions', () => hasAllSessions(fleet, others));
		const { nodes: infos } = await (others[0] as ClusterNodeRun).json<{ nodes: { name: string; workers: number | null }[] }>(
			'nodes',
		);
		// It still has its worker; no other node can know that.
		expect(infos.map(({ name, workers }) => [name, workers])).toEqual(
			nodes.map((node) => [node.name, node === cutOff ? null : 1]),
		);
		await servedBy(levels, counts);
		cutOff.toRedis.heal();
		cutOff.toRedis.reset();
		await waitFor(
			'it to know',
			() => cutOff.gatewayProcesses().length === 0 || cutOff.times(/^session \d+ was taken over by another node/) > 0,
		);
		await servedBy(levels, counts);
		expect((await verdict(under, others[0] as ClusterNodeRun)).written).toBe(under.total());
	});
});
