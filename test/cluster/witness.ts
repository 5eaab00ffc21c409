// The judge of a cluster: what the bots of all nodes wrote down, one line for each event that a worker handled, in the order in which they
// were handled, against the invariants I1 to I4 of the design. What Discord has seen (I5, I6) is the simulator's to judge.
import { closeSync, openSync, readSync, statSync } from 'node:fs';

export interface Handled {
	guildId: string;
	number: number;
	/** A worker process belongs to one owner of its session, so to one epoch. */
	pid: number;
	/** Epoch ms. */
	at: number;
	node: string;
	/** When the process started (epoch ms): in a long run the system gives its pid to another one. */
	startedAt: number;
}

/** What the bots wrote down, read as it grows: a run of many faults has millions of lines. */
export class HandledFile {
	readonly #file: string;
	readonly #handled: Handled[] = [];
	#readBytes = 0;
	#rest = '';

	constructor(file: string) {
		this.#file = file;
	}

	/** Every event handled so far; a line that is being written is left out. */
	read(): readonly Handled[] {
		const { size } = statSync(this.#file);
		const buffer = Buffer.alloc(size - this.#readBytes);
		const file = openSync(this.#file, 'r');
		try {
			readSync(file, buffer, 0, buffer.length, this.#readBytes);
		} finally {
			closeSync(file);
		}
		this.#readBytes = size;
		const lines = (this.#rest + buffer.toString()).split('\n');
		this.#rest = lines.pop() ?? '';
		for (const line of lines) {
			const [guildId, number, pid, at, node, startedAt] = line.split(' ') as [string, string, string, string, string, string];
			this.#handled.push({
				guildId,
				number: Number(number),
				pid: Number(pid),
				at: Number(at),
				node,
				startedAt: Number(startedAt),
			});
		}
		return this.#handled;
	}
}

export interface Verdict {
	/** I1: handled by a process after another one had handled a later event of the guild, and I2: out of order. */
	faults: string[];
	/** I3: what was sent and never handled. */
	lost: string[];
	/** I4: events that were handled more than once. */
	repeats: number;
	/** I4: how long before the newest event that its guild had handled a repeated one had been handled, in ms at most: what was not saved. */
	reachMs: number;
	/** The longest time in which a guild handled nothing new, in ms. */
	longestPauseMs: number;
}

/**
 * `sent`: how many numbered messages, from 1, each guild got. `replays`: whether a gateway process may have been killed; its successor sends
 * what was not saved again, also to a worker that has lived on.
 */
export function judge(handled: readonly Handled[], sent: ReadonlyMap<string, number>, { replays = false } = {}): Verdict {
	const guilds = new Map<string, GuildRecord>();
	for (const event of handled) {
		const record = guilds.get(event.guildId) ?? new GuildRecord(event.guildId, replays);
		guilds.set(event.guildId, record);
		record.note(event);
	}
	const records = [...guilds.values()];
	const lost = [...sent].flatMap(([guildId, count]) => {
		const newest = guilds.get(guildId)?.newest ?? 0;
		return newest < count ? [`guild ${guildId}: handled up to ${newest} of ${count}`] : [];
	});
	return {
		faults: records.flatMap(({ faults }) => faults),
		lost,
		repeats: records.reduce((sum, { repeats }) => sum + repeats, 0),
		reachMs: Math.max(0, ...records.map(({ reachMs }) => reachMs)),
		longestPauseMs: Math.max(0, ...records.map(({ longestPauseMs }) => longestPauseMs)),
	};
}

class GuildRecord {
	readonly faults: string[] = [];
	newest = 0;
	repeats = 0;
	reachMs = 0;
	longestPauseMs = 0;
	readonly #guildId: string;
	readonly #replays: boolean;
	readonly #finished = new Set<string>();
	#last: Handled | undefined;
	#newestAt = 0;
	/** When each event was first handled, by its number. */
	readonly #firstAt: number[] = [];

	constructor(guildId: string, replays: boolean) {
		this.#guildId = guildId;
		this.#replays = replays;
	}

	note(event: Handled): void {
		const { number, pid } = event;
		const last = this.#last;
		this.#last = event;
		const isSame = last !== undefined && processOf(last) === processOf(event);
		if (last && !isSame) this.#finished.add(processOf(last));
		if (this.#finished.has(processOf(event))) this.#fault(`I1: handled by process ${pid} after another one took over`, event);
		// The first of a new process may be a repeat; nothing is left out, and a process goes back no further.
		if (number > this.newest + 1) this.#fault(`I2: the one before it was ${this.newest}`, event);
		const isReplay = this.#replays && number <= (last?.number ?? 0);
		if (isSame && number !== last.number + 1 && !isReplay)
			this.#fault(`I2: the same process had just handled ${last.number}`, event);
		if (number <= this.newest) {
			this.repeats++;
			this.reachMs = Math.max(this.reachMs, this.#newestAt - (this.#firstAt[number] ?? this.#newestAt));
		} else {
			if (last) this.longestPauseMs = Math.max(this.longestPauseMs, event.at - this.#newestAt);
			this.#newestAt = event.at;
			this.#firstAt[number] = event.at;
			this.newest = number;
		}
	}

	#fault(what: string, { number, node, pid }: Handled): void {
		this.faults.push(`guild ${this.#guildId}, event ${number} on node ${node} (process ${pid}): ${what}`);
	}
}

function processOf({ pid, startedAt }: Handled): string {
	return `${pid} ${startedAt}`;
}
