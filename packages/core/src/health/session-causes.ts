// Causes on the way to Discord: gateway processes, their sessions, and the session starts of the day.
import type { GatewayFacts, HealthCause, HealthFacts, SessionFacts } from '../contract/health.js';
import { describeShards } from '../shards.js';
import { cause, earliest, sorted } from './cause.js';
import { type Ailing, groupedCauses } from './grouped-causes.js';

/** Gateway processes that do not run, or do not answer. */
export function gatewayCauses({ gateways = [], manager }: HealthFacts): HealthCause[] {
	return groupedCauses(
		gateways.flatMap((gateway) => {
			// It was ended as requested, and nothing follows it: its sessions have ended, or are on another node.
			if (gateway.status === 'draining' || gateway.status === 'stopped') return [];
			if (gateway.status !== 'ready') return gatewayDown(gateway, manager.status === 'starting');
			// It has a session for its shards as soon as it is ready.
			return gateway.sessions.length === 0 ? gatewaySilent(gateway) : [];
		}),
	);
}

function gatewayDown(gateway: GatewayFacts, starting: boolean): Ailing {
	const { status, since, restarts, tries = 0, failingSince, nextTryAt = null, lastExit } = gateway;
	const common = {
		...ailingGateway(gateway),
		why: lastExit?.message ?? null,
		whyAt: lastExit?.at ?? null,
		since: failingSince ?? since ?? lastExit?.at ?? null,
		tries,
		nextTryAt,
	};
	if (starting && restarts === 0) {
		return { ...common, kind: 'starting', effect: 'progress', state: { one: 'is starting', many: 'are starting' }, why: null };
	}
	if (lastExit?.reason === 'requested' && status !== 'failed') {
		const state = { one: 'is restarting as requested', many: 'are restarting as requested' };
		return { ...common, kind: 'starting', effect: 'progress', state, why: null, tries: 0, nextTryAt: null };
	}
	if (status !== 'failed') return { ...common, state: { one: 'is restarting', many: 'are restarting' } };
	const remedy = 'see "shardctl logs" and "shardctl events", then "shardctl restart --gateways"';
	return { ...common, state: { one: 'keeps failing', many: 'keep failing' }, remedy: { one: remedy, many: remedy } };
}

function gatewaySilent(gateway: GatewayFacts): Ailing {
	return {
		...ailingGateway(gateway),
		state: { one: 'does not answer', many: 'do not answer' },
		since: gateway.lastAnswerAt ?? null,
	};
}

function ailingGateway({ id, shardIds }: GatewayFacts) {
	return {
		kind: 'gateway-process-down',
		effect: 'outage',
		noun: 'gateway process',
		id,
		shardIds,
		why: null,
		whyAt: null,
		tries: 0,
		nextTryAt: null,
		remedy: null,
	} as const;
}

/** Sessions that are away from Discord; those with the same reason share one cause. */
export function sessionCauses({ gateways = [], manager, nowMs }: HealthFacts): HealthCause[] {
	const causes: HealthCause[] = [];
	const groups = new Map<string, { gateway: GatewayFacts; sessions: SessionFacts[] }>();
	for (const gateway of gateways) {
		if (gateway.status !== 'ready') continue;
		for (const session of gateway.sessions) {
			if (session.status === 'ready' || session.status === 'idle' || session.status === 'refused') continue;
			const budget = session.waitsForBudget === true;
			const key = budget ? 'budget' : `${session.status} ${session.lastClose?.code} ${session.lastClose?.reason}`;
			const group = groups.get(key);
			if (group) group.sessions.push(session);
			else groups.set(key, { gateway, sessions: [session] });
		}
	}
	for (const [key, { sessions }] of groups) {
		const [first] = sessions as [SessionFacts];
		const shardIds = sessions.flatMap((session) => session.shardIds);
		const since = earliest(sessions.map((session) => session.since ?? session.lastClose?.at ?? null));
		if (key === 'budget') {
			causes.push(budgetUsedUp(shardIds, { manager, nowMs, since }));
			continue;
		}
		const close = first.lastClose;
		const why = close ? `: ${close.reason}${close.code === null ? '' : ` (${close.code})`}` : '';
		const starting = manager.status === 'starting' && !close;
		causes.push(
			cause(
				starting ? 'starting' : 'session-down',
				starting ? 'progress' : 'outage',
				shardIds,
				`${describeShards(sorted(shardIds))} ${shardIds.length === 1 ? 'has' : 'have'} no connection to Discord, ${first.status}${why}`,
				{
					since,
					tries: Math.max(...sessions.map(({ tries = 0 }) => tries)),
					nextTryAt: earliest(sessions.map(({ nextTryAt = null }) => nextTryAt)),
				},
			),
		);
	}
	return causes;
}

/** In direct mode a shard waits itself. */
export function shardsWithoutBudget({ shards, manager, nowMs }: HealthFacts): HealthCause[] {
	const waiting = shards.filter(({ waitsForBudget }) => waitsForBudget === true);
	if (waiting.length === 0) return [];
	const since = earliest(waiting.map(({ since = null }) => since));
	return [
		budgetUsedUp(
			waiting.map(({ shardId }) => shardId),
			{ manager, nowMs, since },
		),
	];
}

function budgetUsedUp(
	shardIds: readonly number[],
	{ manager, nowMs, since }: Pick<HealthFacts, 'manager' | 'nowMs'> & { since: number | null },
): HealthCause {
	const { remaining, total, resetAt } = manager.identify;
	return cause(
		'budget-exhausted',
		'outage',
		shardIds,
		`no session starts left for ${describeShards(sorted(shardIds))}: Discord allows ${remaining} more of ${total}`,
		{
			since,
			nextTryAt: resetAt > nowMs ? resetAt : null,
			remedy: 'wait for the reset; look for another process that uses the same token',
		},
	);
}
