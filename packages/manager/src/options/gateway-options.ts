// The option `gateway` of createShardManager: which processes own the Discord sessions, and how.
import type { BufferLimits, Delivery, UpstreamCompression } from '@shardctl/core';
import { z } from 'zod';

const wholeNumber = z.number().int({ error: 'must be a whole number' }).min(1, { error: 'must be a whole number from 1' });

export const gatewaySchema = z.union(
	[
		z.enum(['direct', 'resident', 'queue']),
		z.strictObject({
			mode: z.enum(['direct', 'resident', 'queue']),
			sessions: z.union([wholeNumber, z.literal('auto')]).optional(),
			shardsPerGateway: wholeNumber.optional(),
			delivery: z.enum(['at-most-once', 'at-least-once']).optional(),
			bufferEvents: wholeNumber.optional(),
			bufferBytes: wholeNumber.optional(),
			bufferAgeMs: wholeNumber.optional(),
			compression: z.enum(['zlib-stream', 'none']).optional(),
		}),
	],
	{
		error:
			'must be "direct", "resident", "queue" or { mode, sessions: a whole number from 1, or "auto", shardsPerGateway, delivery: "at-most-once" or "at-least-once", bufferEvents, bufferBytes, bufferAgeMs, compression: "zlib-stream" or "none" }',
	},
);

export type GatewayMode = 'direct' | 'resident' | 'queue';

/**
 * In the modes `resident` and `queue` gateway processes own the Discord sessions, so that workers can be replaced at any time. In mode `queue`
 * they write the events to Redis, and workers on any machine read them there.
 */
export interface GatewayOptions {
	mode: GatewayMode;
	/**
	 * Number of Discord sessions (default: one per shard). It must divide the shard count that workers see. `'auto'`: what Discord
	 * recommends, or the next larger number that fits.
	 */
	sessions?: number | 'auto';
	/** Most shards per gateway process (default 16). The shards of a worker, and those of a session, stay in one process. */
	shardsPerGateway?: number;
	/** What happens to events in flight when a worker dies (default `'at-most-once'`: dropped and counted). */
	delivery?: Delivery;
	/** Events per shard that may wait for a worker (default 50,000). Beyond it the oldest update the state and are not delivered. */
	bufferEvents?: number;
	/** The same in bytes (default 64 MiB). */
	bufferBytes?: number;
	/** The same in ms of age (default 10 min). */
	bufferAgeMs?: number;
	/** Compression of what Discord sends (default `'zlib-stream'`: a fifth of the bytes, for some microseconds per event). */
	compression?: UpstreamCompression;
}

export interface ResolvedGatewayOptions {
	/** Undefined: as many as shards. */
	sessions: number | 'auto' | undefined;
	shardsPerGateway: number;
	delivery: Delivery;
	buffer: BufferLimits;
	compression: UpstreamCompression;
}

/** Null in direct mode, where each worker has its own connections. */
export function resolveGatewayOptions(options: GatewayMode | GatewayOptions | undefined): ResolvedGatewayOptions | null {
	const { mode, sessions, shardsPerGateway, delivery, bufferEvents, bufferBytes, bufferAgeMs, compression }: GatewayOptions =
		typeof options === 'object' ? options : { mode: options ?? 'direct' };
	if (mode === 'direct') return null;
	return {
		sessions,
		shardsPerGateway: shardsPerGateway ?? 16,
		delivery: delivery ?? 'at-most-once',
		buffer: { events: bufferEvents ?? 50_000, bytes: bufferBytes ?? 64 * 1024 * 1024, ageMs: bufferAgeMs ?? 600_000 },
		compression: compression ?? 'zlib-stream',
	};
}
