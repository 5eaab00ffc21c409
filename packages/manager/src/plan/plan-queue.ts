// The plan of a fleet whose events go through a queue: gateway processes with all shards, and workers without any. Pure.
import type { Plan } from './plan.js';

/** @param plan As for a fleet whose workers have the shards. */
export function planQueue(plan: Plan, { sessions, workers }: { sessions: boolean; workers: number }): Plan {
	const slices = Array.from({ length: workers }, () => []);
	return sessions ? { ...plan, slices } : { ...plan, slices, shardIds: [], sessionIds: [], gateways: [] };
}
