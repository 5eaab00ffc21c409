// The shapes of the figures that workers sample and managers show.

/** One shard as its worker sees it. */
export interface ShardSample {
	shardId: number;
	guildCount: number;
	/** Sum of the guilds' member counts. */
	userCount: number;
	/** Heartbeat round trip in ms; null before the first. */
	ping: number | null;
}

/** What a worker measures of itself; pushed to the manager at an interval. */
export interface WorkerSample {
	shards: ShardSample[];
	rssBytes: number;
	heapUsedBytes: number;
	/** Share of one core since the last sample, in percent. */
	cpuPercent: number;
	/** 99th percentile of the event loop's delay since the last sample, in ms. */
	loopDelayP99Ms: number;
	uptimeMs: number;
}
