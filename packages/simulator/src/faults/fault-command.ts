// Faults as plain data: what the control API takes and what a schedule is made of. One command, one call of {@link Faults}.
import { z } from 'zod';
import type { Faults } from './faults.js';

const target = {
	shard: z.int().nonnegative().optional(),
	shardCount: z.int().positive().optional(),
	sessionId: z.string().optional(),
	connectionId: z.int().positive().optional(),
};
const ms = z.number().nonnegative();
const lasting = { forMs: ms.optional() };
const restTarget = { path: z.string().optional(), method: z.string().optional(), share: z.number().min(0).max(1).optional() };

/** Every fault, by name. */
export const faultCommand = z.discriminatedUnion('fault', [
	z.strictObject({ fault: z.literal('close'), code: z.int().min(1000).max(4999), ...target }),
	z.strictObject({ fault: z.literal('reconnect'), ...target }),
	z.strictObject({ fault: z.literal('invalidate'), resumable: z.boolean().optional(), ...target }),
	z.strictObject({ fault: z.literal('drop'), ...target }),
	z.strictObject({ fault: z.literal('request-heartbeat'), ...target }),
	z.strictObject({ fault: z.literal('restart-gateway'), keepSessions: z.boolean().optional() }),
	z.strictObject({ fault: z.literal('black-hole'), ...target, ...lasting }),
	z.strictObject({ fault: z.literal('withhold-acks'), ...target, ...lasting }),
	z.strictObject({ fault: z.literal('latency'), ms, jitterMs: ms.optional(), ...target, ...lasting }),
	z.strictObject({ fault: z.literal('slow-reads'), everyMs: ms, ...target, ...lasting }),
	z.strictObject({ fault: z.literal('reconnect-on-connect'), instead: z.boolean().optional(), ...lasting }),
	z.strictObject({
		fault: z.literal('guild-outage'),
		guildIds: z.array(z.string()).min(1),
		forMs: ms.optional(),
		over: z.boolean().optional(),
	}),
	z.strictObject({
		fault: z.literal('session-starts'),
		total: z.int().nonnegative().optional(),
		remaining: z.int().nonnegative().optional(),
		resetAfterMs: ms.optional(),
	}),
	z.strictObject({ fault: z.literal('recommend-shards'), shards: z.int().positive().optional() }),
	z.strictObject({ fault: z.literal('max-concurrency'), value: z.int().positive() }),
	z.strictObject({ fault: z.literal('rest-status'), status: z.int().min(400).max(599), ...restTarget, ...lasting }),
	z.strictObject({
		fault: z.literal('rest-rate-limit'),
		scope: z.enum(['user', 'global', 'shared']).optional(),
		retryAfterMs: ms.optional(),
		...restTarget,
		...lasting,
	}),
	z.strictObject({ fault: z.literal('rest-hang'), ...restTarget, ...lasting }),
	z.strictObject({ fault: z.literal('rest-latency'), ms, jitterMs: ms.optional(), ...restTarget, ...lasting }),
]);

export type FaultCommand = z.infer<typeof faultCommand>;

/** A command and when: once, or again and again. */
export const scheduledFault = z.strictObject({
	/** Ms after the schedule was given. */
	atMs: ms,
	/** Then again every so often. */
	everyMs: z.number().min(10).optional(),
	/** How many times in all (default once, or without end with `everyMs`). */
	times: z.int().positive().optional(),
	command: faultCommand,
});

export type ScheduledFault = z.infer<typeof scheduledFault>;

/** Runs a command. Answers how many connections or guilds it hit, or the id of a fault that lasts. */
export function runFaultCommand(faults: Faults, command: FaultCommand): { hit?: number; id?: number } {
	switch (command.fault) {
		case 'close':
			return { hit: faults.close(command.code, command) };
		case 'reconnect':
			return { hit: faults.reconnect(command) };
		case 'invalidate':
			return { hit: faults.invalidate({ ...command, resumable: command.resumable ?? false }) };
		case 'drop':
			return { hit: faults.drop(command) };
		case 'request-heartbeat':
			return { hit: faults.requestHeartbeat(command) };
		case 'restart-gateway':
			return { hit: faults.restartGateway({ keepSessions: command.keepSessions ?? true }) };
		case 'black-hole':
			return { id: faults.blackHole(command) };
		case 'withhold-acks':
			return { id: faults.withholdAcks(command) };
		case 'latency':
			return { id: faults.latency(command) };
		case 'slow-reads':
			return { id: faults.slowReads(command) };
		case 'reconnect-on-connect':
			return { id: faults.reconnectOnConnect(command) };
		case 'guild-outage':
			return { hit: faults.guildOutage(command.guildIds, command) };
		case 'session-starts':
			faults.sessionStarts(command);
			return {};
		case 'recommend-shards':
			faults.recommendShards(command.shards);
			return {};
		case 'max-concurrency':
			faults.maxConcurrency(command.value);
			return {};
		case 'rest-status':
			return { id: faults.restStatus(command) };
		case 'rest-rate-limit':
			return { id: faults.restRateLimit(command) };
		case 'rest-hang':
			return { id: faults.restHang(command) };
		case 'rest-latency':
			return { id: faults.restLatency(command) };
	}
}
