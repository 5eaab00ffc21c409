// Every operation of the control API with its method and path, for the server's routing and for the client.

/** `{name}` in a path is a field of the operation's input; the other fields travel as query (GET) or JSON body (POST). */
export const endpoints = {
	health: 'GET /v1/health',
	healthz: 'GET /healthz',
	readyz: 'GET /readyz',
	openapi: 'GET /v1/openapi.json',
	stats: 'GET /v1/stats',
	metrics: 'GET /metrics',
	where: 'GET /v1/guilds/{guildId}',
	logs: 'GET /v1/logs',
	events: 'GET /v1/events',
	stop: 'POST /v1/stop',
	restart: 'POST /v1/restart',
	deploy: 'POST /v1/deploy',
	deployOutcome: 'GET /v1/deploys/{id}',
	deployCancel: 'POST /v1/deploy/cancel',
	reshard: 'POST /v1/reshard',
	scale: 'POST /v1/scale',
	queue: 'GET /v1/queue',
	queueDead: 'GET /v1/queue/dead',
	queueRetry: 'POST /v1/queue/dead/retry',
	queueDrop: 'POST /v1/queue/dead/drop',
	queueRemove: 'POST /v1/queue/groups/remove',
	respawn: 'POST /v1/shards/{shardId}/respawn',
	eval: 'POST /v1/eval',
	fetch: 'POST /v1/fetch',
	call: 'POST /v1/call',
	dashboard: 'POST /v1/dashboard',
	nodes: 'GET /v1/nodes',
	placement: 'GET /v1/sessions',
	drain: 'POST /v1/drain',
	move: 'POST /v1/shards/{shardId}/move',
	rebalance: 'POST /v1/rebalance',
} as const;

/** Those that are about a part of a cluster, or all of it: their input has the fields of `scope`. */
export const scopedOperations: ReadonlySet<string> = new Set<Operation>([
	'health',
	'stats',
	'where',
	'logs',
	'events',
	'restart',
	'deploy',
	'deployOutcome',
	'deployCancel',
	'scale',
	'respawn',
	'eval',
	'fetch',
	'call',
]);

/** Names the version of the manager in every response. */
export const versionHeader = 'x-shardctl-version';

export type Operation = keyof typeof endpoints;
export type Method = 'GET' | 'POST';

/** The method and the path template of an operation. */
export function endpoint(operation: Operation): { method: Method; path: string } {
	const [method, path] = endpoints[operation].split(' ') as [Method, string];
	return { method, path };
}

/** The names in a path template, in order. */
export function pathFields(path: string): string[] {
	return [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name as string);
}
