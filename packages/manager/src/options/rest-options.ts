// The option `rest` of createShardManager: how requests to Discord's REST API are sent.
import { z } from 'zod';

const perSecond = z
	.number()
	.int({ error: 'must be a whole number' })
	.min(1, { error: 'must be a whole number from 1' })
	.max(100_000, { error: 'must be at most 100000' });

export const restSchema = z.union(
	[
		z.enum(['direct', 'shared']),
		z.strictObject({ mode: z.enum(['direct', 'shared']).optional(), globalPerSecond: perSecond.optional() }),
	],
	{
		error: 'must be "direct", "shared" or { mode: "direct" or "shared", globalPerSecond: a whole number from 1 }',
	},
);

export type RestMode = 'direct' | 'shared';

/** In mode `shared` one process sends the requests of all workers, so that they share the bot's rate limits. */
export interface RestOptions {
	/** Default: `'shared'` with more than one worker, in a cluster, and where `globalPerSecond` is given; else `'direct'`. */
	mode?: RestMode;
	/** Requests a second of the whole bot (default 50, Discord's limit). More only where Discord has raised the limit of the bot. */
	globalPerSecond?: number;
}

export interface ResolvedRestOptions {
	globalPerSecond: number;
	/** Whether there is a REST process also for one worker outside a cluster. */
	always: boolean;
}

/** Discord: Rate Limits, "Global Rate Limit". */
const discordGlobalPerSecond = 50;

/** Null in direct mode, where the library in each worker sends its requests itself. */
export function resolveRestOptions(options: RestMode | RestOptions = {}): ResolvedRestOptions | null {
	const { mode, globalPerSecond }: RestOptions = typeof options === 'object' ? options : { mode: options };
	if (mode === 'direct') return null;
	return {
		globalPerSecond: globalPerSecond ?? discordGlobalPerSecond,
		always: mode === 'shared' || globalPerSecond !== undefined,
	};
}
