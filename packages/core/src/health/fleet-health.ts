// Whether a fleet serves its guilds, and if not, why: one pure function from facts to a verdict with causes. `stats`, `list`,
// `health`, metrics, events, `/readyz` and the dashboard all show this and nothing of their own.
import { fatalClose } from '../close-codes.js';
import type {
	FleetHealth,
	GatewayFacts,
	HealthCause,
	HealthCauseKind,
	HealthFacts,
	HostFacts,
	SessionFacts,
	ShardFacts,
} from '../contract/health.js';
import type { LastExit, WorkerFacts } from '../contract/stats.js';
import { formatIntents, privilegedIntentBits } from '../intents.js';
import { describeShards } from '../shards.js';

/** Below this much free space the state folder is reported. */
const lowDiskBytes = 64 * 2 ** 20;
/** Above this share of the open files that the manager may have they are reported. */
const highOpenFiles = 0.9;
/** Below this share of the memory it is reported. */
const lowMemory = 0.03;

/** A worker that has not answered for two heartbeats is reported, long before it is replaced. */
const missedBeats = 2;
/** Heartbeats may be very frequent, and a busy machine late. */
const shortestSilenceMs = 2000;

/** The verdict on a fleet. Pure. */
export function fleetHealth(facts: HealthFacts): FleetHealth {
	const { manager, shards } = facts;
	const causes = allCauses(facts);
	const unserved = new Set(causes.filter(({ effect }) => effect !== 'risk').flatMap(({ shardIds }) => shardIds));
	const served = shards.filter(({ shardId, status }) => status === 'ready' && !unserved.has(shardId)).length;
	const stopped = manager.status === 'stopped' || manager.status === 'idle';
	const down = stopped || (served === 0 && shards.length > 0) || (shards.length === 0 && manager.status !== 'running');
	return {
		status: down ? 'down' : served < shards.length || causes.length > 0 ? 'degraded' : 'healthy',
		served: stopped ? 0 : served,
		shards: shards.length,
		causes,
	};
}

function allCauses(facts: HealthFacts): HealthCause[] {
	const { manager, shards, workers = [], gateways = [], nowMs } = facts;
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
	/** Adds a cause for the shards that no earlier cause explains. */
	const add = (next: HealthCause) => {
		const shardIds = next.effect === 'risk' ? next.shardIds : next.shardIds.filter((id) => !explained.has(id));
		if (next.effect !== 'risk') {
			if (shardIds.length === 0) return;
			for (const id of shardIds) explained.add(id);
		}
		causes.push({ ...next, shardIds: sorted(shardIds), lost: lostEvents(gateways, shardIds) });
	};

	for (const next of refusals(facts)) add(next);
	for (const gateway of gateways) {
		if (gateway.status !== 'ready') add(gatewayDown(gateway, manager.status === 'starting'));
		// It has a session for its shards as soon as it is ready.
		else if (gateway.sessions.length === 0) add(gatewaySilent(gateway));
	}
	for (const next of sessionCauses(facts)) add(next);
	for (const next of shardsWithoutBudget(facts)) add(next);
	for (const worker of workers) for (const next of workerCauses(worker, shards, nowMs)) add(next);
	for (const next of shardCauses(facts)) add(next);
	for (const next of risks(facts)) add(next);
	const effects = { outage: 0, progress: 1, risk: 2 };
	return causes.sort((a, b) => effects[a.effect] - effects[b.effect]);
}

/** Discord has refused for good: by close code, since all shards with the same code share the cause. */
function refusals({ gateways = [], shards, workers = [] }: HealthFacts): HealthCause[] {
	const byCode = new Map<number, { shardIds: number[]; since: number | null; intents: number }>();
	const note = (code: number, shardIds: readonly number[], since: number | null, intents: number) => {
		const known = byCode.get(code);
		if (!known) byCode.set(code, { shardIds: [...shardIds], since, intents });
		else {
			known.shardIds.push(...shardIds);
			known.intents |= intents;
			if (since !== null) known.since = Math.min(known.since ?? since, since);
		}
	};
	for (const { status, shardIds, lastClose, since = null, intents } of gateways.flatMap(({ sessions }) => sessions)) {
		if (status === 'refused') note(lastClose?.code ?? 0, shardIds, since, intents ?? 0);
	}
	const neighbours = new Map<number, number>();
	for (const { shardId, workerId, status, closeCode, since = null } of shards) {
		const final = closeCode !== undefined && closeCode !== null && fatalClose(closeCode) !== undefined;
		if (!final || (status !== 'failed' && status !== 'disconnected')) continue;
		note(closeCode, [shardId], since, 0);
		// Its process ends, and with it the other shards that it has.
		const worker = workers.find(({ id }) => id === workerId);
		if (worker?.state === 'failed') for (const id of worker.shardIds) if (id !== shardId) neighbours.set(id, closeCode);
	}
	return [...byCode].map(([code, { shardIds, since, intents }]) => {
		const final = fatalClose(code);
		const privileged = intents & privilegedIntentBits;
		const reason =
			code === 4014 && privileged !== 0
				? `the bot asks for ${formatIntents(privileged)}, which it was not granted`
				: (final?.reason ?? 'the reason is not known');
		const beside = [...neighbours].flatMap(([id, of]) => (of === code && !shardIds.includes(id) ? [id] : []));
		const others =
			beside.length === 0 ? '' : `; ${describeShards(sorted(beside))} ${beside.length === 1 ? 'is' : 'are'} in the same process`;
		return cause(
			'discord-refused',
			'outage',
			[...shardIds, ...beside],
			`Discord refused ${describeShards(sorted(shardIds))} (${code}): ${reason}${others}`,
			{
				since,
				remedy: final?.remedy ?? 'see "shardctl events"',
			},
		);
	});
}

function gatewayDown(
	{ id, shardIds, status, since, restarts, nextTryAt, lastExit }: GatewayFacts,
	starting: boolean,
): HealthCause {
	const why = lastExit ? `: ${lastExit.message}` : '';
	const first = starting && restarts === 0;
	const message = first
		? `gateway process ${id} is starting`
		: `gateway process ${id} ${status === 'failed' ? 'keeps failing' : 'is restarting'}${why}`;
	return cause(first ? 'starting' : 'gateway-process-down', first ? 'progress' : 'outage', shardIds, message, {
		since: since ?? lastExit?.at ?? null,
		tries: restarts,
		nextTryAt: nextTryAt ?? null,
		remedy: status === 'failed' ? 'see "shardctl logs" and "shardctl events", then "shardctl restart --gateways"' : null,
	});
}

function gatewaySilent({ id, shardIds, lastAnswerAt = null }: GatewayFacts): HealthCause {
	return cause('gateway-process-down', 'outage', shardIds, `gateway process ${id} does not answer`, { since: lastAnswerAt });
}

/** Sessions that are away from Discord; those with the same reason share one cause. */
function sessionCauses({ gateways = [], manager, nowMs }: HealthFacts): HealthCause[] {
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
function shardsWithoutBudget({ shards, manager, nowMs }: HealthFacts): HealthCause[] {
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

function workerCauses(worker: WorkerFacts, shards: readonly ShardFacts[], nowMs: number): HealthCause[] {
	const { id, shardIds, state, since, tries, nextTryAt, lastAnswerAt, heartbeat } = worker;
	const lastExit = shards.find(({ workerId }) => workerId === id)?.lastExit ?? null;
	const label = `worker ${id} (${describeShards(shardIds)})`;
	const why = lastExit ? `: ${lastExit.message}` : '';
	switch (state) {
		case 'exited':
		case 'backing-off':
			return [
				cause('worker-down', 'outage', shardIds, `${label} is restarting${why}`, {
					since: lastExit?.at ?? since,
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
					since: lastExit?.at ?? since,
					tries,
					nextTryAt,
					remedy: `fix the cause, then "shardctl respawn ${shardIds[0]}"`,
				}),
			];
		case 'unresponsive':
			return [unresponsive(label, worker, nowMs)];
		case 'ready': {
			const silentMs = lastAnswerAt === null ? 0 : nowMs - lastAnswerAt;
			const limit = Math.max(heartbeat.intervalMs * missedBeats, shortestSilenceMs);
			return heartbeat.timeoutMs > 0 && heartbeat.intervalMs > 0 && silentMs > limit ? [unresponsive(label, worker, nowMs)] : [];
		}
		default:
			return [];
	}
}

/** The next process of a worker that has ended, until it is ready. */
function restarting(label: string, { shardIds, tries }: WorkerFacts, { reason, message, at }: LastExit): HealthCause {
	return reason === 'requested'
		? cause('starting', 'progress', shardIds, `${label} is restarting as requested`, { since: at })
		: cause('worker-down', 'outage', shardIds, `${label} is restarting: ${message}`, { since: at, tries });
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
function shardCauses({ shards, manager }: HealthFacts): HealthCause[] {
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
			tries: first.restarts,
		});
	});
}

function risks({ gateways = [], host }: HealthFacts): HealthCause[] {
	const causes: HealthCause[] = [];
	for (const { snapshotFailure } of gateways) {
		if (!snapshotFailure) continue;
		const { shardIds, since, error, folder } = snapshotFailure;
		causes.push(
			cause(
				'snapshots-failing',
				'risk',
				shardIds,
				`snapshots of ${describeShards(sorted(shardIds))} cannot be saved in ${folder}: ${error}`,
				{
					since,
					remedy: 'free space in that folder: a gateway process that ends now loses its sessions',
				},
			),
		);
	}
	return [...causes, ...hostRisks(host)];
}

/** What runs out for the whole machine or for the manager, and would take the fleet with it. */
function hostRisks(
	{ stateDir, openFiles, memory }: HostFacts = { stateDir: null, openFiles: null, memory: null },
): HealthCause[] {
	const causes: HealthCause[] = [];
	const add = (kind: HealthCauseKind, message: string, remedy: string) =>
		causes.push(cause(kind, 'risk', [], message, { remedy }));
	if (stateDir && stateDir.freeBytes < lowDiskBytes) {
		add(
			'disk-full',
			`the state folder ${stateDir.folder} is almost full (${megabytes(stateDir.freeBytes)} free)`,
			'free space in that folder: without it snapshots, logs and history cannot be saved',
		);
	}
	if (openFiles && openFiles.used > openFiles.limit * highOpenFiles) {
		add(
			'open-files-low',
			`the manager has ${openFiles.used} of ${openFiles.limit} open files: further workers cannot start`,
			'raise the limit (ulimit -n, LimitNOFILE= in a systemd unit) and restart the fleet, or use more shards per worker',
		);
	}
	if (memory && memory.availableBytes < memory.totalBytes * lowMemory) {
		add(
			'memory-low',
			`${megabytes(memory.availableBytes)} of ${megabytes(memory.totalBytes)} memory available: the system may kill a process of the fleet`,
			'stop other programs, use smaller caches or --max-memory, or a larger machine',
		);
	}
	return causes;
}

function megabytes(bytes: number): string {
	return `${Math.floor(bytes / 2 ** 20)} MB`;
}

/** Events that the workers of these shards will never see, since their gateway processes started. */
function lostEvents(gateways: readonly GatewayFacts[], shardIds: readonly number[]): number {
	const concerned = new Set(shardIds);
	return gateways
		.flatMap(({ shards }) => shards)
		.reduce((sum, { shardId, lost, overflowed }) => (concerned.has(shardId) ? sum + lost + overflowed : sum), 0);
}

function cause(
	kind: HealthCauseKind,
	effect: HealthCause['effect'],
	shardIds: readonly number[],
	message: string,
	rest: Partial<Pick<HealthCause, 'since' | 'tries' | 'nextTryAt' | 'lost' | 'remedy'>> = {},
): HealthCause {
	return {
		kind,
		effect,
		shardIds: [...shardIds],
		message,
		since: null,
		tries: 0,
		nextTryAt: null,
		lost: 0,
		remedy: null,
		...rest,
	};
}

function earliest(times: readonly (number | null)[]): number | null {
	const known = times.filter((time) => time !== null);
	return known.length === 0 ? null : Math.min(...known);
}

function sorted(ids: readonly number[]): number[] {
	return [...ids].sort((a, b) => a - b);
}
