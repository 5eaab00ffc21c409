// Shard maths: which shard a guild belongs to, and how shard ids are cut into the slices that workers own.

/**
 * The shard that receives a guild's events: `(guild_id >> 22) % num_shards`, in BigInt, because ids exceed 2^53.
 * Discord: Gateway, "Sharding Formula".
 */
export function shardIdForGuild(guildId: string | bigint, totalShards: number): number {
	return Number((BigInt(guildId) >> 22n) % BigInt(totalShards));
}

/** Whether a text can be a Discord id: a decimal number that fits 64 bits. */
export function isSnowflake(text: string): boolean {
	return /^\d{1,20}$/.test(text) && BigInt(text) < 1n << 64n;
}

/**
 * Cuts shard ids into contiguous slices of at most `shardsPerWorker`, as even as they come: 10 ids at 4 a worker are 4+3+3,
 * not 4+4+2, so that no worker carries more than one shard above another.
 */
export function planSlices(shardIds: readonly number[], shardsPerWorker: number): number[][] {
	const workers = Math.ceil(shardIds.length / shardsPerWorker);
	const slices: number[][] = [];
	let start = 0;
	for (let worker = 0; worker < workers; worker++) {
		const size = Math.ceil((shardIds.length - start) / (workers - worker));
		slices.push(shardIds.slice(start, start + size));
		start += size;
	}
	return slices;
}

/** Shard ids for people: `0-3,7`. */
export function formatShardIds(shardIds: readonly number[]): string {
	const parts: string[] = [];
	for (let i = 0; i < shardIds.length; ) {
		let end = i;
		while (end + 1 < shardIds.length && shardIds[end + 1] === (shardIds[end] as number) + 1) end++;
		parts.push(end === i ? `${shardIds[i]}` : `${shardIds[i]}-${shardIds[end]}`);
		i = end + 1;
	}
	return parts.join(',');
}

/** A worker for people: `worker 3 (shards 6-7)`; `worker 3` for one without shards, which gets its events from the queue. */
export function describeWorker(workerId: number, shardIds: readonly number[]): string {
	return shardIds.length === 0 ? `worker ${workerId}` : `worker ${workerId} (${describeShards(shardIds)})`;
}

/** What marks the lines of a worker: its shards, `0-3`, or `worker 3` for one without shards. */
export function workerMark(workerId: number, shardIds: readonly number[]): string {
	return shardIds.length === 0 ? `worker ${workerId}` : formatShardIds(shardIds);
}

/** Sessions with Discord for people, with the noun: `session 3`, `sessions 2,6`. */
export function describeSessions(sessions: readonly number[]): string {
	return `${sessions.length === 1 ? 'session' : 'sessions'} ${formatShardIds(sessions)}`;
}

/** Longer lists are cut in a sentence. */
const mostRanges = 12;

/** Shards for people, with the noun: `shard 3`, `shards 0-3,7`. A long list with gaps is cut: `shards 0,2,4,… (500 shards)`. */
export function describeShards(shardIds: readonly number[]): string {
	const ranges = formatShardIds(shardIds).split(',');
	const [noun, cut] = [shardIds.length === 1 ? 'shard' : 'shards', ranges.length > mostRanges];
	return `${noun} ${ranges.slice(0, mostRanges).join(',')}${cut ? `,… (${shardIds.length} shards)` : ''}`;
}
