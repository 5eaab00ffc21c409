// `logs -f` and `events -f` of a whole cluster: nothing is lost or shown twice when links between nodes break, a node that joins is shown from its
// first line, and of a node that is killed it is said that its last lines may be missing.
import { fileURLToPath } from 'node:url';
import { type CliRun, waitFor } from '@shardctl/test-support';
import { expect, it, onTestFinished } from 'vitest';
import { connectTo, describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, type ClusterNodeRun, clusterFleet } from './cluster-fleet.js';

const bot = fileURLToPath(new URL('fixtures/talking-bot.mjs', import.meta.url));

interface Line {
	node: string;
	pid: number;
	line: string;
}
interface Event {
	node: string;
	seq: number;
	at: number;
	type: string;
}

function follow(node: ClusterNodeRun, what: 'logs' | 'events'): CliRun {
	return node.sandbox.run([what, '-f', '--json', '--tail', '0', '--name', 'fleet']);
}

/** What each process of a node has written, as numbers. */
function linesOf(run: CliRun): Map<string, number[]> {
	const found = new Map<string, number[]>();
	for (const { node, pid, line } of run.json() as unknown as Line[]) {
		const [, number] = /^line (\d+)$/.exec(line) ?? [];
		if (number !== undefined) found.set(`${node} ${pid}`, [...(found.get(`${node} ${pid}`) ?? []), Number(number)]);
	}
	return found;
}

/** Of each start of a node, the numbers of its events. */
function eventsOf(run: CliRun): Map<string, number[]> {
	const found = new Map<string, number[]>();
	const starts = new Map<string, number>();
	for (const { node, seq } of run.json() as unknown as Event[]) {
		if (seq === 1) starts.set(node, (starts.get(node) ?? 0) + 1);
		const key = `${node} ${starts.get(node) ?? 0}`;
		found.set(key, [...(found.get(key) ?? []), seq]);
	}
	return found;
}

/** Fails unless each list counts up by one. */
function expectWhole(found: Map<string, number[]>): void {
	for (const [key, numbers] of found) {
		expect([key, numbers]).toEqual([key, numbers.map((_, index) => (numbers[0] as number) + index)]);
	}
}

/** Ends every connection on which messages between nodes arrive. */
async function breakLinks(fleet: ClusterFleet): Promise<void> {
	const admin = await connectTo(fleet.redis);
	await admin.batch([['CLIENT', 'KILL', 'TYPE', 'pubsub']]);
	await admin.close();
}

describeWithRedis('a follower of the whole cluster', () => {
	it('gets each line once while links break, the first lines of a node that joins, and word of a node that is killed', async () => {
		const fleet = await clusterFleet({ shards: 2, lease: '3s', bot });
		const { a, b } = await fleet.startAll(['a', 'b']);
		const run = follow(a, 'logs');
		const most = (node: string) => {
			const lists = [...linesOf(run)].filter(([key]) => key.startsWith(`${node} `)).map(([, numbers]) => numbers.length);
			return Math.max(0, ...lists);
		};
		await waitFor('lines of both nodes', () => most('a') > 5 && most('b') > 5);
		for (let breaks = 0; breaks < 3; breaks++) {
			const before = most('b');
			await breakLinks(fleet);
			await waitFor('more lines of the other node', () => most('b') > before + 5);
		}
		expectWhole(linesOf(run));
		expect(run.stderr()).toBe('');

		const c = await fleet.start('c');
		const { shards } = await a.json<{ shards: { shardId: number; node: string }[] }>('stats');
		const shardOfA = shards.find(({ node }) => node === 'a')?.shardId;
		expect(await a.cli('move', String(shardOfA), 'c')).toMatchObject({ code: 0 });
		await waitFor('lines of the new node', () => most('c') > 5);
		const ofC = [...linesOf(run)].find(([key]) => key.startsWith('c '))?.[1];
		expect(ofC?.[0]).toBe(1);

		b.kill('everything');
		await waitFor('word of the killed node', () => run.stderr() !== '');
		expect(run.stderr()).toBe('(node b no longer responds: its last lines or events may be missing)\n');
		await waitFor('its shard on another node', () => [...linesOf(run)].length >= 4);
		expectWhole(linesOf(run));
		await c.cli('stop');
		expect(await c.run.exit).toBe(0);
		await waitFor('every shard on the last node', () => [...linesOf(run)].filter(([key]) => key.startsWith('a ')).length >= 3);
		run.process.kill('SIGINT');
		expect(await run.exit).toBe(0);
		// A node that stops in order has sent everything.
		expect(run.stderr()).toBe('(node b no longer responds: its last lines or events may be missing)\n');
		expectWhole(linesOf(run));
	});

	it('gets each event once while links break, and every event of a node that is started again under its name', async () => {
		const fleet = await clusterFleet({ shards: 2, lease: '3s', bot });
		const { a, b } = await fleet.startAll(['a', 'b']);
		const run = follow(a, 'events');
		onTestFinished(() => void run.process.kill('SIGKILL'));
		const seen = (node: string, start: number) => eventsOf(run).get(`${node} ${start}`)?.length ?? 0;
		const respawn = async () => expect(await a.cli('restart', '--rolling')).toMatchObject({ code: 0 });
		// Until it follows both.
		await waitFor('events of both nodes', async () => {
			await respawn();
			return seen('a', 0) > 0 && seen('b', 0) > 0;
		});
		for (let breaks = 0; breaks < 2; breaks++) {
			const before = seen('b', 0);
			await breakLinks(fleet);
			await respawn();
			await waitFor('more events of the other node', () => seen('b', 0) > before);
		}
		b.kill('everything');
		await b.run.exit;
		const again = await fleet.start('b');
		await waitFor('events of the new process', () => seen('b', 1) > 0);
		expectWhole(eventsOf(run));
		const types = (run.json() as unknown as Event[]).map(({ type }) => type);
		expect(types).toContain('cluster:joined');
		expect(again.run.pid).not.toBe(b.run.pid);
	});
});
