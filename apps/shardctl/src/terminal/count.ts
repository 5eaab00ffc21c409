// Counts for people. Pure.

/** `1 shard`, `2 shards`. */
export function plural(count: number, noun: string): string {
	return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `12,345`. Not by toLocaleString, which loads the tables of every language first: 10 ms of a command that takes 100. */
export function grouped(value: number): string {
	return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}
