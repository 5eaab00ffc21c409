// Counts for people. Pure.

/** `1 shard`, `2 shards`; `shown` is the count in another notation. */
export function plural(count: number, noun: string, shown = String(count)): string {
	return `${shown} ${noun}${count === 1 ? '' : 's'}`;
}
