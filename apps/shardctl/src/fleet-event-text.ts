// One sentence for each event of a fleet: what `start` and `events` print.
import type { FleetEvent, FleetEventBody } from '@shardctl/control';
import { closeCodeMeaning, describeShards } from '@shardctl/core';
import { out } from './terminal/colours.js';
import { plural } from './terminal/count.js';

export type Level = 'info' | 'warn' | 'error';

export interface EventText {
	level: Level;
	text: string;
}

/** The sentence, and its severity. */
export function describeEvent(event: FleetEventBody): EventText {
	switch (event.type) {
		case 'fleet:ready':
			return info(
				`fleet ready: ${plural(event.shards, 'shard')} in ${plural(event.workers, 'worker')} after ${seconds(event.tookMs)}`,
			);
		case 'fleet:refused':
			return error(event.message);
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
		case 'worker:memory':
			return warn(
				`${name(event)} uses ${megabytes(event.rssBytes)} of memory, its limit is ${megabytes(event.limitBytes)}` +
					(event.over ? ': replacing it' : ''),
			);
		case 'worker:failed':
			return error(`${name(event)} keeps failing; next try after the cool-down: ${event.reason}`);
		case 'shard:ready':
			return info(`shard ${event.shardId} is ready`);
		case 'shard:reconnecting':
			return warn(`shard ${event.shardId} lost its connection, reconnecting`);
		case 'shard:resumed':
			return info(`shard ${event.shardId} resumed its session`);
		case 'shard:disconnected':
			return error(
				`shard ${event.shardId} is disconnected and does not reconnect` +
					(event.closeCode === undefined ? '' : `: Discord closed it with ${closeCodeText(event.closeCode)}`),
			);
		case 'restart:progress':
			return describeRestart(event);
		case 'worker:deployed':
			return info(`${name(event)} was replaced without a gap in ${seconds(event.tookMs)}`);
		case 'worker:rolled-back':
			return error(`${name(event)} was rolled back; the old process keeps running: ${event.reason}`);
		case 'gateway:spawned':
			return info(`gateway process ${event.gatewayId} started as process ${event.pid}`);
		case 'gateway:exited':
			return warn(`gateway process ${event.gatewayId} exited: ${event.message}`);
		case 'gateway:notice':
			return { level: noticeLevels[event.kind] ?? 'warn', text: `${describeShards(event.shardIds)}: ${event.message}` };
		case 'identify:deferred':
			return warn(
				`${name(event)}: restart deferred, only the ${plural(event.remaining, 'reserved session start')} left; ` +
					`next try when they reset at ${new Date(event.resetAt).toISOString()}`,
			);
	}
}

/** Notices of gateway processes that are not warnings. */
const noticeLevels: Partial<Record<Extract<FleetEventBody, { type: 'gateway:notice' }>['kind'], Level>> = {
	'upstream:ready': 'info',
	'upstream:resumed': 'info',
	'upstream:intents': 'info',
	'snapshot:restored': 'info',
	'events:poisoned': 'error',
};

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

/** One line of `events`. */
export function eventLine(event: FleetEvent): string {
	const { level, text } = describeEvent(event);
	const marks = { info: out.green('●'), warn: out.yellow('▲'), error: out.red('✖') };
	return `${out.dim(new Date(event.at).toISOString())} ${marks[level]} ${text}`;
}

function name({ workerId, shardIds }: { workerId: number; shardIds: readonly number[] }): string {
	return `worker ${workerId} (${describeShards(shardIds)})`;
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
