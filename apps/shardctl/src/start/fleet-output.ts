// What `start` prints: for people, a live picture while the fleet comes up and marked lines after; for programs, one JSON
// object a line. The only file that writes to the terminal while a fleet runs.
import { formatShardIds } from '@shardctl/core';
import type { ShardManager, WorkerRef } from '@shardctl/manager';
import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import { type Logger, pino } from 'pino';
import { fleetPicture } from './fleet-picture.js';

const redrawMs = 120;

/** Where the story of a fleet is told. */
export interface FleetOutput {
	/** Follows a manager until it stops. */
	follow(manager: ShardManager): void;
	/** A sentence about the fleet, for people and programs alike. */
	say(level: 'info' | 'warn' | 'error', message: string, fields?: Record<string, unknown>): void;
	/** Ends the live picture. */
	close(): void;
	/** For the manager itself. */
	logger: Logger;
}

/** One JSON object a line, on standard output. */
export function jsonOutput(): FleetOutput {
	const logger = pino(
		{ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
		pino.destination({ fd: 1, sync: true }),
	);
	return {
		logger,
		say: (level, message, fields = {}) => logger[level](fields, message),
		follow(manager) {
			manager.on('worker:log', ({ workerId, shardIds, stream, line }) =>
				logger.info({ worker: workerId, shards: shardIds, stream }, line),
			);
			tell(manager, (level, message, fields) => logger[level](fields, message));
		},
		close() {},
	};
}

/** For people: talk on standard error, the bots' own lines on the streams they wrote them to. */
export function prettyOutput(): FleetOutput {
	const live = process.stderr.isTTY ? createLogUpdate(process.stderr) : undefined;
	let redraw: NodeJS.Timeout | undefined;
	let draw = () => {};

	const print = (stream: NodeJS.WriteStream, text: string) => {
		live?.clear();
		stream.write(`${text}\n`);
		if (redraw) draw();
	};
	const say: FleetOutput['say'] = (level, message) => {
		const mark = level === 'info' ? pc.green('●') : level === 'warn' ? pc.yellow('▲') : pc.red('✖');
		print(process.stderr, `${pc.dim(clockTime())} ${mark} ${message}`);
	};
	return {
		say,
		logger: pino({ level: 'warn' }, { write: (line) => say('warn', loggedMessage(line)) }),
		follow(manager) {
			const since = performance.now();
			if (live) {
				draw = () => {
					const shards = manager.workers.flatMap((worker) =>
						worker.shardIds.map((shardId) => ({ shardId, status: worker.status(shardId) })),
					);
					live(
						fleetPicture({
							name: manager.name,
							shards,
							workers: manager.workers.length,
							maxConcurrency: manager.identifyBudget().maxConcurrency,
							waits: manager.identifyWaits(),
							elapsedMs: performance.now() - since,
							columns: process.stderr.columns || 80,
						}),
					);
				};
				draw();
				redraw = setInterval(() => draw(), redrawMs);
			}
			manager.on('worker:log', (entry) =>
				print(entry.stream === 'stdout' ? process.stdout : process.stderr, `${mark(entry)} ${entry.line}`),
			);
			tell(manager, say);
		},
		close() {
			clearInterval(redraw);
			redraw = undefined;
			live?.clear();
		},
	};
}

/** The events that deserve a sentence. */
function tell(manager: ShardManager, say: FleetOutput['say']): void {
	let up = false;
	manager.on('fleet:ready', ({ shards, workers, tookMs }) => {
		up = true;
		say(
			'info',
			`fleet ready: ${shards} shard${shards === 1 ? '' : 's'} in ${workers} worker${workers === 1 ? '' : 's'} after ${(tookMs / 1000).toFixed(1)} s`,
			{
				event: 'fleet:ready',
				shards,
				workers,
				tookMs,
			},
		);
	});
	manager.on('worker:exited', ({ workerId, shardIds, report }) => {
		if (report.reason === 'requested') return;
		say('warn', `${name({ workerId, shardIds })} ended: ${report.message}`, {
			event: 'worker:exited',
			worker: workerId,
			shards: shardIds,
			reason: report.reason,
		});
	});
	manager.on('worker:ready', ({ workerId, shardIds, tookMs }) => {
		if (up)
			say('info', `${name({ workerId, shardIds })} is ready again`, {
				event: 'worker:ready',
				worker: workerId,
				shards: shardIds,
				tookMs,
			});
	});
	manager.on('worker:unresponsive', ({ workerId, shardIds }) => {
		say('warn', `${name({ workerId, shardIds })} does not respond: its event loop is blocked`, {
			event: 'worker:unresponsive',
			worker: workerId,
			shards: shardIds,
		});
	});
	manager.on('worker:failed', ({ workerId, shardIds, reason }) => {
		say('error', `${name({ workerId, shardIds })} is given up for now: ${reason}`, {
			event: 'worker:failed',
			worker: workerId,
			shards: shardIds,
			reason,
		});
	});
	manager.on('shard:reconnecting', ({ shardId }) =>
		say('warn', `shard ${shardId} lost its connection and reconnects`, { event: 'shard:reconnecting', shard: shardId }),
	);
	manager.on('shard:resumed', ({ shardId }) =>
		say('info', `shard ${shardId} resumed its session`, { event: 'shard:resumed', shard: shardId }),
	);
	manager.on('shard:disconnected', ({ shardId, closeCode }) => {
		say('error', `shard ${shardId} was disconnected for good${closeCode === undefined ? '' : ` with close code ${closeCode}`}`, {
			event: 'shard:disconnected',
			shard: shardId,
			closeCode,
		});
	});
	manager.on('identify:deferred', ({ workerId, shardIds, remaining, resetAt }) => {
		say(
			'warn',
			`${name({ workerId, shardIds })} waits for new session starts: ${remaining} are left and kept in reserve; they reset at ${new Date(resetAt).toISOString()}`,
			{
				event: 'identify:deferred',
				worker: workerId,
				remaining,
				resetAt,
			},
		);
	});
}

function name({ workerId, shardIds }: WorkerRef): string {
	return `worker ${workerId} (shard${shardIds.length > 1 ? 's' : ''} ${formatShardIds(shardIds)})`;
}

const markColours = [pc.cyan, pc.magenta, pc.blue, pc.yellow, pc.green];

/** `[3]` or `[4-7]` in a colour that stays the worker's own. */
function mark({ workerId, shardIds }: WorkerRef): string {
	const colour = markColours[workerId % markColours.length] as (text: string) => string;
	return colour(`[${formatShardIds(shardIds)}]`);
}

function clockTime(): string {
	return new Date().toTimeString().slice(0, 8);
}

function loggedMessage(line: string): string {
	const { msg, err } = JSON.parse(line) as { msg?: string; err?: { message?: string } };
	return [msg, err?.message].filter(Boolean).join(': ');
}
