// The output of `start`: for people, a live picture while the fleet starts and marked lines after that; for programs, one JSON
// object per line. The only file that writes to the terminal while a fleet runs.
import type { WorkerRef } from '@shardctl/control';
import { workerMark as markOf } from '@shardctl/core';
import { onFleetEvent, type ShardManager } from '@shardctl/manager';
import { createLogUpdate } from 'log-update';
import { type Logger, pino } from 'pino';
import { describeEvent, type Level } from '../fleet-event-text.js';
import { err, out, workerColour } from '../terminal/colours.js';
import { plural } from '../terminal/count.js';
import { ownCommand } from '../terminal/own-command.js';
import { printable, printableBotLine } from '../terminal/printable.js';
import { fleetPicture } from './fleet-picture.js';
import { GuardedOutput, type Loss } from './guarded-output.js';

const redrawMs = 120;

/** Where the events of a fleet are reported. */
export interface FleetOutput {
	/** Follows a manager until it stops. */
	follow(manager: ShardManager): void;
	/** Reports a sentence about the fleet, to people and programs alike. */
	say(level: Level, message: string, fields?: Record<string, unknown>): void;
	/** Ends the live picture. */
	close(): void;
	/** Writes what still waits to be written; nothing follows. */
	end(): void;
	/** For the manager itself. */
	logger: Logger;
}

/** One JSON object per line. */
export function jsonOutput(destination: { write(line: string): void; close?(): void }): FleetOutput {
	const logger = pino(
		{ base: { pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
		{ write: (line) => destination.write(printable(line)) },
	);
	return {
		logger,
		say: (level, message, fields = {}) => logger[level](fields, message),
		follow(manager) {
			manager.on('worker:log', ({ workerId, shardIds, stream, line }) =>
				logger.info({ worker: workerId, shards: shardIds, stream }, line),
			);
			reportEvents(manager, (level, message, fields) => logger[level](fields, message));
		},
		close() {},
		end: () => destination.close?.(),
	};
}

/** Reports to both; the manager's own log goes to both as well. */
export function bothOutputs(one: FleetOutput, other: FleetOutput): FleetOutput {
	const pass = (level: Level) => (fields: object, message?: string) => {
		one.logger[level](fields, message);
		other.logger[level](fields, message);
	};
	return {
		logger: Object.assign(Object.create(other.logger) as Logger, {
			info: pass('info'),
			warn: pass('warn'),
			error: pass('error'),
		}),
		say(level, message, fields) {
			one.say(level, message, fields);
			other.say(level, message, fields);
		},
		follow(manager) {
			one.follow(manager);
			other.follow(manager);
		},
		close() {
			one.close();
			other.close();
		},
		end() {
			one.end();
			other.end();
		},
	};
}

/** For people: diagnostics on standard error, the bots' output on the streams that they wrote it to. */
export function prettyOutput(): FleetOutput {
	const lost = (stream: string) => (loss: Loss) => `${marked('warn', lossText(stream, loss))}\n`;
	const outputs = {
		stdout: new GuardedOutput(process.stdout, lost('standard output')),
		stderr: new GuardedOutput(process.stderr, lost('standard error')),
	};
	const write = (text: string) => {
		outputs.stderr.write(text);
		return true;
	};
	const screen = Object.create(process.stderr, { write: { value: write } }) as NodeJS.WriteStream;
	const live = process.stderr.isTTY ? createLogUpdate(screen) : undefined;
	let redraw: NodeJS.Timeout | undefined;
	let draw = () => {};

	const print = (stream: 'stdout' | 'stderr', text: string) => {
		live?.clear();
		outputs[stream].write(`${printable(text)}\n`);
		if (redraw) draw();
	};
	const say: FleetOutput['say'] = (level, message) => print('stderr', marked(level, message));
	return {
		say,
		logger: pino({ level: 'info' }, { write: (line) => say(...loggedMessage(line)) }),
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
				print(entry.stream, `${workerMark(entry, entry.stream)} ${printableBotLine(entry.line)}`),
			);
			let hasStarted = false;
			manager.once('fleet:ready', () => {
				hasStarted = true;
			});
			reportEvents(manager, (level, message, fields) => {
				// A start that fails ends the run, which reports the same as its reason.
				if (hasStarted || level !== 'error' || fields?.event !== 'fleet:stopped') say(level, message);
			});
			// What to do next, for a person who looks at this terminal.
			if (live) {
				const command = ownCommand({ script: process.argv[1], cwd: process.cwd() });
				manager.once('fleet:ready', () =>
					print('stderr', err.dim(`         in another terminal: ${command} stats --watch    Ctrl-C here: stop`)),
				);
			}
		},
		close() {
			clearInterval(redraw);
			redraw = undefined;
			live?.clear();
		},
		end() {
			outputs.stdout.close();
			outputs.stderr.close();
		},
	};
}

/** Reports the events that matter: nothing that goes as planned, except the fleet as a whole and what recovers. */
function reportEvents(manager: ShardManager, say: FleetOutput['say']): void {
	let up = false;
	onFleetEvent(manager, (event) => {
		const { level, text } = describeEvent(event);
		const { type, ...fields } = event;
		if (type === 'fleet:ready') up = true;
		const isNews =
			level !== 'info' ||
			type === 'fleet:ready' ||
			type === 'shard:resumed' ||
			(type.startsWith('cluster:') && (up || type !== 'cluster:session-ready')) ||
			(up && (type === 'worker:ready' || type === 'fleet:health'));
		// A refusal ends the run, which reports it as its reason.
		if (isNews && type !== 'fleet:refused') say(level, text, { event: type, ...fields });
	});
}

/** `[3]` or `[4-7]` in a colour that stays the worker's own. */
function workerMark({ workerId, shardIds }: WorkerRef, stream: 'stdout' | 'stderr'): string {
	return workerColour(stream === 'stdout' ? out : err, workerId)(`[${markOf(workerId, shardIds)}]`);
}

function marked(level: Level, message: string): string {
	const mark = level === 'info' ? err.green('●') : level === 'warn' ? err.yellow('▲') : err.red('✖');
	return `${err.dim(clockTime())} ${mark} ${message}`;
}

function lossText(where: string, { lines, code }: Loss): string {
	return `${plural(lines, 'line')} could not be written to ${where} (${code})`;
}

/** JSON lines to standard output. */
export function standardOutput(): { write(line: string): void; close(): void } {
	return new GuardedOutput(process.stdout, (loss) => jsonLoss('standard output', loss));
}

/** What takes the place of lines that were lost, in a log of JSON lines. */
export function jsonLoss(where: string, loss: Loss): string {
	const fields = { level: 40, time: new Date().toISOString(), pid: process.pid, event: 'output:lost', ...loss };
	return `${JSON.stringify({ ...fields, msg: lossText(where, loss) })}\n`;
}

function clockTime(): string {
	return new Date().toTimeString().slice(0, 8);
}

/** A line of the manager's own logger. pino: 40 is a warning, 50 an error. */
function loggedMessage(line: string): [Level, string] {
	const { level, msg, err: error } = JSON.parse(line) as { level: number; msg?: string; err?: { message?: string } };
	return [level >= 50 ? 'error' : level >= 40 ? 'warn' : 'info', [msg, error?.message].filter(Boolean).join(': ')];
}
