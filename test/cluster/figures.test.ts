// How long the failures of a node last, on three nodes with 12 sessions and 1,000 numbered events a second. Measures instead of judging, so it
// runs only on request; the results and the commands are in README.md.
//
// SHARDCTL_CLUSTER_FIGURES=50 (the number of kills), SHARDCTL_CLUSTER_SESSIONS=3 and SHARDCTL_CLUSTER_EVENTS=50 for less work on the machine.
import { statSync } from 'node:fs';
import { loadavg } from 'node:os';
import { waitFor } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { describeWithRedis } from '../../packages/cluster/test/support/redis-server.js';
import { type ClusterFleet, type ClusterNodeRun, clusterFleet } from './cluster-fleet.js';

const kills = Number(process.env.SHARDCTL_CLUSTER_FIGURES ?? 0);
const shards = Number(process.env.SHARDCTL_CLUSTER_SESSIONS ?? 12);
const perSecond = Number(process.env.SHARDCTL_CLUSTER_EVENTS ?? 1000);
const leaseMs = 6000;
const names = ['a', 'b', 'c'] as const;

const quantile = (values: readonly number[], share: number) =>
	values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(share * values.length))] as number;

function show(what: string, values: readonly number[]): void {
	const [p50, p99, most] = [0.5, 0.99, 1].map((share) => Math.round(quantile(values, share)));
	const load = loadavg()[0]?.toFixed(1);
	process.stdout.write(`${what}: p50 ${p50} ms, p99 ${p99} ms, longest ${most} ms (${values.length} values, load ${load})\n`);
}

/** The node with the most sessions, and which those are. */
async function fullest(fleet: ClusterFleet, nodes: Map<string, ClusterNodeRun>) {
	const all = await Promise.all([...nodes.values()].map(async (node) => ({ node, sessions: await fleet.sessionsOf(node) })));
	return all.toSorted((a, b) => b.sessions.length - a.sessions.length)[0] as (typeof all)[number];
}

/** For each session: from now until Discord has resumed it. */
async function resumed(fleet: ClusterFleet, sessions: readonly number[], act: () => void): Promise<number[]> {
	const after = fleet.simulator.log.entries({ limit: 1 })[0]?.number ?? 0;
	const since = Date.now();
	act();
	const resumes = () => fleet.simulator.log.entries({ type: 'resume', after });
	await waitFor('every session to be resumed', () => sessions.every((id) => resumes().some(({ shardId }) => shardId === id)));
	return sessions.map((id) => (resumes().find(({ shardId }) => shardId === id)?.at ?? 0) - since);
}

/** Failures are rare: what a node keeps ready is there again, and no session moves. */
async function prepared(fleet: ClusterFleet, nodes: Map<string, ClusterNodeRun>): Promise<void> {
	await waitFor(
		'each node to have gateway processes ready',
		async () => {
			const { sessions } = await fleet.table();
			if (sessions.length < shards || sessions.some(({ phase, owner }) => phase !== 'held' || owner === undefined)) return false;
			const pids = [...nodes.values()].flatMap((node) => node.gatewayProcesses());
			if (!pids.every(hasBooted)) return false;
			const counts = await Promise.all([...nodes.values()].map((node) => fleet.spares(node)));
			return counts.every((count) => count >= Math.min(2, Math.ceil(shards / names.length / (names.length - 1))));
		},
		{ everyMs: 250 },
	);
}

/** Long enough ago, also on a busy machine. */
function hasBooted(pid: number): boolean {
	const since = statSync(`/proc/${pid}`, { throwIfNoEntry: false })?.ctimeMs;
	return since !== undefined && Date.now() - since > 3000;
}

/** At once, as an operator asks for it; by itself it waits until the nodes were the same for 10 s. */
async function balanced(fleet: ClusterFleet, nodes: Map<string, ClusterNodeRun>): Promise<void> {
	const [node] = nodes.values();
	expect(await node?.cli('rebalance')).toMatchObject({ code: 0 });
	await waitFor('each node to have as many sessions', () => isBalanced(fleet, nodes));
}

async function isBalanced(fleet: ClusterFleet, nodes: Map<string, ClusterNodeRun>): Promise<boolean> {
	const counts = await Promise.all([...nodes.values()].map(async (each) => (await fleet.sessionsOf(each)).length));
	return counts.every((count) => count === shards / names.length);
}

async function threeNodes() {
	const fleet = await clusterFleet({ shards, lease: `${leaseMs}ms`, ownNetworks: false });
	const nodes = new Map<string, ClusterNodeRun>(Object.entries(await fleet.startAll(names)));
	await fleet.whole();
	const stop = fleet.talk(perSecond);
	await fleet.served();
	return { fleet, nodes, stop };
}

describeWithRedis('figures of three nodes', () => {
	it.skipIf(kills === 0).each(['manager', 'everything'] as const)(
		'from kill -9 of %s to RESUMED on another node',
		async (what) => {
			const { fleet, nodes, stop } = await threeNodes();
			const times: number[] = [];
			for (let kill = 0; kill < (what === 'manager' ? kills : Math.ceil(kills / 10)); kill++) {
				await prepared(fleet, nodes);
				const { node, sessions } = await fullest(fleet, nodes);
				const took = await resumed(fleet, sessions, () => node.kill(what));
				times.push(...took);
				process.stdout.write(`  kill ${kill + 1}: ${took.map(Math.round).join(', ')} ms, load ${loadavg()[0]?.toFixed(1)}\n`);
				await waitFor('the processes of the node to end', () => node.processes().length === 0);
				nodes.delete(node.name);
				// Another name: that of the killed node is its own until its lease is over.
				const next = `${names[kill % names.length]}${kill}`;
				nodes.set(next, await fleet.start(next));
				await balanced(fleet, nodes);
				await fleet.served();
			}
			stop();
			show(`kill -9 of ${what} to RESUMED elsewhere, by session`, times);
			const verdict = await fleet.verdict({ identifies: shards, repeats: Number.POSITIVE_INFINITY });
			expect(verdict).toMatchObject({ faults: [], lost: [] });
			process.stdout.write(
				`  repeated: ${verdict.repeats} events, from the last ${verdict.reachMs} ms; a guild waited ${verdict.longestPauseMs} ms at most for its worker\n`,
			);
		},
		60_000 * (kills + 2),
	);

	it.skipIf(kills === 0)(
		'the longest pause of a guild in a drain, and from a join to balance',
		async () => {
			const { fleet, nodes, stop } = await threeNodes();
			for (let drain = 0; drain < Math.ceil(kills / 10); drain++) {
				await prepared(fleet, nodes);
				const before = Date.now();
				const { node, sessions } = await fullest(fleet, nodes);
				node.kill('manager', 'SIGTERM');
				expect(await node.run.exit).toBe(0);
				const drainedMs = Date.now() - before;
				await fleet.served();
				const all = pauses(fleet, before);
				const moved = new Set(sessions.flatMap((id) => guildsOf(fleet, id)));
				show(`drain of ${sessions.length} sessions: longest pause of a guild`, [...all.values()]);
				show(
					'  of those that moved',
					[...all].flatMap(([guildId, longest]) => (moved.has(guildId) ? [longest] : [])),
				);
				process.stdout.write(`  the whole drain took ${drainedMs} ms\n`);
				nodes.delete(node.name);
				const startedAt = Date.now();
				const next = await fleet.start(`${names[drain % names.length]}${drain}`);
				nodes.set(next.name, next);
				const readyAt = Date.now();
				await waitFor('each node to have as many sessions', () => isBalanced(fleet, nodes));
				show('from ready to balance', [Date.now() - readyAt]);
				process.stdout.write(`  ${readyAt - startedAt} ms from its start to ready\n`);
				await fleet.served();
			}
			stop();
			expect(await fleet.verdict({ identifies: shards })).toMatchObject({ faults: [], lost: [], repeats: 0 });
		},
		60_000 * (kills + 2),
	);
});

/** Guild → the longest time in which it handled nothing, since then. */
function pauses(fleet: ClusterFleet, since: number): Map<string, number> {
	const found = new Map<string, { last: number; longest: number }>();
	for (const { guildId, at } of fleet.handled()) {
		if (at < since) continue;
		const { last, longest } = found.get(guildId) ?? { last: at, longest: 0 };
		found.set(guildId, { last: at, longest: Math.max(longest, at - last) });
	}
	return new Map([...found].map(([guildId, { longest }]) => [guildId, longest]));
}

function guildsOf({ guildIds }: ClusterFleet, session: number): string[] {
	return guildIds.filter((id) => Number(BigInt(id) >> 22n) % shards === session);
}
