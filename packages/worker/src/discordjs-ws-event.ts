// Reads the events of a WebSocketManager of @discordjs/ws, whose versions pass the same facts in two ways.

export interface ShardEvent<Value> {
	shardId: number;
	value: Value;
}

/**
 * Version 2 passes a value and the shard's id. Versions 0.8 and 1 pass one object with the id, in which the value has a name or is the
 * object itself.
 */
export function shardEvent<Value>(args: readonly unknown[], name?: string): ShardEvent<Value> {
	const [first, ...others] = args;
	if (typeof first !== 'object' || first === null || others.length > 0) {
		return { shardId: args.at(-1) as number, value: first as Value };
	}
	const event = first as { shardId: number } & Record<string, unknown>;
	return { shardId: event.shardId, value: (name === undefined ? event : event[name]) as Value };
}
