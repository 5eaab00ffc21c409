// Every fault as plain data, one row each: its name, what it takes, and the call that it is. The control API, schedules and
// `faults.run` take what this table describes.
import { z } from 'zod';
import type { FaultInjector } from './fault-injector.js';

/** How many connections or guilds a fault hit, or the id of one that lasts. */
export interface FaultOutcome {
	hit?: number;
	id?: number;
}

const target = {
	shard: z.int().nonnegative().optional(),
	shardCount: z.int().positive().optional(),
	sessionId: z.string().optional(),
	connectionId: z.int().positive().optional(),
};
const ms = z.number().nonnegative();
const lasting = { forMs: ms.optional() };
const restTarget = { path: z.string().optional(), method: z.string().optional(), share: z.number().min(0).max(1).optional() };

interface Row<Name extends string, Shape extends z.ZodRawShape> {
	schema: z.ZodObject<{ fault: z.ZodLiteral<Name> } & Shape, z.core.$strict>;
	run: (faults: FaultInjector, args: z.infer<z.ZodObject<Shape>>) => FaultOutcome;
}

function row<const Name extends string, Shape extends z.ZodRawShape>(
	fault: Name,
	shape: Shape,
	run: Row<Name, Shape>['run'],
): Row<Name, Shape> {
	return { schema: z.strictObject({ fault: z.literal(fault), ...shape }) as never, run };
}

const rows = [
	row('close', { code: z.int().min(1000).max(4999), ...target }, (faults, { code, ...on }) => ({ hit: faults.close(code, on) })),
	row('reconnect', target, (faults, on) => ({ hit: faults.reconnect(on) })),
	row('invalidate', { resumable: z.boolean().optional(), ...target }, (faults, args) => ({ hit: faults.invalidate(args) })),
	row('drop', target, (faults, on) => ({ hit: faults.drop(on) })),
	row('request-heartbeat', target, (faults, on) => ({ hit: faults.requestHeartbeat(on) })),
	row('restart-gateway', { keepSessions: z.boolean().optional() }, (faults, { keepSessions = true }) => ({
		hit: faults.restartGateway({ keepSessions }),
	})),
	row('black-hole', { ...target, ...lasting }, (faults, args) => ({ id: faults.blackHole(args) })),
	row('withhold-acks', { ...target, ...lasting }, (faults, args) => ({ id: faults.withholdAcks(args) })),
	row('latency', { ms, jitterMs: ms.optional(), ...target, ...lasting }, (faults, args) => ({ id: faults.latency(args) })),
	row('slow-reads', { everyMs: ms, ...target, ...lasting }, (faults, args) => ({ id: faults.slowReads(args) })),
	row('reconnect-on-connect', { instead: z.boolean().optional(), ...lasting }, (faults, args) => ({
		id: faults.reconnectOnConnect(args),
	})),
	row(
		'guild-outage',
		{ guildIds: z.array(z.string()).min(1), forMs: ms.optional(), over: z.boolean().optional() },
		(faults, { guildIds, ...args }) => ({ hit: faults.guildOutage(guildIds, args) }),
	),
	row(
		'session-starts',
		{
			total: z.int().nonnegative().optional(),
			remaining: z.int().nonnegative().optional(),
			resetAfterMs: ms.optional(),
		},
		(faults, args) => {
			faults.sessionStarts(args);
			return {};
		},
	),
	row('recommend-shards', { shards: z.int().positive().optional() }, (faults, { shards }) => {
		faults.recommendShards(shards);
		return {};
	}),
	row('max-concurrency', { value: z.int().positive() }, (faults, { value }) => {
		faults.maxConcurrency(value);
		return {};
	}),
	row('rest-status', { status: z.int().min(400).max(599), ...restTarget, ...lasting }, (faults, args) => ({
		id: faults.restStatus(args),
	})),
	row(
		'rest-rate-limit',
		{
			scope: z.enum(['user', 'global', 'shared']).optional(),
			retryAfterMs: ms.optional(),
			...restTarget,
			...lasting,
		},
		(faults, args) => ({ id: faults.restRateLimit(args) }),
	),
	row('rest-hang', { ...restTarget, ...lasting }, (faults, args) => ({ id: faults.restHang(args) })),
	row('rest-latency', { ms, jitterMs: ms.optional(), ...restTarget, ...lasting }, (faults, args) => ({
		id: faults.restLatency(args),
	})),
] as const;

/** The schemas of a table, in its order. */
type SchemasOf<Table extends readonly { schema: z.core.$ZodTypeDiscriminable }[]> = {
	-readonly [N in keyof Table]: Table[N]['schema'];
};

/** Every fault, by name. */
export const faultCommand = z.discriminatedUnion('fault', rows.map(({ schema }) => schema) as unknown as SchemasOf<typeof rows>);

export type FaultCommand = z.infer<typeof faultCommand>;

const runs = new Map<string, (faults: FaultInjector, args: never) => FaultOutcome>(
	rows.map(({ schema, run }) => [schema.shape.fault.value, run]),
);

/** Runs a command. */
export function runFaultCommand(faults: FaultInjector, { fault, ...args }: FaultCommand): FaultOutcome {
	return runs.get(fault)?.(faults, args as never) ?? {};
}

/** A command and when: once, or repeatedly. */
export const scheduledFault = z.strictObject({
	/** Ms after the schedule was given. */
	atMs: ms,
	/** Then again at this interval. */
	everyMs: z.number().min(10).optional(),
	/** How many times in all (default once, or without end with `everyMs`). */
	times: z.int().positive().optional(),
	command: faultCommand,
});

export type ScheduledFault = z.infer<typeof scheduledFault>;
