// The keys of a bot's event queue in Redis. All begin with `shardctl:<application id>:`, as those of a cluster, so that one access rule
// covers both. WIRE.md documents them for programs in other languages.

export interface QueueKeys {
	/** Hash: `shards` and `perShard`, how the events are divided; `run` and `since`, when this Redis first had it. */
	readonly meta: string;
	/** Hash: group → what it subscribes to, as JSON. */
	readonly groups: string;
	/** Stream: events that were given up, with the reason. */
	readonly dead: string;
	/** Hash: name → text of the scripts of a group, for workers in other languages. */
	readonly scripts: string;
	/** Channel: carries the partitions that have new events, separated by commas. A hint, which may be lost. */
	readonly bell: string;
	/** Channel: the groups have changed. A hint, which may be lost. */
	readonly groupsChanged: string;
	/** Hash: the record of a shard's writer: its epoch, and how far the events of which session are in the streams. */
	record(shard: number): string;
	/** Stream: the events of one partition. */
	events(partition: number): string;
	/** Hash: the members of a group, and who owns which partition. */
	group(name: string): string;
	/** What is known of an effect of an event; see `QueueEvent.once`. */
	once(group: string, effect: string): string;
	/** `yes` or `no`: whether Discord has the deferred response to the interaction of an event. */
	deferred(event: string): string;
	/** Channel: what workers ask of the gateway process that has a shard. */
	requests(shard: number): string;
	/** Channel: the answers to a worker. */
	answers(member: string): string;
	/** Channel: the members of a group, or its partitions, have changed. A hint, which may be lost. */
	groupChanged(name: string): string;
}

export function queueKeys(applicationId: string): QueueKeys {
	const prefix = `shardctl:${applicationId}:queue`;
	return {
		meta: prefix,
		groups: `${prefix}:groups`,
		dead: `${prefix}:dead`,
		scripts: `${prefix}:scripts`,
		bell: `${prefix}:bell`,
		groupsChanged: `${prefix}:groups:changed`,
		record: (shard) => `${prefix}:shard:${shard}`,
		events: (partition) => `${prefix}:events:${partition}`,
		group: (name) => `${prefix}:group:${name}`,
		once: (group, effect) => `${prefix}:once:${group}:${effect}`,
		deferred: (event) => `${prefix}:deferred:${event}`,
		requests: (shard) => `${prefix}:shard:${shard}:requests`,
		answers: (member) => `${prefix}:answers:${member}`,
		groupChanged: (name) => `${prefix}:group:${name}:changed`,
	};
}
