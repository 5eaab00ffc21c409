// Causes in the workers: processes that do not run or do not answer, and shards that are not ready although their worker is.
import type { HealthCause, HealthFacts, ShardFacts } from '../contract/health.js';
import type { LastExit, WorkerFacts } from '../contract/stats.js';
import { describeShards } from '../shards.js';
import { cause, earliest, sorted } from './cause.js';
import { type Ailing, groupedCauses } from './grouped-causes.js';

/** A worker that has not answered for two heartbeats is reported, long before it is replaced. */
const missedBeats = 2;
/** Heartbeats may be very frequent, and a busy machine late. */
const shortestSilenceMs = 2000;

/** Workers that do not run, or do not answer. */
export function workerCauses({ workers = [], shards, nowMs }: HealthFacts): HealthCause[] {
	const exits = new Map(shards.map(({ workerId, lastExit }) => [workerId, lastExit]));
	return groupedCauses(workers.flatMap((worker) => ailing(worker, worker.lastExit ?? exits.get(worker.id) ?? null, nowMs) ?? []));
}

const restarting = { one: 'is restarting', many: 'are restarting' };
const failing = { one: 'keeps failing', many: 'keep failing' };
const silent = { one: 'does not answer its heartbeats', many: 'do not answer their heartbeats' };

/** Undefined for a worker that is well. */
function ailing(worker: WorkerFacts, lastExit: LastExit | null, nowMs: number): Ailing | undefined {
	const { id, shardIds, state, since, tries, failingSince, nextTryAt } = worker;
	const down: Ailing = {
		kind: 'worker-down',
		effect: 'outage',
		noun: 'worker',
		id,
		shardIds,
		state: restarting,
		why: lastExit?.message ?? null,
		whyAt: lastExit?.at ?? null,
		since: failingSince ?? lastExit?.at ?? since,
		tries,
		nextTryAt,
		remedy: null,
	};
	switch (state) {
		case 'exited':
		case 'backing-off':
			return down;
		case 'spawning':
		case 'starting':
			if (lastExit === null) return undefined;
			// The next process of a worker that has ended, until it is ready.
			if (lastExit.reason !== 'requested') return { ...down, nextTryAt: null };
			return {
				...down,
				kind: 'starting',
				effect: 'progress',
				state: { one: 'is restarting as requested', many: 'are restarting as requested' },
				why: null,
				since: lastExit.at,
				tries: 0,
				nextTryAt: null,
			};
		case 'failed': {
			const command = shardIds.length === 0 ? `restart --worker ${id}` : `respawn ${shardIds[0]}`;
			const one = `fix the cause, then "shardctl ${command}"`;
			return { ...down, kind: 'worker-failed', state: failing, remedy: { one, many: 'fix the cause, then "shardctl restart"' } };
		}
		case 'unresponsive':
			return unresponsive(worker, down, nowMs);
		case 'ready':
			return isSilent(worker, nowMs) ? unresponsive(worker, down, nowMs) : undefined;
		case 'draining':
			// It answers no heartbeat any more; one that did not before is ended for that.
			return isSilent(worker, since) ? unresponsive(worker, down, nowMs) : undefined;
		default:
			return undefined;
	}
}

/** Whether it has not answered its last two heartbeats. */
export function isSilent({ lastAnswerAt, heartbeat }: Pick<WorkerFacts, 'lastAnswerAt' | 'heartbeat'>, nowMs: number): boolean {
	const { intervalMs, timeoutMs } = heartbeat;
	if (lastAnswerAt === null || !(intervalMs > 0 && timeoutMs > 0)) return false;
	return nowMs - lastAnswerAt > Math.max(intervalMs * missedBeats, shortestSilenceMs);
}

function unresponsive({ since, lastAnswerAt, heartbeat, state }: WorkerFacts, down: Ailing, nowMs: number): Ailing {
	const silentSince = lastAnswerAt ?? since;
	const replacedAt = silentSince + heartbeat.timeoutMs + heartbeat.intervalMs;
	return {
		...down,
		kind: 'worker-unresponsive',
		state: silent,
		why: null,
		since: silentSince,
		tries: 0,
		nextTryAt: state !== 'ready' || replacedAt <= nowMs ? null : replacedAt,
	};
}

/** What is left: shards that are not ready although their worker runs. Shards in the same state share a cause. */
export function shardCauses({ shards, manager, workers = [] }: HealthFacts): HealthCause[] {
	const groups = new Map<string, ShardFacts[]>();
	// A session that another node had comes with a worker of its own.
	const started = new Set(workers.filter((worker) => isInFirstStart(worker)).map(({ id }) => id));
	for (const shard of shards) {
		if (shard.status === 'ready') continue;
		const isStarting = manager.status === 'starting' || (shard.workerId !== null && started.has(shard.workerId));
		const key = shard.lastExit === null && isStarting ? 'starting' : `${shard.status} ${shard.closeCode ?? ''}`;
		const group = groups.get(key);
		if (group) group.push(shard);
		else groups.set(key, [shard]);
	}
	return [...groups].map(([key, group]) => {
		const shardIds = sorted(group.map(({ shardId }) => shardId));
		const [first] = group as [ShardFacts];
		const subject = describeShards(shardIds);
		if (key === 'starting') {
			const message = `${subject} ${shardIds.length === 1 ? 'is' : 'are'} starting`;
			const since = manager.status === 'starting' ? manager.startedAt : earliest(group.map(({ since = null }) => since));
			return cause('starting', 'progress', shardIds, message, { since });
		}
		const count = new Set(group.map(({ workerId }) => workerId)).size;
		const where = count === 1 ? `worker ${first.workerId}` : `${count} workers`;
		const exits = group.flatMap(({ lastExit }) => lastExit ?? []);
		const last = exits.length === 0 ? undefined : exits.reduce((a, b) => (b.at > a.at ? b : a));
		const exit = last ? `; last exit: ${last.message}` : '';
		return cause('shard-not-ready', 'outage', shardIds, `${subject} ${first.status} (${where})${exit}`, {
			since: earliest(group.map(({ since = null, lastExit }) => since ?? lastExit?.at ?? null)),
		});
	});
}

function isInFirstStart({ state, lastExit }: WorkerFacts): boolean {
	return (state === 'spawning' || state === 'starting') && !lastExit;
}
