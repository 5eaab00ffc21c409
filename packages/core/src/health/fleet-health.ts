// Whether a fleet serves its guilds, and if not, why: one pure function from facts to a verdict with causes. `stats`, `list`,
// `health`, metrics, events, `/readyz` and the dashboard all show this and nothing of their own.
import type { FleetHealth, GatewayFacts, HealthCause, HealthFacts } from '../contract/health.js';
import { cause, sorted } from './cause.js';
import { queueCauses } from './queue-causes.js';
import { refusals } from './refusal-causes.js';
import { restCauses } from './rest-causes.js';
import { risks } from './risk-causes.js';
import { gatewayCauses, sessionCauses, shardsWithoutBudget } from './session-causes.js';
import { shardCauses, workerCauses } from './worker-causes.js';

/** The verdict on a fleet. Pure. */
export function fleetHealth(facts: HealthFacts): FleetHealth {
	const { manager, shards } = facts;
	const causes = allCauses(facts);
	const unserved = new Set(causes.filter(({ effect }) => effect !== 'risk').flatMap(({ shardIds }) => shardIds));
	const served = shards.filter(({ shardId, status }) => status === 'ready' && !unserved.has(shardId)).length;
	const stopped = manager.status === 'stopped' || manager.status === 'idle';
	const down =
		stopped ||
		(served === 0 && shards.length > 0) ||
		(shards.length === 0 && manager.status !== 'running' && manager.status !== 'degraded');
	return {
		status: down ? 'down' : served < shards.length || causes.length > 0 ? 'degraded' : 'healthy',
		served: stopped ? 0 : served,
		shards: shards.length,
		causes,
	};
}

function allCauses(facts: HealthFacts): HealthCause[] {
	const { manager, shards, gateways = [] } = facts;
	if (manager.status === 'stopped' || manager.status === 'stopping') {
		const message = manager.status === 'stopped' ? 'the fleet has stopped' : 'the fleet is stopping';
		return [
			cause(
				'stopped',
				'progress',
				shards.map(({ shardId }) => shardId),
				message,
			),
		];
	}
	if (manager.status === 'idle') return [cause('stopped', 'progress', [], 'the fleet was not started')];
	// Before the plan is made: Discord is being asked how many shards the bot needs.
	if (shards.length === 0 && manager.status === 'starting') {
		return [cause('starting', 'progress', [], 'the fleet is starting', { since: manager.startedAt })];
	}
	const causes: HealthCause[] = [];
	const explained = new Set<number>();
	const lost = lostEvents(gateways);
	/** Adds a cause for the shards that no earlier cause explains. */
	const add = (next: HealthCause) => {
		const shardIds = next.effect === 'risk' ? next.shardIds : next.shardIds.filter((id) => !explained.has(id));
		if (next.effect !== 'risk') {
			// A worker of the queue has no shards.
			if (shardIds.length === 0 && next.shardIds.length > 0) return;
			for (const id of shardIds) explained.add(id);
		}
		causes.push({ ...next, shardIds: sorted(shardIds), lost: sum(shardIds, lost) });
	};

	const sources = [
		refusals,
		gatewayCauses,
		sessionCauses,
		queueCauses,
		shardsWithoutBudget,
		workerCauses,
		shardCauses,
		restCauses,
		risks,
	];
	for (const causesOf of sources) for (const next of causesOf(facts)) add(next);
	const effects = { outage: 0, progress: 1, risk: 2 };
	return causes.sort((a, b) => effects[a.effect] - effects[b.effect]);
}

/** Events that workers will never see, since their gateway processes started, by shard; without the shards that have lost none. */
function lostEvents(gateways: readonly GatewayFacts[]): ReadonlyMap<number, number> {
	const byShard = new Map<number, number>();
	for (const { shards } of gateways) {
		for (const { shardId, lost, overflowed } of shards) if (lost + overflowed > 0) byShard.set(shardId, lost + overflowed);
	}
	return byShard;
}

function sum(shardIds: readonly number[], values: ReadonlyMap<number, number>): number {
	return shardIds.reduce((total, id) => total + (values.get(id) ?? 0), 0);
}
