// Counts for people. Pure.

/** `1 shard`, `2 shards`. */
export function plural(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
