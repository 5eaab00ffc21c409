// Causes in the workers: processes that do not run or do not answer, and shards that are not ready although their worker is.
import type { HealthCause, HealthFacts, ShardFacts } from '../contract/health.js';
import type { LastExit, WorkerFacts } from '../contract/stats.js';
import { describeShards } from '../shards.js';
import { cause, earliest, sorted } from './cause.js';

/** A worker that has not answered for two heartbeats is reported, long before it is replaced. */
const missedBeats = 2;
/** Heartbeats may be very frequent, and a busy machine late. */
const shortestSilenceMs = 2000;

/** Workers that do not run, or do not answer. */
export function workerCauses({ workers = [], shards, nowMs }: HealthFacts): HealthCause[] {
	const exits = new Map(shards.map(({ workerId, lastExit }) => [workerId, lastExit]));
	return workers.flatMap((worker) => causesOf(worker, exits.get(worker.id) ?? null, nowMs));
}

function causesOf(worker: WorkerFacts, lastExit: LastExit | null, nowMs: number): HealthCause[] {
	const { id, shardIds, state, since, tries, failingSince, nextTryAt } = worker;
	const label = `worker ${id} (${describeShards(shardIds)})`;
	const why = lastExit ? `: ${lastExit.message}` : '';
	switch (state) {
		case 'exited':
		case 'backing-off':
			return [
				cause('worker-down', 'outage', shardIds, `${label} is restarting${why}`, {
					since: failingSince ?? lastExit?.at ?? since,
					tries,
					nextTryAt,
				}),
			];
		case 'spawning':
		case 'starting':
			return lastExit === null ? [] : [restarting(label, worker, lastExit)];
		case 'failed':
			return [
				cause('worker-failed', 'outage', shardIds, `${label} keeps failing${why}`, {
					since: failingSince ?? lastExit?.at ?? since,
					tries,
					nextTryAt,
					remedy: `fix the cause, then "shardctl respawn ${shardIds[0]}"`,
				}),
			];
		case 'unresponsive':
			return [unresponsive(label, worker, nowMs)];
		case 'ready':
			return isSilent(worker, nowMs) ? [unresponsive(label, worker, nowMs)] : [];
		default:
			return [];
	}
}

/** Whether it has not answered its last two heartbeats. */
export function isSilent({ lastAnswerAt, heartbeat }: Pick<WorkerFacts, 'lastAnswerAt' | 'heartbeat'>, nowMs: number): boolean {
	const { intervalMs, timeoutMs } = heartbeat;
	if (lastAnswerAt === null || !(intervalMs > 0 && timeoutMs > 0)) return false;
	return nowMs - lastAnswerAt > Math.max(intervalMs * missedBeats, shortestSilenceMs);
}

/** The next process of a worker that has ended, until it is ready. */
function restarting(
	label: string,
	{ shardIds, tries, failingSince }: WorkerFacts,
	{ reason, message, at }: LastExit,
): HealthCause {
	return reason === 'requested'
		? cause('starting', 'progress', shardIds, `${label} is restarting as requested`, { since: at })
		: cause('worker-down', 'outage', shardIds, `${label} is restarting: ${message}`, { since: failingSince ?? at, tries });
}

function unresponsive(
	label: string,
	{ shardIds, since, lastAnswerAt, heartbeat, state }: WorkerFacts,
	nowMs: number,
): HealthCause {
	const silentSince = lastAnswerAt ?? since;
	const replacedAt = silentSince + heartbeat.timeoutMs + heartbeat.intervalMs;
	return cause('worker-unresponsive', 'outage', shardIds, `${label} does not answer its heartbeats`, {
		since: silentSince,
		nextTryAt: state === 'unresponsive' || replacedAt <= nowMs ? null : replacedAt,
	});
}

/** What is left: shards that are not ready although their worker runs. */
export function shardCauses({ shards, manager }: HealthFacts): HealthCause[] {
	const groups = new Map<string, ShardFacts[]>();
	for (const shard of shards) {
		if (shard.status === 'ready') continue;
		const key = shard.lastExit === null && manager.status === 'starting' ? 'starting' : `${shard.workerId} ${shard.status}`;
		groups.set(key, [...(groups.get(key) ?? []), shard]);
	}
	return [...groups].map(([key, group]) => {
		const shardIds = group.map(({ shardId }) => shardId);
		const [first] = group as [ShardFacts];
		if (key === 'starting') {
			return cause(
				'starting',
				'progress',
				shardIds,
				`${describeShards(sorted(shardIds))} ${shardIds.length === 1 ? 'is' : 'are'} starting`,
				{
					since: manager.startedAt,
				},
			);
		}
		const exit = first.lastExit ? `; last exit: ${first.lastExit.message}` : '';
		const message = `${describeShards(sorted(shardIds))} ${first.status} (worker ${first.workerId})${exit}`;
		return cause('shard-not-ready', 'outage', shardIds, message, {
			since: earliest(group.map(({ since = null, lastExit }) => since ?? lastExit?.at ?? null)),
		});
	});
}
