// The figures of a manager of another version: what it does not send is filled in as unknown, and what it sends besides stays, so that a
// command of one version can show the fleet of another.
import { gatewayShardCounters, type ManagerStats } from '@shardctl/core';

type Template = { readonly [key: string]: unknown };

/** How the elements of a list are completed. */
class ListOf {
	readonly element: unknown;

	constructor(element: unknown) {
		this.element = element;
	}
}

const list = new ListOf(undefined);
const lastExit = null;
const unknown = 'unknown';

const cause = {
	kind: unknown,
	effect: unknown,
	shardIds: list,
	message: unknown,
	since: null,
	tries: 0,
	nextTryAt: null,
	lost: 0,
	remedy: null,
};
const shard = {
	shardId: 0,
	workerId: null,
	pid: null,
	status: unknown,
	since: null,
	ready: false,
	guildCount: 0,
	userCount: 0,
	ping: null,
	memoryMb: null,
	cpuPercent: null,
	loopDelayMs: null,
	uptimeMs: 0,
	restarts: 0,
	lastExit,
	closeCode: null,
};
const worker = {
	id: 0,
	shardIds: list,
	state: unknown,
	since: 0,
	tries: 0,
	nextTryAt: null,
	lastAnswerAt: null,
	heartbeat: { intervalMs: 0, timeoutMs: 0 },
	pid: null,
	restarts: 0,
	lastExit,
	rssBytes: null,
	memoryLimitBytes: null,
};
const session = {
	id: 0,
	shardIds: list,
	status: unknown,
	since: null,
	tries: 0,
	nextTryAt: null,
	lastClose: null,
	intents: null,
	waitsForBudget: false,
	lastEventAt: null,
	ping: null,
	identifies: 0,
	resumes: 0,
	sessionsLost: 0,
	requestsWaiting: 0,
	requestsDropped: 0,
};
const gatewayShard = {
	shardId: 0,
	session: 0,
	worker: unknown,
	guildCount: 0,
	stateBytes: 0,
	bufferedEvents: 0,
	bufferedBytes: 0,
	bufferAgeMs: 0,
	lagMs: 0,
	eventsPerSecond: 0,
	...Object.fromEntries(gatewayShardCounters.map((name) => [name, 0])),
	snapshotBytes: null,
	snapshotAgeMs: null,
	snapshotFailure: null,
};
const gateway = {
	id: 0,
	pid: null,
	status: unknown,
	shardIds: list,
	startedAt: null,
	uptimeMs: 0,
	restarts: 0,
	since: 0,
	tries: 0,
	nextTryAt: null,
	lastExit,
	snapshotFailure: null,
	rssBytes: null,
	cpuSeconds: null,
	sessions: new ListOf(session),
	shards: new ListOf(gatewayShard),
};

/** Of every version; what only newer ones have, such as `gateways`, is left as it comes. */
const stats = {
	manager: {
		name: unknown,
		pid: 0,
		version: unknown,
		totalShards: 0,
		shardIds: list,
		workers: 0,
		startedAt: 0,
		uptimeMs: 0,
		status: unknown,
		identify: { total: 0, remaining: 0, resetAt: 0, maxConcurrency: 0, granted: 0 },
	},
	health: { status: unknown, served: 0, shards: 0, causes: new ListOf(cause) },
	shards: new ListOf(shard),
	workers: new ListOf(worker),
};

/** The figures with every field that this version knows. */
export function completeStats(answer: unknown): ManagerStats {
	const given = completed(answer, stats) as ManagerStats & { gateways?: unknown };
	if (given.gateways !== undefined) given.gateways = completed(given.gateways, new ListOf(gateway)) as never;
	return given;
}

function completed(value: unknown, template: unknown): unknown {
	if (template instanceof ListOf) {
		if (!Array.isArray(value)) return [];
		return template.element === undefined ? value : value.map((each) => completed(each, template.element));
	}
	if (typeof template !== 'object' || template === null) return fits(value, template) ? value : template;
	const given: Record<string, unknown> = typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
	for (const [key, part] of Object.entries(template as Template)) given[key] = completed(given[key], part);
	return given;
}

/** Null means that a value is not known: then any received value is accepted. */
function fits(value: unknown, template: unknown): boolean {
	return value !== undefined && (template === null || typeof value === typeof template);
}
