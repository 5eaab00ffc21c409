// The events that were given up: lists them, puts them back into the queue for the group that gave them up, or removes them.
import type { RedisPort, RedisScript } from '@shardctl/cluster';
import { type DeadEvent, isSnowflake, ShardctlError, shardIdForGuild, subjectOf } from '@shardctl/core';
import type { QueueKeys } from '../wire/keys.js';
import { partitionOf, type QueueLayout } from '../wire/partitions.js';

/** How many one step reads. */
const pageSize = 200;

/**
 * KEYS: 1 dead events, 2 hash of the group, 3 record of the shard, 4 stream, 5 groups. ARGV: 1 id, 2 partition, 3 channel of the bell, 4 group.
 * The event is behind everything that is in the stream, and for its own group only. Returns 1; 0 where it is not there any more; or -1 where its
 * group is not: nobody would read it.
 */
const retry: RedisScript = {
	name: 'queue.retryDead',
	lua: `#!lua
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
if redis.call('HEXISTS', KEYS[5], ARGV[4]) == 0 then return -1 end
local event = {}
for i = 1, #found[1][2], 2 do event[found[1][2][i]] = found[1][2][i + 1] end
local count = redis.call('HINCRBY', KEYS[3], 'n:' .. ARGV[2], 1)
local about = table.concat({ string.format('%.0f', count), event.t, event.s, event.sid, event.g or '' }, ' ')
redis.call('XADD', KEYS[4], '*', 'e', about, 'd', event.d, 'only', event.group)
redis.call('XDEL', KEYS[1], ARGV[1])
if redis.call('HEXISTS', KEYS[2], 'dead') == 1 then redis.call('HINCRBY', KEYS[2], 'dead', -1) end
redis.call('PUBLISH', ARGV[3], ARGV[2])
return 1
`,
};

/** KEYS: 1 dead events, 2 hash of the group. ARGV: 1 id. Returns 1, or 0 where it is not there any more. */
const drop: RedisScript = {
	name: 'queue.dropDead',
	lua: `#!lua flags=allow-oom
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
if redis.call('HEXISTS', KEYS[2], 'dead') == 1 then redis.call('HINCRBY', KEYS[2], 'dead', -1) end
return 1
`,
};

/**
 * Where no dead event is left no group has any, also where the stream was removed by hand. KEYS: 1 dead events, then the hashes of the groups.
 */
const reset: RedisScript = {
	name: 'queue.resetDead',
	lua: `#!lua flags=allow-oom
if redis.call('XLEN', KEYS[1]) > 0 then return 0 end
for i = 2, #KEYS do
  if redis.call('HEXISTS', KEYS[i], 'dead') == 1 then redis.call('HSET', KEYS[i], 'dead', 0) end
end
return 1
`,
};

export interface DeadEventsOutcome {
	/** Events that were put back or removed. */
	count: number;
	/** Interactions, which Discord accepts no response to by now: they cannot be put back. */
	tooOld: number;
}

export class DeadEvents {
	readonly #redis: Pick<RedisPort, 'batch' | 'script'>;
	readonly #keys: QueueKeys;

	constructor(redis: Pick<RedisPort, 'batch' | 'script'>, keys: QueueKeys) {
		this.#redis = redis;
		this.#keys = keys;
	}

	/** The newest first. */
	async list(limit: number): Promise<DeadEvent[]> {
		return (await this.#page('XREVRANGE', '+', '-', limit)).map(({ event }) => event);
	}

	/**
	 * @param id Of one event, or `all`. Rejects with `OPTIONS_INVALID` for an event that is not there, for an interaction, for an event that lacks
	 *   a field, and for one whose group is not there; with `all` such events stay.
	 */
	retry(id: string, layout: QueueLayout): Promise<DeadEventsOutcome> {
		return this.#each(id, async ({ event, subjectId, isWhole }) => {
			// Discord: Receiving and Responding, "Interaction Callback": a token is valid for 3 s before the first response.
			if (event.type === 'INTERACTION_CREATE') return 'too old';
			if (!isWhole) return 'incomplete';
			const shard = event.guildId === null ? 0 : shardIdForGuild(event.guildId, layout.shards);
			const partition = partitionOf(shard, event.guildId ?? subjectId, layout);
			const { dead, groups, bell } = this.#keys;
			const names = [dead, this.#keys.group(event.group), this.#keys.record(shard), this.#keys.events(partition), groups];
			const done = await this.#redis.script(retry, names, [event.id, partition, bell, event.group], { isRare: true });
			return done === 1 ? 'done' : done === 0 ? 'gone' : 'no group';
		});
	}

	/** @param id Of one event, or `all`. Rejects with `OPTIONS_INVALID` for an event that is not there. */
	drop(id: string): Promise<DeadEventsOutcome> {
		return this.#each(id, async ({ event }) => {
			const names = [this.#keys.dead, this.#keys.group(event.group)];
			return (await this.#redis.script(drop, names, [event.id], { isRare: true })) === 1 ? 'done' : 'gone';
		});
	}

	/** Removes those of one group, which is not there any more. Resolves with how many. */
	async dropOf(group: string): Promise<number> {
		let count = 0;
		for (let from = '-'; ; ) {
			const page = await this.#page('XRANGE', from, '+', pageSize);
			if (page.length === 0) return count;
			const ids = page.filter(({ event }) => event.group === group).map(({ event }) => event.id);
			if (ids.length > 0) count += Number((await this.#redis.batch([['XDEL', this.#keys.dead, ...ids]]))[0]);
			from = `(${page.at(-1)?.event.id}`;
		}
	}

	async #each(id: string, act: (dead: Dead) => Promise<Act>): Promise<DeadEventsOutcome> {
		const outcome: DeadEventsOutcome = { count: 0, tooOld: 0 };
		if (id !== 'all') {
			const [dead] = /^\d+-\d+$/.test(id) ? await this.#page('XRANGE', id, id, 1) : [];
			if (!dead) throw new ShardctlError('OPTIONS_INVALID', `there is no dead event ${id}: "shardctl queue dead" lists them`);
			const done = await act(dead);
			const refusal = refusals[done];
			if (refusal !== undefined) throw new ShardctlError('OPTIONS_INVALID', `event ${id} ${refusal}`);
			return { ...outcome, count: done === 'done' ? 1 : 0 };
		}
		// What is given up meanwhile is not among them.
		const [last] = await this.#page('XREVRANGE', '+', '-', 1);
		for (let from = '-'; last; ) {
			const page = await this.#page('XRANGE', from, last.event.id, pageSize);
			if (page.length === 0) break;
			for (const dead of page) {
				const done = await act(dead);
				if (done === 'too old') outcome.tooOld++;
				else if (done === 'done') outcome.count++;
			}
			from = `(${page.at(-1)?.event.id}`;
		}
		await this.#resetWhereEmpty();
		return outcome;
	}

	async #resetWhereEmpty(): Promise<void> {
		const [names] = (await this.#redis.batch([['HKEYS', this.#keys.groups]])) as [Buffer[]];
		const groups = names.map((name) => this.#keys.group(name.toString()));
		await this.#redis.script(reset, [this.#keys.dead, ...groups], [], { isRare: true });
	}

	async #page(command: 'XRANGE' | 'XREVRANGE', from: string, to: string, count: number): Promise<Dead[]> {
		const [entries] = (await this.#redis.batch([[command, this.#keys.dead, from, to, 'COUNT', count]])) as [[Buffer, Buffer[]][]];
		return entries.map(deadOf);
	}
}

/** What became of a dead event. `gone`: it was put back or removed by another. */
type Act = 'done' | 'gone' | 'too old' | 'incomplete' | 'no group';

const refusals: Partial<Record<Act, string>> = {
	'too old': 'is an interaction, which Discord accepts no response to by now',
	incomplete: 'lacks a field, so that it cannot be put back: remove it with --drop',
	'no group': 'is of a group that is not there any more: "shardctl queue remove" with its name removes what is left of it',
};

interface Dead {
	readonly event: DeadEvent;
	/** What an event of no guild is about. */
	readonly subjectId: string | null;
	/** Whether it has what an event in the queue has. Programs in other languages give events up as well. */
	readonly isWhole: boolean;
}

function deadOf([id, flat]: [Buffer, Buffer[]]): Dead {
	const fields = new Map<string, string>();
	for (let at = 0; at < flat.length; at += 2) fields.set(String(flat[at]), String(flat[at + 1]));
	const field = (name: string) => fields.get(name) ?? '';
	const guildId = isSnowflake(field('g')) ? field('g') : null;
	const event = {
		id: id.toString(),
		group: field('group'),
		reason: field('reason'),
		type: field('t'),
		guildId,
		key: `${field('sid')}:${field('s')}`,
		at: Number(id.toString().split('-')[0]),
	};
	const isWhole = ['group', 't', 's', 'sid', 'd'].every((name) => field(name) !== '') && (guildId !== null || field('g') === '');
	return { event, subjectId: guildId === null ? subjectOf(parsed(field('d'))) : null, isWhole };
}

/** Any partition of shard 0 does for an event whose data cannot be read. */
function parsed(text: string): unknown {
	try {
		return JSON.parse(text);
	} catch {
		return null;
	}
}
