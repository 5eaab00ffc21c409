// Routes that read the state of the fleet, and act on all of it or on one worker.
import { type Clock, type DeployOutcome, formatShardIds, ShardctlError, shardNotOwned } from '@shardctl/core';
import { z } from 'zod';
import { flag, health as healthOutput, managerStats, scope, shardId, text, wholeNumber } from '../api/schemas.js';
import type { Fleet, WorkerView } from '../fleet/fleet.js';
import { notACluster } from './cluster.js';
import { route } from './route.js';

export const healthRoute = route({
	summary: 'Returns the status of the fleet, how many of its shards are ready, and its health with the causes.',
	needs: 'read',
	input: z.strictObject({ ...scope }),
	output: healthOutput,
	async run(_input, { fleet, feed }) {
		const { manager: about, shards, health, losses } = await fleet.getStats();
		const { name, pid, version, status, uptimeMs, workers } = about;
		const readyShards = shards.filter(({ ready }) => ready).length;
		const counts = { workers, shards: shards.length, readyShards, readers: feed.readers };
		return { name, pid, version, status, uptimeMs, ...counts, health, ...(losses ? { losses } : {}) };
	},
});

const shortestIntervalMs = 250;

export const statsRoute = route({
	summary: 'Returns the figures of the manager and each of its shards. With follow=true, streams them at an interval.',
	needs: 'read',
	input: z.strictObject({
		fresh: flag.optional().describe('ask the workers now instead of returning their last report'),
		follow: flag.optional().describe('stream the figures as server-sent events'),
		intervalMs: wholeNumber(shortestIntervalMs).optional().describe('interval when following (default 1000)'),
		...scope,
	}),
	output: managerStats,
	run: ({ fresh = false }, { fleet }) => fleet.getStats({ fresh }),
	follow: {
		item: managerStats,
		open: ({ intervalMs = 1000 }, stream, { feed, fleet, signal }) => feed.followStats(stream, { intervalMs, fleet }, signal),
	},
});

export const stopRoute = route({
	summary:
		'Stops the fleet, or in a cluster one node, which drains first. Responds when every worker is gone and the name is free.',
	input: z.strictObject({
		graceMs: wholeNumber(0).optional().describe('how long workers have to shut down (default: the shutdownGraceMs of the fleet)'),
		all: flag.optional().describe('stop every node of the cluster; nothing is moved'),
		node: text('the name of a node').optional().describe('stop this node of the cluster (default: the one that responds)'),
	}),
	output: z.object({ stopped: z.literal(true), nodes: z.array(z.string()).optional() }),
	async run({ graceMs, all = false, node }, { fleet, closing }) {
		const how = { ...(graceMs === undefined ? {} : { graceMs }), reason: '"shardctl stop"' };
		const { cluster } = fleet;
		if ((all || node !== undefined) && !cluster) throw notACluster();
		if (all && node !== undefined) throw new ShardctlError('OPTIONS_INVALID', 'a stop takes either all or node, not both');
		if (cluster && node !== undefined && node !== cluster.node) {
			return { stopped: true as const, nodes: await cluster.stopNodes({ node, ...how }) };
		}
		const others = cluster && all ? await cluster.stopNodes(how) : [];
		const stopped = fleet.stop({ ...how, ...(all ? { drain: false } : {}) });
		await Promise.race([closing, stopped.then(() => closing)]);
		return { stopped: true as const, ...(cluster ? { nodes: [...others, cluster.node] } : {}) };
	},
});

export const respawnRoute = route({
	summary: 'Replaces the worker that owns a shard. Responds once it is ready again.',
	input: z.strictObject({ shardId, ...scope }),
	output: z.object({
		shardId: z.int(),
		workerId: z.int(),
		shardIds: z.array(z.int()).readonly(),
		node: z.string().optional(),
	}),
	async run({ shardId: wanted }, { fleet }) {
		const worker = await workerOfShard(fleet, wanted);
		await replace(fleet, worker, 'respawn requested');
		const { id: workerId, shardIds, node } = worker;
		return { shardId: wanted, workerId, shardIds, ...(node === undefined ? {} : { node }) };
	},
});

export const restartRoute = route({
	summary: 'Replaces all workers or one. Responds once they are ready again.',
	input: z.strictObject({
		shard: shardId.optional().describe('only the worker that owns this shard'),
		worker: wholeNumber(0, 'a worker id').optional().describe('only this worker'),
		gateways: flag.optional().describe('restart the gateway processes instead of workers, one after another'),
		rest: flag.optional().describe('restart the REST process instead of workers'),
		rolling: flag.optional().describe('one after another, so that the others keep running (default: all at once)'),
		parallel: wholeNumber(1).optional().describe('number of workers at once when rolling (default 1)'),
		delayMs: wholeNumber(0).optional().describe('pause between two workers when rolling (default 0)'),
		...scope,
	}),
	output: z.object({ workers: z.array(z.int()), tookMs: z.number() }),
	async run(
		{ shard, worker: workerId, gateways = false, rest = false, rolling = false, parallel = 1, delayMs = 0 },
		{ fleet, clock },
	) {
		if (shard !== undefined && workerId !== undefined) {
			throw new ShardctlError('OPTIONS_INVALID', 'a restart takes either shard or worker, not both');
		}
		const tookMs = stopwatch(clock);
		if (gateways) {
			await fleet.restartGateways();
			return { workers: [], tookMs: tookMs() };
		}
		if (rest) {
			await fleet.restartRest();
			return { workers: [], tookMs: tookMs() };
		}
		if (shard !== undefined || workerId !== undefined) {
			const worker = shard !== undefined ? await workerOfShard(fleet, shard) : await workerById(fleet, workerId as number);
			await replace(fleet, worker, 'restart requested');
			return { workers: [worker.id], tookMs: tookMs() };
		}
		await needWorkers(fleet);
		await fleet.respawnAll({ rolling, parallel, delayMs });
		return { workers: await workerIds(fleet), tookMs: tookMs() };
	},
});

const duration = z.coerce.number().min(0);

export const deployRoute = route({
	summary:
		'Resident and queue mode: replaces every worker without a gap. Responds once it has ended; with wait=false, once it is accepted.',
	input: z.strictObject({
		parallel: wholeNumber(1).optional().describe('number of workers at once (default 1)'),
		observeMs: duration.optional().describe('how long each new process is watched after it took over (default 10000)'),
		canary: wholeNumber(0).optional().describe('replace this many workers first'),
		bakeMs: duration.optional().describe('how long those run before the others follow (default 300000)'),
		first: z.enum(['start', 'stop']).optional().describe('stop: the old process ends before the new one is started'),
		maxErrorRate: duration.optional().describe('errors that a new process may log in a minute'),
		wait: flag.optional().describe('respond when it has ended (default true)'),
		...scope,
	}),
	output: z.object({ id: z.int(), workers: z.array(z.int()), tookMs: z.number() }),
	async run({ wait = true, local: _local, node: _node, ...options }, { fleet, signal }) {
		await needWorkers(fleet);
		const { id } = await fleet.startDeploy(options);
		const { tookMs } = wait ? await outcomeFor(fleet, id, signal) : { tookMs: 0 };
		return { id, workers: await workerIds(fleet), tookMs };
	},
});

export const deployOutcomeRoute = route({
	summary: 'Responds when a deploy has ended. A deploy that has not begun is called off when the client disconnects.',
	input: z.strictObject({ id: wholeNumber(1, 'the number of a deploy'), ...scope }),
	output: z.object({ id: z.int(), workers: z.array(z.int()), tookMs: z.number() }),
	async run({ id }, { fleet, signal }) {
		const { tookMs } = await outcomeFor(fleet, id, signal);
		return { id, workers: await workerIds(fleet), tookMs };
	},
});

export const deployCancelRoute = route({
	summary: 'Calls off a deploy at the next safe point and brings the old version back.',
	input: z.strictObject({
		id: wholeNumber(1, 'the number of a deploy').optional().describe('default: the one that runs'),
		...scope,
	}),
	output: z.object({ id: z.int(), state: z.string() }),
	async run({ id }, { fleet }) {
		const cancelled = await fleet.cancelDeploy(id);
		return { id: cancelled.id, state: cancelled.state };
	},
});

export const reshardRoute = route({
	summary:
		'Resident mode, or queue mode (sessions only; not a queue in a cluster): replaces the sessions with Discord by more or fewer, or the workers by those of another shard count. Responds once that is done; it continues without its client.',
	input: z.strictObject({
		sessions: wholeNumber(1).optional().describe('sessions to end with: a whole multiple or part of the present ones'),
		shards: wholeNumber(1)
			.optional()
			.describe(
				'shards of the workers to end with: a whole multiple or part of the present ones, and a multiple of the sessions',
			),
		dryRun: flag.optional().describe('respond at once with what it would take'),
		undo: flag.optional().describe('end the resharding that runs, and return to the counts before it'),
	}),
	output: z.object({
		from: z.int(),
		to: z.int(),
		shards: z
			.object({
				from: z.int(),
				to: z.int(),
				workers: z.int(),
				memoryBytes: z.number().nullable(),
				freeBytes: z.number(),
			})
			.optional(),
		identifies: z.int(),
		estimatedMs: z.number(),
		tookMs: z.number(),
		longestPauseMs: z.number(),
		nodes: z.array(z.object({ name: z.string(), sessions: z.int() })).optional(),
		waitsFor: z.array(z.string()).optional(),
	}),
	// A node has only some of the sessions.
	run: (request, { fleet }) => (fleet.cluster?.whole ?? fleet).reshard(request),
});

/** Waits for the end of a deploy. One that still waits for its turn ends with the client that waits for it. */
async function outcomeFor(fleet: Fleet, id: number, signal: AbortSignal): Promise<DeployOutcome> {
	const onGone = () => void fleet.cancelDeploy(id, { onlyQueued: true }).catch(() => {});
	signal.addEventListener('abort', onGone, { once: true });
	try {
		return await fleet.waitForDeploy(id);
	} finally {
		signal.removeEventListener('abort', onGone);
	}
}

/** Milliseconds since now, whenever it is called. */
function stopwatch(clock: Clock): () => number {
	const startedAt = clock.monotonic();
	return () => Math.round(clock.monotonic() - startedAt);
}

async function needWorkers(fleet: Fleet): Promise<void> {
	if ((await fleet.getWorkers()).length > 0) return;
	if (fleet.queue) {
		throw new ShardctlError(
			'WORKER_UNAVAILABLE',
			'this fleet has no workers: others read its queue; "shardctl restart --gateways" restarts its gateway processes',
		);
	}
	throw new ShardctlError(
		'WORKER_UNAVAILABLE',
		'the fleet has no workers yet: it is starting; follow it with "shardctl events -f"',
	);
}

async function workerIds(fleet: Fleet): Promise<number[]> {
	return (await fleet.getWorkers()).map(({ id }) => id);
}

/** The worker that owns a shard. Throws `SHARD_NOT_OWNED` with the shards of this manager. */
export async function workerOfShard(fleet: Fleet, wanted: number): Promise<WorkerView> {
	const workers = await fleet.getWorkers();
	const worker = workers.find(({ shardIds }) => shardIds.includes(wanted));
	if (worker) return worker;
	const shardIds = workers.flatMap((each) => each.shardIds);
	throw shardNotOwned(wanted, { shardIds, totalShards: fleet.totalShards, isQueue: fleet.queue !== undefined });
}

async function workerById(fleet: Fleet, wanted: number): Promise<WorkerView> {
	const workers = await fleet.getWorkers();
	const worker = workers.find(({ id }) => id === wanted);
	if (worker) return worker;
	const ids = formatShardIds(workers.map(({ id }) => id));
	throw new ShardctlError(
		'WORKER_UNAVAILABLE',
		`there is no worker ${wanted}: ${ids === '' ? 'this manager has none yet' : `this manager has workers ${ids}`}`,
		{ details: { workerId: wanted } },
	);
}

async function replace(fleet: Fleet, { id, label, shardIds }: WorkerView, reason: string): Promise<void> {
	if (await fleet.replaceWorker(id, reason)) return;
	const now = (await fleet.getWorkers()).find((worker) => worker.id === id);
	throw new ShardctlError(
		'WORKER_NOT_READY',
		`${label} did not become ready again: ${now?.lastExit?.message ?? `it is ${now?.state ?? 'gone'}`}`,
		{ details: { workerId: id, shardIds } },
	);
}
