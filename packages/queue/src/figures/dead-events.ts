// The events that were given up: lists them, puts them back into the queue for the group that gave them up, or removes them.
import type { RedisPort, RedisScript } from '@shardctl/cluster';
import { type DeadEvent, ShardctlError } from '@shardctl/core';
import type { QueueKeys } from '../wire/keys.js';
import { partitionOf, type QueueLayout } from '../wire/partitions.js';

/** How many one step reads. */
const pageSize = 200;

/**
 * KEYS: 1 dead events, 2 hash of the group, 3 record of the shard, 4 stream. ARGV: 1 id, 2 partition, 3 channel of the bell.
 * The event is behind everything that is in the stream, and for its own group only. Returns 1, or 0 where it is not there any more.
 */
const retry: RedisScript = {
	name: 'queue.retryDead',
	lua: `#!lua
local found = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])
if #found == 0 then return 0 end
local event = {}
for i = 1, #found[1][2], 2 do event[found[1][2][i]] = found[1][2][i + 1] end
local count = redis.call('HINCRBY', KEYS[3], 'n:' .. ARGV[2], 1)
local about = table.concat({ string.format('%.0f', count), event.t, event.s, event.sid, event.g }, ' ')
redis.call('XADD', KEYS[4], '*', 'e', about, 'd', event.d, 'only', event.group)
redis.call('XDEL', KEYS[1], ARGV[1])
redis.call('HINCRBY', KEYS[2], 'dead', -1)
redis.call('PUBLISH', ARGV[3], ARGV[2])
return 1
`,
};

/** KEYS: 1 dead events, 2 hash of the group. ARGV: 1 id. Returns 1, or 0 where it is not there any more. */
const drop: RedisScript = {
	name: 'queue.dropDead',
	lua: `#!lua flags=allow-oom
if redis.call('XDEL', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HINCRBY', KEYS[2], 'dead', -1)
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

	/** @param id Of one event, or `all`. Rejects with `OPTIONS_INVALID` for an event that is not there, and for an interaction. */
	retry(id: string, layout: QueueLayout): Promise<DeadEventsOutcome> {
		return this.#each(id, async ({ event, subjectId }) => {
			// Discord: Receiving and Responding, "Interaction Callback": a token is valid for 3 s before the first response.
			if (event.type === 'INTERACTION_CREATE') return 'too old';
			const shard = Number((BigInt(event.guildId ?? 0) >> 22n) % BigInt(layout.shards));
			const partition = partitionOf(shard, event.guildId ?? subjectId, layout);
			const names = [this.#keys.dead, this.#keys.group(event.group), this.#keys.record(shard), this.#keys.events(partition)];
			return (await this.#redis.script(retry, names, [event.id, partition, this.#keys.bell], { isRare: true })) === 1;
		});
	}

	/** @param id Of one event, or `all`. Rejects with `OPTIONS_INVALID` for an event that is not there. */
	drop(id: string): Promise<DeadEventsOutcome> {
		return this.#each(id, async ({ event }) => {
			const names = [this.#keys.dead, this.#keys.group(event.group)];
			return (await this.#redis.script(drop, names, [event.id], { isRare: true })) === 1;
		});
	}

	async #each(id: string, act: (dead: Dead) => Promise<boolean | 'too old'>): Promise<DeadEventsOutcome> {
		const outcome: DeadEventsOutcome = { count: 0, tooOld: 0 };
		if (id !== 'all') {
			const [dead] = /^\d+-\d+$/.test(id) ? await this.#page('XRANGE', id, id, 1) : [];
			if (!dead) throw new ShardctlError('OPTIONS_INVALID', `there is no dead event ${id}: "shardctl queue dead" lists them`);
			const done = await act(dead);
			if (done === 'too old') {
				throw new ShardctlError('OPTIONS_INVALID', `event ${id} is an interaction, which Discord accepts no response to by now`);
			}
			return { ...outcome, count: done ? 1 : 0 };
		}
		// What is given up meanwhile is not among them.
		const [last] = await this.#page('XREVRANGE', '+', '-', 1);
		for (let from = '-'; last; ) {
			const page = await this.#page('XRANGE', from, last.event.id, pageSize);
			if (page.length === 0) break;
			for (const dead of page) {
				const done = await act(dead);
				if (done === 'too old') outcome.tooOld++;
				else if (done) outcome.count++;
			}
			from = `(${page.at(-1)?.event.id}`;
		}
		return outcome;
	}

	async #page(command: 'XRANGE' | 'XREVRANGE', from: string, to: string, count: number): Promise<Dead[]> {
		const [entries] = (await this.#redis.batch([[command, this.#keys.dead, from, to, 'COUNT', count]])) as [[Buffer, Buffer[]][]];
		return entries.map(deadOf);
	}
}

interface Dead {
	readonly event: DeadEvent;
	/** What an event of no guild is about. */
	readonly subjectId: string | null;
}

function deadOf([id, flat]: [Buffer, Buffer[]]): Dead {
	const field = (name: string) => {
		const at = flat.findIndex((each, index) => index % 2 === 0 && each.toString() === name);
		return at < 0 ? '' : String(flat[at + 1]);
	};
	const guild = field('g');
	const event = {
		id: id.toString(),
		group: field('group'),
		reason: field('reason'),
		type: field('t'),
		guildId: guild === '' ? null : guild,
		key: `${field('sid')}:${field('s')}`,
		at: Number(id.toString().split('-')[0]),
	};
	return { event, subjectId: guild === '' ? subjectOf(field('d')) : null };
}

/** Any partition of shard 0 does for an event whose subject cannot be read. */
function subjectOf(text: string): string | null {
	const { channel_id: id } = JSON.parse(text) as { channel_id?: unknown };
	return typeof id === 'string' && /^\d{1,20}$/.test(id) ? id : null;
}
