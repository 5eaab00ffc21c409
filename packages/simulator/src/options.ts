// Every option of the simulator, once: its form, its default and its sentence. What Discord leaves undocumented is an option
// here, with the likeliest default.
import { allIntents, type Clock, optionProblems, optionsError, privilegedIntentBits, systemClock } from '@shardctl/core';

import { z } from 'zod';

const count = (min: number, max = Number.MAX_SAFE_INTEGER) =>
	z
		.number({ error: (issue) => `a whole number${issue.input === undefined ? '' : `, got ${JSON.stringify(issue.input)}`}` })
		.refine((value) => Number.isInteger(value) && value >= min && value <= max, {
			error: (issue) =>
				`a whole number from ${min}${max < Number.MAX_SAFE_INTEGER ? ` to ${max}` : ''}, got ${String(issue.input)}`,
		});
const durationMs = z.number().refine((value) => value >= 0, 'a duration in ms, 0 or more');

const clock = z.custom<Clock>((value) => typeof value === 'object' && value !== null && 'monotonic' in value, 'a Clock');

/** The options of {@link createSimulator}; strict, each with its description. */
export const simulatorOptions = z.strictObject({
	port: count(0, 65_535).default(0).describe('port to listen on; 0 picks a free one'),
	host: z.string().min(1).default('127.0.0.1').describe('address to listen on; anything but loopback needs allowRemote'),
	allowRemote: z.boolean().default(false).describe('allow a host that other machines can reach'),
	token: z.string().min(1).optional().describe('the bot token that is valid; generated when left out'),
	anyToken: z.boolean().default(false).describe('accept whatever token the bot logs in with'),
	allowedHosts: z
		.array(z.string().min(1))
		.default([])
		.describe('further names under which clients may address it, such as that of a container; others are refused'),
	controlToken: z.string().min(16).optional().describe('what /simulator/ asks for as a bearer token; nothing when left out'),
	seed: count(0).default(1).describe('what the world is made from; the same seed makes the same world'),
	guilds: count(0, 1_000_000).default(20).describe('how many guilds the bot is in'),
	guildSizes: z
		.strictObject({
			min: count(1).default(5).describe('members of the smallest guilds'),
			max: count(1).default(20_000).describe('most members that a guild has'),
			tail: z.number().min(0.3).max(10).default(1.1).describe('exponent of the tail; the smaller, the more large guilds'),
		})
		.prefault({})
		.describe('how large the guilds are'),
	population: count(1, 100_000_000).default(100_000).describe('how many people there are to be members'),
	shards: count(1, 100_000)
		.optional()
		.describe('shard count that /gateway/bot recommends; follows the guild count when left out'),
	maxConcurrency: count(1, 100_000).default(16).describe('identifies that may start at once (max_concurrency)'),
	identifyWindowMs: durationMs.default(5000).describe('length of the identify window'),
	botPermissions: z
		.string()
		.regex(/^\d{1,20}$/, 'the permissions as one number, as in an invite link')
		.default('8')
		.describe("permissions of the bot's role, as the number of an invite link; 8 is Administrator"),
	largeBot: z
		.union([z.boolean(), z.strictObject({ multiple: count(1) })])
		.default(false)
		.describe('sharding for large bots: shard counts must be a multiple (default 16), more session starts a day'),
	sessionStarts: z
		.strictObject({
			total: count(0).optional().describe('session starts a day; by the size of the bot when left out'),
			remaining: count(0).optional().describe('what is left of them'),
			resetAfterMs: durationMs.optional().describe('when the running day ends; with the first start plus a day when left out'),
			windowMs: durationMs.default(86_400_000).describe('how long a day is'),
			onExhausted: z
				.enum(['reset', 'soft'])
				.default('soft')
				.describe(
					'"reset": every session ends and the token is replaced, as documented; "soft": IDENTIFY gets op 9 until the reset',
				),
		})
		.prefault({})
		.describe('the daily session start limit'),
	maxGuildsPerShard: count(1).default(2500).describe('a session with more guilds is refused with 4011'),
	sessionTtlMs: durationMs.default(120_000).describe('how long a disconnected session can be resumed'),
	heartbeatIntervalMs: count(1).default(41_250).describe('heartbeat interval sent in HELLO'),
	heartbeatGraceFactor: z.number().min(1).default(1.5).describe('intervals without a heartbeat until the connection is closed'),
	heartbeatCloseCode: z
		.union([z.literal(4000), z.literal(4009)])
		.default(4000)
		.describe('close code of that'),
	sendLimit: count(1).default(120).describe('gateway frames that a client may send in 60 s'),
	presenceLimit: count(1).default(5).describe('presence updates that a client may send in 20 s; the rest is dropped'),
	replay: z
		.strictObject({
			maxEvents: count(0).default(10_000),
			maxBytes: count(0).default(2 * 1024 * 1024),
			maxAgeMs: durationMs.default(600_000),
		})
		.prefault({})
		.describe('what a session keeps for RESUME'),
	grantedIntents: count(0, 0x7fffffff)
		.refine((bits) => (bits & ~allIntents) === 0, 'bits of intents that exist')
		.default(privilegedIntentBits)
		.describe('privileged intents that the bot was granted, as bits; all three by default'),
	memberChunkIntervalMs: durationMs.default(30_000).describe('how often the full member list of one guild may be requested'),
	rest: z
		.strictObject({
			globalPerSecond: count(1).default(50).describe('requests a second of one bot'),
			invalidLimit: count(1).default(10_000).describe('401, 403 and 429 responses in ten minutes until the address is blocked'),
			blockMs: durationMs.default(3_600_000).describe('how long the address stays blocked'),
			buckets: z.boolean().default(true).describe('apply the limits of single routes'),
		})
		.prefault({})
		.describe('rate limits of REST'),
	eventsPerSecond: z.number().min(0).max(1_000_000).default(0).describe('background events per second'),
	logCapacity: count(1).default(100_000).describe('entries that the recorded log keeps'),
	clock: clock.default(systemClock).describe('where time comes from'),
});

export type SimulatorOptions = z.input<typeof simulatorOptions>;
export type ResolvedSimulatorOptions = z.output<typeof simulatorOptions>;

const loopback = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/;

/** The options with their defaults; one `OPTIONS_INVALID` error that lists every problem. */
export function resolveSimulatorOptions(input: SimulatorOptions = {}): ResolvedSimulatorOptions {
	const parsed = simulatorOptions.safeParse(input);
	const problems = parsed.success ? [] : optionProblems(parsed.error, Object.keys(simulatorOptions.shape));
	const { host, allowRemote } = (input ?? {}) as Partial<SimulatorOptions>;
	if (typeof host === 'string' && !loopback.test(host) && allowRemote !== true) {
		problems.push({ option: 'host', problem: `"${host}" can be reached from other machines; set allowRemote to bind it` });
	}
	if (!parsed.success || problems.length > 0) throw optionsError('simulator options', problems);
	return parsed.data;
}
