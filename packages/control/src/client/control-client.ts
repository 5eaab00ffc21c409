// The typed client of the control API, for the command line and for scripts. It imports nothing large: `shardctl stats` is
// mostly the time that this takes to load.
import type { IncomingMessage } from 'node:http';
import type { ErrorCode, ManagerStats } from '@shardctl/core';
import { nearestName, ShardctlError } from '@shardctl/core';
import { endpoint, type Operation, pathFields, scopedOperations, versionHeader } from '../api/endpoints.js';
import type { LogEntry } from '../fleet/fleet.js';
import type { FleetEvent } from '../fleet/fleet-events.js';
import { describeEnd } from '../history/describe-end.js';
import { endedFleets } from '../history/ended-fleet.js';
import type { Operations } from '../routes/routes.js';
import { runningManagers } from '../state-dir/manager-record.js';
import { completeStats } from './complete-stats.js';
import { type ConnectionTarget, openResponse, readJson, readText } from './connection.js';
import { readEvents } from './sse-reader.js';

/** A manager of this user by its name, or any manager over TCP. */
export type ControlTarget = string | { url: string; token: string };

type Input<O extends Operation> = Omit<Operations[O]['input'], 'follow'>;
type Output<O extends Operation> = Operations[O]['output'];

export interface ControlClientOptions {
	/** Deadline of requests that are answered immediately (default 10 s). Stops, restarts, deploys and calls have none. */
	timeoutMs?: number;
	/** The part of the cluster that requests are about (default: all of it). Without effect on those about the nodes themselves. */
	scope?: Scope;
}

export interface FollowOptions {
	/** Ends the stream. */
	signal?: AbortSignal;
}

/** Which part of a cluster a request is about: all of it where neither is given. */
export interface Scope {
	/** Only the node of this manager. */
	local?: boolean | undefined;
	/** Only the node of this name. */
	node?: string | undefined;
}

/** One manager, through its control API, and with it the whole cluster that it is a node of. Every method throws the manager's own {@link ShardctlError} with its code and details. */
export interface ControlClient {
	health(): Promise<Output<'health'>>;
	openapi(): Promise<Output<'openapi'>>;
	stats(input?: Pick<Input<'stats'>, 'fresh'>): Promise<ManagerStats>;
	/** The metrics of the fleet in the text format of Prometheus. */
	metrics(): Promise<Output<'metrics'>>;
	/** Throws `GUILD_NOT_FOUND` when the bot is not in it, `SHARD_NOT_OWNED` when another manager has its shard. */
	where(guildId: string): Promise<Output<'where'>>;
	logs(input?: Input<'logs'>): Promise<LogEntry[]>;
	events(input?: Input<'events'>): Promise<FleetEvent[]>;
	/** Resolves when every worker is gone and the name is free. */
	stop(input?: Input<'stop'>): Promise<Output<'stop'>>;
	/** Resolves when what was restarted is ready again; throws `WORKER_NOT_READY`. */
	restart(input?: Input<'restart'>): Promise<Output<'restart'>>;
	/** Resident mode: resolves when every worker was replaced; throws `WORKER_NOT_READY` after a rollback. */
	deploy(input?: Input<'deploy'>): Promise<Output<'deploy'>>;
	/** Resolves when the deploy of this number has ended, as {@link deploy}. */
	deployOutcome(id: number): Promise<Output<'deployOutcome'>>;
	/** Calls off a deploy, or the one that runs. Throws `OPTIONS_INVALID` when there is none. */
	cancelDeploy(id?: number): Promise<Output<'deployCancel'>>;
	/** Resident mode: resolves when the sessions with Discord were replaced; with `dryRun`, with what that would take. */
	reshard(input: Input<'reshard'>): Promise<Output<'reshard'>>;
	/** Queue mode: resolves when that many workers run. */
	scale(workers: number): Promise<Output<'scale'>>;
	/** How far the groups of workers are with the events of the queue. Throws `OPTIONS_INVALID` in a fleet without one, as the next three. */
	queue(): Promise<Output<'queue'>>;
	/** The events that were given up, the newest first. */
	deadEvents(input?: Input<'queueDead'>): Promise<Output<'queueDead'>['events']>;
	/** Puts an event that was given up back into the queue, or `all`. */
	retryDeadEvents(id: string): Promise<Output<'queueRetry'>>;
	dropDeadEvents(id: string): Promise<Output<'queueDrop'>>;
	/** Removes a group of workers from the queue. Throws `OPTIONS_INVALID` also for a group that is not there, and for one that has workers. */
	removeQueueGroup(group: string): Promise<Output<'queueRemove'>>;
	respawn(shardId: number): Promise<Output<'respawn'>>;
	/** The nodes of the cluster. Throws `NOT_A_CLUSTER`, as the next four. */
	nodes(): Promise<Output<'nodes'>>;
	/** The node of this manager, which node has which session, and which are being moved. */
	placement(): Promise<Output<'placement'>>;
	/** Resolves when the node has no session left. Throws `NODE_NOT_FOUND`, `LAST_NODE`, `CALL_TIMEOUT`. */
	drain(input?: Input<'drain'>): Promise<Output<'drain'>>;
	/** Resolves when the session of the shard is ready on the node. Throws `NODE_NOT_FOUND`, `NODE_DRAINING`, `SHARD_NOT_OWNED`. */
	move(input: Input<'move'>): Promise<Output<'move'>>;
	rebalance(input?: Input<'rebalance'>): Promise<Output<'rebalance'>['moves']>;
	/** The outcome of the code in every worker; a worker that fails is an entry and not an exception. */
	eval(code: string, input?: Omit<Input<'eval'>, 'code'>): Promise<CallResult[]>;
	fetch(path: string, input?: Omit<Input<'fetch'>, 'path'>): Promise<CallResult[]>;
	/** An address of the dashboard that logs a browser in once. */
	dashboard(input?: Input<'dashboard'>): Promise<Output<'dashboard'>>;
	call(name: string, args?: unknown[], input?: Omit<Input<'call'>, 'name' | 'args'>): Promise<CallResult[]>;
	/** The last lines and then each new one, until the manager stops or the signal aborts. */
	followLogs(input?: Input<'logs'> & FollowOptions): AsyncIterable<Followed<LogEntry>>;
	followEvents(input?: Input<'events'> & FollowOptions): AsyncIterable<Followed<FleetEvent>>;
	followStats(input?: Pick<Input<'stats'>, 'intervalMs'> & FollowOptions): AsyncIterable<Followed<ManagerStats>>;
}

/** The outcome of a call in one worker. */
export type CallResult = Output<'eval'>['results'][number];

/**
 * An item of a stream, or how many were skipped: because this reader was too slow, or those of another node, to which the connection broke. Null
 * for a node that no longer responds, of which the last ones may be missing.
 */
export type Followed<T> = { item: T } | { skipped: number | null; node?: string };

const defaultTimeoutMs = 10_000;

/** Makes a client. Nothing is opened before the first call; there is nothing to close. */
export function createControlClient(
	target: ControlTarget,
	{ timeoutMs = defaultTimeoutMs, scope = {} }: ControlClientOptions = {},
): ControlClient {
	const scoped = (operation: Operation, input: object) => (scopedOperations.has(operation) ? { ...input, ...scope } : input);
	const ask = async <O extends Operation>(operation: O, input: object, limit: number | undefined): Promise<Output<O>> => {
		const response = await openResponse(connectionTarget(target), requestOf(operation, scoped(operation, input)), limit);
		noteVersion(response);
		const answer = (await readJson(response)) as Output<O> & ErrorAnswer;
		if (response.statusCode === 200) return answer;
		throw errorOf(answer, response.statusCode ?? 0);
	};
	const withDeadline = <O extends Operation>(operation: O, input: object = {}) => ask(operation, input, timeoutMs);
	const withoutDeadline = <O extends Operation>(operation: O, input: object = {}) => ask(operation, input, undefined);

	async function* follow<T>(operation: Operation, { signal, ...input }: FollowOptions): AsyncGenerator<Followed<T>> {
		const request = requestOf(operation, scoped(operation, { ...input, follow: true }));
		const response = await openResponse(connectionTarget(target), request, timeoutMs, signal);
		if (response.statusCode !== 200) throw errorOf((await readJson(response)) as ErrorAnswer, response.statusCode ?? 0);
		noteVersion(response);
		for await (const { type, data } of readEvents(response, signal)) {
			if (type === 'skipped') yield skipped(data as Skipped);
			else yield { item: (operation === 'stats' ? completeStats(data) : data) as T };
		}
	}

	return {
		health: () => withDeadline('health'),
		openapi: () => withDeadline('openapi'),
		stats: async (input) => completeStats(await withDeadline('stats', input)),
		async metrics() {
			const response = await openResponse(connectionTarget(target), requestOf('metrics', {}), timeoutMs);
			if (response.statusCode === 200) return readText(response);
			throw errorOf((await readJson(response)) as ErrorAnswer, response.statusCode ?? 0);
		},
		where: (guildId) => withDeadline('where', { guildId }),
		logs: async (input) => [...(await withDeadline('logs', input)).lines],
		events: async (input) => [...(await withDeadline('events', input)).events],
		stop: (input) => withoutDeadline('stop', input),
		restart: (input) => withoutDeadline('restart', input),
		deploy: (input) => withoutDeadline('deploy', input),
		deployOutcome: (id) => withoutDeadline('deployOutcome', { id }),
		cancelDeploy: (id) => withDeadline('deployCancel', { id }),
		reshard: (input) => withoutDeadline('reshard', input),
		scale: (workers) => withoutDeadline('scale', { workers }),
		queue: () => withDeadline('queue'),
		deadEvents: async (input) => [...(await withDeadline('queueDead', input)).events],
		retryDeadEvents: (id) => withoutDeadline('queueRetry', { id }),
		dropDeadEvents: (id) => withoutDeadline('queueDrop', { id }),
		removeQueueGroup: (group) => withoutDeadline('queueRemove', { group }),
		respawn: (shardId) => withoutDeadline('respawn', { shardId }),
		nodes: () => withDeadline('nodes'),
		placement: () => withDeadline('placement'),
		drain: (input) => withoutDeadline('drain', input),
		move: (input) => withoutDeadline('move', input),
		rebalance: async (input) => (await withoutDeadline('rebalance', input)).moves,
		eval: async (code, input = {}) => (await withoutDeadline('eval', { ...input, code })).results,
		fetch: async (path, input = {}) => (await withoutDeadline('fetch', { ...input, path })).results,
		call: async (name, args = [], input = {}) => (await withoutDeadline('call', { ...input, name, args })).results,
		dashboard: (input) => withDeadline('dashboard', input),
		followLogs: (input = {}) => follow('logs', input),
		followEvents: (input = {}) => follow('events', input),
		followStats: (input = {}) => follow('stats', input),
	};
}

interface Skipped {
	count: number | null;
	node?: string;
}

function skipped({ count, node }: Skipped): { skipped: number | null; node?: string } {
	return { skipped: count, ...(node === undefined ? {} : { node }) };
}

let lastVersion: string | undefined;

/** The version of the manager that answered last; undefined before that, or where it is too old to say. */
export function managerVersion(): string | undefined {
	return lastVersion;
}

function noteVersion({ headers }: IncomingMessage): void {
	const version = headers[versionHeader];
	lastVersion = typeof version === 'string' ? version.slice(0, 40) : undefined;
}

interface ErrorAnswer {
	error?: { code: ErrorCode; message: string; details?: Record<string, unknown> };
}

function errorOf({ error }: ErrorAnswer, status: number): ShardctlError {
	if (!error) return new ShardctlError('PROTOCOL_ERROR', `the response (status ${status}) is not from a shardctl manager`);
	return new ShardctlError(error.code, error.message, error.details ? { details: error.details } : {});
}

/** Puts each field of the input where the operation has it: path, query or body. */
function requestOf(operation: Operation, input: object): { method: string; path: string; body: string | undefined } {
	const { method, path: template } = endpoint(operation);
	const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
	let path = template;
	for (const name of pathFields(template)) {
		path = path.replace(`{${name}}`, encodeURIComponent(String(rest.get(name))));
		rest.delete(name);
	}
	if (method === 'POST') return { method, path, body: JSON.stringify(Object.fromEntries(rest)) };
	const query = new URLSearchParams([...rest].map(([name, value]): [string, string] => [name, String(value)])).toString();
	return { method, path: query === '' ? path : `${path}?${query}`, body: undefined };
}

/** Looked up for each call, so that a client outlives the manager that it was made for. */
function connectionTarget(target: ControlTarget): ConnectionTarget {
	if (typeof target !== 'string') return { ...target, label: target.url };
	const running = runningManagers();
	const found = running.find(({ name }) => name === target);
	if (found) return { socketPath: found.socketPath, label: target };
	throw managerNotRunning(
		target,
		running.map(({ name }) => name),
	);
}

/** `MANAGER_NOT_RUNNING` with a hint: how the last fleet of that name ended, the most similar name, or the names of all running managers. */
export function managerNotRunning(name: string, running: readonly string[]): ShardctlError {
	const past = endedFleets().find((fleet) => fleet.name === name);
	const meant = nearestName(name, running);
	const hint = past
		? `; ${describeEnd(past)}; see "shardctl events --name ${name}" and "shardctl logs --name ${name}"`
		: meant
			? `; did you mean "${meant}"?`
			: running.length > 0
				? `; running: ${running.join(', ')}`
				: '; start one with "shardctl start <file>"';
	return new ShardctlError('MANAGER_NOT_RUNNING', `no manager named "${name}" is running${hint}`, { details: { name, running } });
}
