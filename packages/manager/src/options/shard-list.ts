// Reads the notation of shard lists (`0-3,7`). Returns a value or a sentence that says what is wrong; nothing here throws.

type Parsed<T> = { value: T } | { problem: string };

/** The most shards that a list may name; far over any bot, and low enough that `0-4294967295` cannot fill the memory. */
const maxListedShards = 100_000;

/** Shard ids, ascending, from `'0-3,7'` or an array. Each id once; whether they fit the total is checked where it is known. */
export function parseShardList(input: string | readonly number[]): Parsed<number[]> {
	const ids: number[] = [];
	if (typeof input === 'string') {
		for (const part of input.split(',')) {
			const match = /^\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*$/.exec(part);
			if (!match) return { problem: `shard ids such as "0-3,7", got "${part.trim()}" in "${input}"` };
			const from = Number(match[1]);
			const to = Number(match[2] ?? match[1]);
			if (to < from) return { problem: `ranges from low to high, got "${part.trim()}"` };
			if (ids.length + to - from >= maxListedShards) return { problem: `at most ${maxListedShards} shards, got "${input}"` };
			for (let id = from; id <= to; id++) ids.push(id);
		}
	} else {
		for (const id of input) {
			if (!Number.isSafeInteger(id) || id < 0) return { problem: `whole shard ids from 0, got ${String(id)}` };
			ids.push(id);
		}
		if (ids.length === 0) return { problem: 'at least one shard id, got an empty list' };
	}
	const seen = new Set<number>();
	for (const id of ids) {
		if (seen.has(id)) return { problem: `each shard id once, got ${id} twice` };
		seen.add(id);
	}
	return { value: ids.sort((a, b) => a - b) };
}
