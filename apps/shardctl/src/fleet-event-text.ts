// One sentence for each thing that can happen to a fleet: what `start` tells and `events` prints.

import type { FleetEvent, FleetEventBody } from '@shardctl/control';
import { describeShards } from '@shardctl/core';
import { out } from './terminal/colours.js';
import { plural } from './terminal/count.js';

export type Level = 'info' | 'warn' | 'error';

export interface EventText {
	level: Level;
	text: string;
}

/** The sentence, and how bad it is. */
export function describeEvent(event: FleetEventBody): EventText {
	switch (event.type) {
		case 'fleet:ready':
			return info(
				`fleet ready: ${plural(event.shards, 'shard')} in ${plural(event.workers, 'worker')} after ${seconds(event.tookMs)}`,
			);
		case 'fleet:refused':
			return error(event.message);
		case 'worker:spawned':
			return info(`${name(event)} was started as process ${event.pid}`);
		case 'worker:ready':
			return info(`${name(event)} is ready after ${seconds(event.tookMs)}`);
		case 'worker:exited':
			return event.exit.reason === 'requested'
				? info(`${name(event)} ended as requested`)
				: warn(`${name(event)} ended: ${event.exit.message}`);
		case 'worker:unresponsive':
			return warn(`${name(event)} does not respond: its event loop is blocked`);
		case 'worker:memory':
			return warn(
				`${name(event)} uses ${megabytes(event.rssBytes)} of memory; its limit is ${megabytes(event.limitBytes)}` +
					(event.over ? ', so it is replaced' : ''),
			);
		case 'worker:failed':
			return error(`${name(event)} is given up for now: ${event.reason}`);
		case 'shard:ready':
			return info(`shard ${event.shardId} is ready`);
		case 'shard:reconnecting':
			return warn(`shard ${event.shardId} lost its connection and reconnects`);
		case 'shard:resumed':
			return info(`shard ${event.shardId} resumed its session`);
		case 'shard:disconnected':
			return error(
				`shard ${event.shardId} was disconnected for good${event.closeCode === undefined ? '' : ` with close code ${event.closeCode}`}`,
			);
		case 'restart:progress':
			return describeRestart(event);
		case 'worker:deployed':
			return info(`${name(event)} was replaced without a gap in ${seconds(event.tookMs)}`);
		case 'worker:rolled-back':
			return error(`${name(event)} carries on as it was: ${event.reason}`);
		case 'gateway:spawned':
			return info(`gateway process ${event.gatewayId} was started as process ${event.pid}`);
		case 'gateway:exited':
			return warn(`gateway process ${event.gatewayId} ended: ${event.message}`);
		case 'gateway:notice':
			return { level: noticeLevels[event.kind] ?? 'warn', text: `${describeShards(event.shardIds)}: ${event.message}` };
		case 'identify:deferred':
			return warn(
				`${name(event)} waits for new session starts: ${event.remaining} are left and kept in reserve; ` +
					`they reset at ${new Date(event.resetAt).toISOString()}`,
			);
	}
}

/** Notices of gateway processes that are no cause for concern. */
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
			return info(`${name(event)} is being restarted (${count} done)`);
		case 'ready':
			return info(`${name(event)} is restarted (${count} done)`);
		case 'failed':
			return error(`${name(event)} did not become ready: the restart ends here, with ${count} done`);
	}
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
