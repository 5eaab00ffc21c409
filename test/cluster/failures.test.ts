// Rows of the failure table that need whole nodes: real managers, gateway processes and workers on one Redis and one simulated Discord.
// The numbers are the rows; where the others are tested is in packages/cluster/test/failures.md.
import { isAlive, waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { connectTo, describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, clusterFleet } from './cluster-fleet.js';

const leaseMs = 1500;
const perSecond = 100;
/** What a node may handle and not save: while its lease is valid, and a little while before that. */
const unsaved = (2 * leaseMs * perSecond) / 1000;

const confirmed = /^the lease of this node is confirmed again/;
const muted = /^the lease of this node is not confirmed/;

const nothingLost = { faults: [], lost: [] };

const entries = (fleet: ClusterFleet, type: 'resume' | 'identify' | 'close') => fleet.simulator.log.entries({ type });

/** The sessions of the node, and how many were resumed until then, at a time when none moves: each that moves is resumed once. */
function atRest(
	fleet: ClusterFleet,
	node: Awaited<ReturnType<ClusterFleet['start']>>,
): Promise<{ moved: number; resumes: number }> {
	return waitFor('no session to move', async () => {
		const resumes = entries(fleet, 'resume').length;
		const moved = (await fleet.sessionsOf(node)).length;
		const { sessions } = await fleet.table();
		const isConnected = sessions.every(({ session }) => fleet.connections().get(session) === 1);
		const isMoving = sessions.some(({ phase }) => phase === 'moving' || phase === 'prepared');
		const isOld = entries(fleet, 'resume').length !== resumes || (await fleet.sessionsOf(node)).length !== moved;
		return isConnected && !isMoving && !isOld ? { moved, resumes } : undefined;
	});
}

/** Two nodes with sessions on each, and a conversation in every guild. */
async function twoNodes(setup: Partial<Parameters<typeof clusterFleet>[0]> = {}) {
	const fleet = await clusterFleet({ shards: 4, lease: `${leaseMs}ms`, ...setup });
	const { a, b } = await fleet.startAll(['a', 'b']);
	await fleet.whole();
	const stop = fleet.talk(perSecond);
	await fleet.served();
	return { fleet, a, b, stop };
}

describeWithRedis('the failure table, with whole nodes', () => {
	it('(4, 5, 12) a node that is stopped or cut off for longer than its lease is replaced, and does not act for what it had, nor take it back', async () => {
		const { fleet, a, b, stop } = await twoNodes();
		// (4) The manager alone, so that its gateway processes hear of no lease.
		a.kill('manager', 'SIGSTOP');
		await fleet.servedBy(b);
		a.kill('manager', 'SIGCONT');
		await waitFor('the node to notice', () => a.times(muted) > 0);
		await waitFor('the node to join again', () => a.times(confirmed) > 0);
		await fleet.served();

		// (5) The gateway processes wake up before the manager, with what they have buffered.
		const gateways = await b.gateways();
		expect(gateways.length).toBeGreaterThan(0);
		for (const pid of [b.run.pid, ...gateways]) process.kill(pid, 'SIGSTOP');
		await fleet.servedBy(a);
		for (const pid of gateways) process.kill(pid, 'SIGCONT');
		await fleet.served();
		b.kill('manager', 'SIGCONT');
		await waitFor('the processes of the sessions that are lost to end', () => !gateways.some((pid) => isAlive(pid)));
		await waitFor('the node to join again', () => b.times(confirmed) > 0);
		await fleet.served();

		// (12) The node works, and does not reach Redis.
		const { moved, resumes } = await atRest(fleet, a);
		const before = a.times(confirmed);
		a.toRedis.set({ lose: ['requests', 'answers'], refuse: true });
		await fleet.servedBy(b);
		await fleet.served();
		expect(entries(fleet, 'resume')).toHaveLength(resumes + moved);
		a.toRedis.heal();
		await waitFor('the node to be back', () => a.times(confirmed) > before);
		await fleet.served();
		stop();
		expect(await fleet.verdict({ identifies: 4, repeats: 3 * unsaved })).toMatchObject(nothingLost);
		await fleet.whole();
	});

	it('(21) a node gets the name of one that was just killed when that lease ends, and never that of one that lives', async () => {
		const { fleet, a, b, stop } = await twoNodes({ lease: '6s' });
		const second = await fleet.launch('b');
		expect(await second.run.exit).not.toBe(0);
		expect(second.run.json().map(({ msg }) => String(msg))).toContainEqual(
			expect.stringMatching(/a node named "b".*process \d+/),
		);
		expect(b.processes()).not.toEqual([]);
		a.kill('manager');
		await waitFor('the processes of the node to end', () => a.processes().length === 0);
		// Well before that lease ends, unless the machine is very slow.
		await fleet.start('a');
		await fleet.served();
		stop();
		expect(await fleet.verdict({ identifies: 4, repeats: 4 * unsaved })).toMatchObject(nothingLost);
	});

	it.each([
		['(7) a Redis that is restarted with its data', true],
		['(8) a Redis that is restarted empty', false],
	])('%s within the lease is not noticed, and one that is away for longer delays events and loses none', async (_, persist) => {
		const { fleet, a, b, stop } = await twoNodes({ persist, lease: '6s' });
		const resumes = entries(fleet, 'resume').length;
		await fleet.redis.restart();
		await fleet.served();
		// Back within the lease, so nothing was delayed: a lease that ended would have been logged.
		fleet.redis.kill('SIGKILL');
		await waitFor('both nodes to be muted', () => [a, b].every((node) => node.times(muted) > 0));
		await fleet.redis.restart();
		await fleet.served();
		stop();
		expect(await fleet.verdict({ identifies: 4 })).toMatchObject({ ...nothingLost, repeats: 0 });
		expect(entries(fleet, 'resume')).toHaveLength(resumes);
	});

	it('(8) a node that is stopped right after an empty restart of a Redis that answers late hands its sessions over, each event exactly once', async () => {
		const { fleet, a, b, stop } = await twoNodes({ lease: '6s' });
		// Gateway processes know the new Redis before the table there says again whose their sessions are.
		for (const { toRedis } of [a, b]) toRedis.set({ delayMs: 150 });
		await fleet.redis.restart();
		await fleet.served();
		for (const { toRedis } of [a, b]) toRedis.set({ delayMs: 0 });
		await fleet.served();
		a.kill('manager', 'SIGTERM');
		expect(await a.run.exit).toBe(0);
		await fleet.servedBy(b);
		stop();
		expect(await fleet.verdict({ identifies: 4 })).toMatchObject({ ...nothingLost, repeats: 0 });
		await fleet.whole();
	});

	it('(14) sessions leave a node that alone does not reach Discord, each event exactly once, and all are resumed when no node has', async () => {
		const { fleet, a, b, stop } = await twoNodes({ lease: '6s' });
		const reached = /^this node reaches Discord again/;
		a.toDiscord.set({ refuse: true });
		a.toDiscord.reset();
		await fleet.servedBy(b);
		await fleet.served();
		a.toDiscord.heal();
		await waitFor('the node to reach Discord', () => a.times(reached) > 0);

		expect(await b.cli('rebalance')).toMatchObject({ code: 0 });
		await waitFor('both nodes to have sessions', async () => {
			const counts = await Promise.all([a, b].map(async (node) => (await fleet.sessionsOf(node)).length));
			return counts.every((count) => count === 2);
		});
		await fleet.served();
		const lost = /^no session of this node reaches Discord/;
		const before = a.times(lost);
		for (const { toDiscord } of [a, b]) {
			toDiscord.set({ refuse: true });
			toDiscord.reset();
		}
		await waitFor('both nodes to report it', () => a.times(lost) > before && b.times(lost) > 0);
		for (const { toDiscord } of [a, b]) toDiscord.heal();
		await fleet.served();
		stop();
		expect(await fleet.verdict({ identifies: 4 })).toMatchObject({ ...nothingLost, repeats: 0 });
		await fleet.whole();
	});

	it('(23) a full Redis costs no lease and no event, and what was not saved meanwhile is repeated at most', async () => {
		const { fleet, a, b, stop } = await twoNodes({ lease: '6s' });
		const redis = await connectTo(fleet.redis);
		try {
			await redis.batch([['CONFIG', 'SET', 'maxmemory', '1']]);
			await waitFor('a node to report it', () => a.times(/cannot save the snapshot/) > 0);
			await fleet.served();
			expect([a, b].some((node) => node.times(muted) > 0)).toBe(false);
			await redis.batch([['CONFIG', 'SET', 'maxmemory', '0']]);
		} finally {
			await redis.close();
		}
		a.kill('everything');
		await fleet.servedBy(b);
		stop();
		expect(await fleet.verdict({ identifies: 4, repeats: Number.POSITIVE_INFINITY })).toMatchObject(nothingLost);
		await fleet.whole();
	});

	it('(34) the last node that is stopped leaves its sessions with Discord for the next one', async () => {
		const fleet = await clusterFleet({ shards: 4, lease: `${leaseMs}ms` });
		const a = await fleet.start('a');
		await fleet.whole();
		const stop = fleet.talk(perSecond);
		await fleet.served();
		a.kill('manager', 'SIGTERM');
		expect(await a.run.exit).toBe(0);
		await fleet.start('b');
		await fleet.served();
		stop();
		expect(await fleet.verdict({ identifies: 4 })).toMatchObject({ ...nothingLost, repeats: 0 });
		await fleet.whole();
	});

	it('(36) a session that Discord ends while its owner is muted is identified once, by the next owner', async () => {
		const { fleet, a, b, stop } = await twoNodes();
		stop();
		await fleet.handledAll();
		const lost = await fleet.sessionsOf(a);
		a.toRedis.set({ lose: ['requests', 'answers'], refuse: true });
		await waitFor('the node to be muted', () => a.times(muted) > 0);
		for (const shard of lost) fleet.simulator.faults.invalidate({ shard, resumable: false });
		await waitFor('the other node to have every session', async () => (await fleet.sessionsOf(b)).length === 4);
		await fleet.whole();
		a.toRedis.heal();
		await waitFor('the node to be back', () => a.times(confirmed) > 0);
		const again = fleet.talk(perSecond);
		await fleet.servedBy(b);
		again();
		expect(entries(fleet, 'identify')).toHaveLength(4 + lost.length);
		fleet.expectIdentifies(4 + lost.length);
	});

	it('(37, 38) failover and drain cost resumes only, also while Discord asks to reconnect, and without a session start left for the day', async () => {
		const { fleet, a, b, stop } = await twoNodes();
		fleet.simulator.faults.sessionStarts({ remaining: 0 });
		fleet.simulator.faults.reconnect({});
		a.kill('everything');
		fleet.simulator.faults.reconnect({});
		await waitFor('the other node to have every session', async () => (await fleet.sessionsOf(b)).length === 4);
		fleet.simulator.faults.reconnect({});
		await fleet.servedBy(b);
		const c = await fleet.start('c');
		b.kill('manager', 'SIGTERM');
		expect(await b.run.exit).toBe(0);
		await fleet.servedBy(c);
		stop();
		expect(await fleet.verdict({ identifies: 4, repeats: unsaved })).toMatchObject(nothingLost);
		await fleet.whole();
	});

	it('(39) every node stops when Discord refuses the token', async () => {
		const { fleet, a, b, stop } = await twoNodes();
		stop();
		await fleet.handledAll();
		fleet.simulator.faults.close(4004);
		const ends = await Promise.all([a.run.exit, b.run.exit]);
		expect(ends).toEqual([ends[0], ends[0]]);
		expect(ends[0]).not.toBe(0);
		for (const node of [a, b]) {
			expect(node.run.stdout() + node.run.stderr()).toContain('4004');
			expect(node.processes()).toEqual([]);
		}
		// The simulator counts the refusal itself as a violation.
		expect(entries(fleet, 'identify')).toHaveLength(4);
	});
});
