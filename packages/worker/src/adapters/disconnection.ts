// What the end of a shard's connection means, by Discord's close code.
import { fatalCloseCodes, type ShardReport } from '@shardctl/core';

/** Every library reconnects by itself, except after a fatal close code. */
export function disconnection(shardId: number, closeCode: number | undefined): ShardReport {
	const status = closeCode !== undefined && fatalCloseCodes.has(closeCode) ? 'disconnected' : 'reconnecting';
	return { shardId, status, ...(closeCode === undefined ? {} : { closeCode }) };
}
