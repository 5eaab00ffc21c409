// The option `gateway` of createShardManager: who holds the sessions with Discord, and how.
import type { BufferLimits, Delivery, UpstreamCompression } from '@shardctl/core';
import { z } from 'zod';

const wholeNumber = z.number().int({ error: 'must be a whole number' }).min(1, { error: 'must be a whole number from 1' });

export const gatewaySchema = z.union(
	[
		z.enum(['direct', 'resident']),
		z.strictObject({
			mode: z.enum(['direct', 'resident']),
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
			'must be "direct", "resident" or { mode, sessions: a whole number from 1, or "auto", shardsPerGateway, delivery: "at-most-once" or "at-least-once", bufferEvents, bufferBytes, bufferAgeMs, compression: "zlib-stream" or "none" }',
	},
);

export type GatewayMode = 'direct' | 'resident';

/** Gateway processes hold the sessions, so that workers may come and go. */
export interface GatewayOptions {
	mode: GatewayMode;
	/**
	 * How many sessions the bot has with Discord (default: as many as shards). The shards that workers see are a whole multiple of it.
	 * `'auto'`: what Discord recommends, or the next larger number that fits.
	 */
	sessions?: number | 'auto';
	/** How many shards one gateway process holds at most (default 16); the shards of a worker or a session are never divided. */
	shardsPerGateway?: number;
	/** What becomes of the events that a worker which dies had in its hands (default `'at-most-once'`: lost, and counted). */
	delivery?: Delivery;
	/** Events per shard that wait for a worker; the oldest beyond it only change the state (default 50,000). */
	bufferEvents?: number;
	/** The same in bytes (default 64 MiB). */
	bufferBytes?: number;
	/** The same in ms of age (default 10 min). */
	bufferAgeMs?: number;
	/** Of what Discord sends (default `'zlib-stream'`: a fifth of the bytes, for some microseconds an event). */
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
