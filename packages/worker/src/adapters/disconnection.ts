// What the end of a shard's connection means, told by Discord's close code alone.
import { fatalCloseCodes, type ShardReport } from '@shardctl/core';

/** Every library reconnects by itself, except after a code that no retry mends. */
export function disconnection(shardId: number, closeCode: number | undefined): ShardReport {
	const status = closeCode !== undefined && fatalCloseCodes.has(closeCode) ? 'disconnected' : 'reconnecting';
	return { shardId, status, ...(closeCode === undefined ? {} : { closeCode }) };
}
