// One sentence for each event of a fleet: what `start`, `events` and the dashboard show. Reasons and messages in it are a bot's or Discord's,
// as they come: a terminal has to filter them.
import {
	age,
	closeCodeMeaning,
	describeReshard,
	describeReshardRest,
	describeSessions,
	describeShards,
	describeWorker,
	plural,
} from '@shardctl/core';
import type { EndedCause, FleetEventBody, SessionArrival } from './fleet-events.js';

export type EventLevel = 'info' | 'warn' | 'error';

export interface EventText {
	level: EventLevel;
	text: string;
}

/** The sentence, and its severity. An event of another version of shardctl is shown as it comes. */
export function describeEvent(event: FleetEventBody): EventText {
	try {
		return describeKnown(event) ?? describeEventAsItComes(event);
	} catch {
		return describeEventAsItComes(event);
	}
}

/** Of one session, and of several that have replaced one. */
const arrivals: Record<SessionArrival, readonly [string, string]> = {
	started: ['is on this node and is ready', 'are on this node and are ready'],
	moved: ['has moved to this node and is ready', 'have moved to this node and are ready'],
	'taken-over': ['was taken over by this node and is ready', 'were taken over by this node and are ready'],
};

/** Undefined for a type that this version does not know. */
function describeKnown(event: FleetEventBody): EventText | undefined {
	switch (event.type) {
		case 'fleet:ready':
			return info(
				`fleet ready: ${plural(event.shards, 'shard')}${event.workers > 0 ? ` in ${plural(event.workers, 'worker')}` : ''} after ${seconds(event.tookMs)}`,
			);
		case 'fleet:health':
			return describeHealth(event);
		case 'fleet:refused':
			return error(event.message);
		case 'fleet:stopped':
			return event.code === null ? info(`fleet ${event.message}`) : error(`fleet ended: ${event.message}`);
		case 'worker:spawned':
			return info(`${name(event)} started as process ${event.pid}`);
		case 'worker:ready':
			return info(`${name(event)} is ready after ${seconds(event.tookMs)}`);
		case 'worker:exited':
			return event.exit.reason === 'requested'
				? info(`${name(event)} stopped as requested`)
				: warn(`${name(event)} exited: ${event.exit.message}`);
		case 'worker:unresponsive':
			return warn(`${name(event)} is not responding: its event loop is blocked`);
		case 'worker:responsive':
			return info(`${name(event)} is responding again`);
		case 'worker:memory':
			return warn(
				`${name(event)} uses ${megabytes(event.rssBytes)} of memory, its limit is ${megabytes(event.limitBytes)}` +
					(event.over ? ': replacing it' : ''),
			);
		case 'worker:failed':
			return error(
				event.retryInMs === null
					? `${name(event)} failed and is not restarted: ${event.reason}`
					: `${name(event)} keeps failing; next try in ${age(event.retryInMs)}: ${event.reason}`,
			);
		case 'shard:ready':
		case 'shard:reconnecting':
		case 'shard:resumed':
		case 'shard:disconnected':
			return describeShardEvent(event, [event.shardId]);
		case 'restart:progress':
			return describeRestart(event);
		case 'worker:deployed':
			return info(`${name(event)} was replaced without a gap in ${seconds(event.tookMs)}`);
		case 'worker:rolled-back':
			return error(`${name(event)} was rolled back: ${event.reason}`);
		case 'worker:stop-first':
			return warn(`${name(event)}: ${event.reason}; the old process ends first, events wait meanwhile`);
		case 'deploy:progress':
			return describeDeploy(event);
		case 'reshard:progress':
			return reshardText(event);
		case 'fleet:sizing':
			return describeSizing(event);
		case 'gateway:spawned':
			return info(`gateway process ${event.gatewayId} started as process ${event.pid}`);
		case 'gateway:exited':
			return event.requested
				? info(`gateway process ${event.gatewayId} stopped as requested`)
				: warn(`gateway process ${event.gatewayId} exited: ${event.message}`);
		case 'gateway:notice':
			return describeNotice(event, event.shardIds);
		case 'cluster:joined':
			return info(`this node has joined the cluster after ${seconds(event.tookMs)}`);
		case 'cluster:left':
			return info(`this node has left the cluster after ${seconds(event.tookMs)}`);
		case 'cluster:muted':
			return warn(
				'the lease of this node is not confirmed: it keeps its connections to Discord and delivers no events until Redis answers',
			);
		case 'cluster:confirmed':
			return info(`the lease of this node is confirmed again after ${seconds(event.mutedMs)}`);
		case 'cluster:node-gone':
			return error(
				`node ${event.name} is gone: its manager has died, or is cut off from Redis` +
					(event.sessions > 0 ? `; other nodes take over its ${plural(event.sessions, 'session')}` : ''),
			);
		case 'cluster:discord':
			return event.reached
				? info('this node reaches Discord again')
				: warn('no session of this node reaches Discord: they move to other nodes that do, if there are any');
		case 'cluster:session-ready':
			return describeArrival(event);
		case 'cluster:session-gone':
			return describeGone(event);
		case 'rest:spawned':
			return info(`the REST process started as process ${event.pid}`);
		case 'rest:exited':
			return event.requested ? info('the REST process stopped as requested') : warn(`the REST process exited: ${event.message}`);
		case 'rest:notice':
			return { level: event.kind === 'invalid-requests:normal' ? 'info' : 'warn', text: event.message };
		case 'identify:deferred':
			return warn(
				`${name(event)}: restart deferred, only the ${plural(event.remaining, 'reserved session start')} left; ` +
					`next try when they reset at ${new Date(event.resetAt).toISOString()}`,
			);
		case 'identify:expired':
			return warn(
				`${event.gatewayId === undefined ? `worker ${event.workerId}` : `gateway process ${event.gatewayId}`} was permitted to identify ` +
					`${describeShards(event.shardIds)} and did not within ${seconds(event.afterMs)}; the next shard in line has its turn`,
			);
	}
}

export type ShardEvent = Extract<
	FleetEventBody,
	{ type: 'shard:ready' | 'shard:reconnecting' | 'shard:resumed' | 'shard:disconnected' }
>;
type NoticeEvent = Extract<FleetEventBody, { type: 'gateway:notice' }>;

/** The same event of one shard or of many. */
export function describeShardEvent(event: ShardEvent, shardIds: readonly number[]): EventText {
	const many = shardIds.length > 1;
	const subject = describeShards(shardIds);
	switch (event.type) {
		case 'shard:ready':
			return info(`${subject} ${many ? 'are' : 'is'} ready`);
		case 'shard:reconnecting':
			return warn(`${subject} lost ${many ? 'their' : 'its'} connection, reconnecting`);
		case 'shard:resumed':
			return info(`${subject} resumed ${many ? 'their sessions' : 'its session'}`);
		case 'shard:disconnected':
			return error(
				`${subject} disconnected and ${many ? 'do' : 'does'} not reconnect` +
					(event.closeCode === undefined ? '' : `: Discord closed with ${closeCodeText(event.closeCode)}`),
			);
	}
}

/** The same notice of one shard or of many. */
export function describeNotice({ kind, message }: NoticeEvent, shardIds: readonly number[]): EventText {
	return { level: noticeLevels[kind] ?? 'warn', text: `${describeShards(shardIds)}: ${message}` };
}

/** Notices of gateway processes that are not warnings. */
const noticeLevels: Partial<Record<Extract<FleetEventBody, { type: 'gateway:notice' }>['kind'], EventLevel>> = {
	'upstream:ready': 'info',
	'upstream:resumed': 'info',
	'upstream:intents': 'info',
	'reshard:begun': 'info',
	'reshard:done': 'info',
	'reshard:drift': 'info',
	'queue:written': 'info',
	'snapshot:saved': 'info',
	'requests:normal': 'info',
	'buffer:normal': 'info',
	'snapshot:restored': 'info',
	'events:poisoned': 'error',
	'upstream:refused': 'error',
};

/** What is wrong with the fleet since now, and what is over. */
function describeHealth({ status, served, shards, began, ended }: Extract<FleetEventBody, { type: 'fleet:health' }>): EventText {
	const news = began.filter(({ effect }) => effect !== 'progress');
	// An outage that continues with another cause is not over for its shards.
	const still = new Set(news.flatMap(({ effect, shardIds }) => (effect === 'outage' ? shardIds : [])));
	const continues = ({ shardIds }: EndedCause) => shardIds.length > 0 && shardIds.every((id) => still.has(id));
	const over = ended.filter((cause) => cause.effect !== 'progress' && !continues(cause));
	const sentence = [
		`fleet ${status}, ${served} of ${plural(shards, 'shard')} served`,
		...listed(news, ({ message }) => message),
		...listed(over, ({ message, lastedMs }) => `over after ${age(lastedMs)}: ${message}`),
	].join('; ');
	if (news.some(({ effect }) => effect === 'outage')) return error(sentence);
	return news.length > 0 ? warn(sentence) : info(sentence);
}

const listedCauses = 3;

/** One line has the first of them: a large outage may have a cause for each worker. */
function listed<T>(causes: readonly T[], text: (cause: T) => string): string[] {
	const more = causes.length - listedCauses;
	return [...causes.slice(0, listedCauses).map(text), ...(more > 0 ? [`${more} more`] : [])];
}

function describeArrival({ sessions, how, tookMs }: Extract<FleetEventBody, { type: 'cluster:session-ready' }>): EventText {
	const [one, several] = arrivals[how];
	return info(`${describeSessions(sessions)} ${sessions.length === 1 ? one : several} after ${seconds(tookMs)}`);
}

function describeGone({ sessions, how }: Extract<FleetEventBody, { type: 'cluster:session-gone' }>): EventText {
	const what = `${describeSessions(sessions)} ${sessions.length === 1 ? 'was' : 'were'}`;
	if (how === 'lost') return warn(`${what} taken over by another node`);
	return info(`${what} ${how === 'moved' ? 'moved to another node' : 'released'}`);
}

function reshardText(event: Extract<FleetEventBody, { type: 'reshard:progress' }>): EventText {
	const { state, done, total, tookMs, longestPauseMs, error: reason } = event;
	const what = `resharding ${describeReshard(event)}`;
	if (state === 'failed') return error(`${what} ended after ${seconds(tookMs)}: ${reason}`);
	if (state === 'done')
		return info(`${what} is done after ${seconds(tookMs)}; the longest pause of a shard was ${longestPauseMs} ms`);
	return info(`${what}: ${done} of ${total} groups replaced, ${describeReshardRest(event)}`);
}

function describeSizing({
	sessions,
	recommended,
	message,
	remedy,
	automatic,
	advised,
	waitsFor,
	nextTryAt,
}: Extract<FleetEventBody, { type: 'fleet:sizing' }>): EventText {
	if (message === null) return info(`the fleet has enough sessions with Discord: ${sessions}, of ${recommended} recommended`);
	if (!automatic || advised === null) return warn(`${message}: ${remedy}`);
	const what = `${message}; it is resharded to ${plural(advised, 'session')}`;
	if (waitsFor === null) return info(what);
	const when = nextTryAt === null ? '' : ` from ${new Date(nextTryAt).toISOString()} on`;
	return warn(`${what}${when}: ${waitsFor}`);
}

function describeDeploy(event: Extract<FleetEventBody, { type: 'deploy:progress' }>): EventText {
	const deploy = `deploy ${event.id}`;
	switch (event.state) {
		case 'deployed':
			return info(`${deploy}: every worker runs the new version after ${seconds(event.tookMs)}`);
		case 'failed':
			return error(`${deploy} failed after ${seconds(event.tookMs)}: ${event.error}`);
		case 'called-off':
			return warn(`${deploy}: ${event.error}`);
		case 'queued':
		case 'replacing':
		case 'baking':
		case 'finishing':
		case 'rolling-back': {
			const worker = event.workerId === null ? '' : `${describeWorker(event.workerId, event.shardIds)}: `;
			return info(`${deploy}: ${worker}${event.stage} (${event.done} of ${event.total} done)`);
		}
	}
}

function describeRestart(event: Extract<FleetEventBody, { type: 'restart:progress' }>): EventText {
	const count = `${event.done} of ${event.total}`;
	switch (event.step) {
		case 'restarting':
			return info(`${name(event)} is restarting (${count} done)`);
		case 'ready':
			return info(`${name(event)} restarted (${count} done)`);
		case 'failed':
			return error(`${name(event)} did not become ready; restart stopped after ${count}`);
	}
}

/** `4014 (Disallowed intent(s).)`; codes outside Discord's table have no text. */
function closeCodeText(code: number): string {
	const { reason } = closeCodeMeaning(code);
	return reason ? `${code} (${reason.replace(/\.$/, '')})` : String(code);
}

/** `worker:teleported {"workerId":3}`: without what every event has, and not longer than a few lines. */
export function describeEventAsItComes(event: FleetEventBody): EventText {
	const { type, seq: _seq, at: _at, ...fields } = event as FleetEventBody & { seq?: number; at?: number };
	const text = JSON.stringify(fields);
	return info(`${String(type)} ${text.length > longestFields ? `${text.slice(0, longestFields)}…` : text}`);
}

const longestFields = 500;

function name({ workerId, shardIds }: { workerId: number; shardIds: readonly number[] }): string {
	return describeWorker(workerId, shardIds);
}

const info = (text: string): EventText => ({ level: 'info', text });
const warn = (text: string): EventText => ({ level: 'warn', text });
const error = (text: string): EventText => ({ level: 'error', text });

function megabytes(bytes: number): string {
	return `${Math.round(bytes / 2 ** 20)} MB`;
}

function seconds(ms: number): string {
	return `${(ms / 1000).toFixed(1)} s`;
}
