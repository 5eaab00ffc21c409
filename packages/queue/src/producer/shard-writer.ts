// Writes the events of one shard into its streams: in order, each once, several in one script. What is not in the streams yet is sent again
// until it is; the scripts drop what arrived before. Which events are written, and how many may wait, is not decided here.
//
//   claiming ──OK──▶ writing ──a script has no answer──▶ pausing ──▶ writing      fenced: from each, for good
//      ▲                └──Redis has lost the record, or events──▶ claiming
//      └──no answer: after a pause

import type { RedisPort } from '@shardctl/cluster';
import { type Clock, messageOf, ShardctlError, type Timer } from '@shardctl/core';
import { groupScripts } from '../scripts/group-scripts.js';
import { producerScripts } from '../scripts/producer-scripts.js';
import { deferredWord } from '../wire/deferred-word.js';
import type { QueueKeys } from '../wire/keys.js';
import { layoutMismatch } from '../wire/layout-mismatch.js';
import { partitionCount, partitionOf, type QueueLayout } from '../wire/partitions.js';

/** An event as it was received. */
export interface QueuedEvent {
	/** By which the caller knows it; only grows. */
	readonly position: number;
	/** The id of the session with Discord, and the number of the event in it. */
	readonly session: string;
	readonly seq: number;
	readonly type: string;
	readonly guildId: string | null;
	/** What an event without a guild is about. */
	readonly subjectId: string | null;
	/** An interaction that gets a deferred response; workers wait for its outcome. */
	readonly isDeferred?: boolean;
	readonly sizeBytes: number;
	/** Its data as JSON. */
	data(): string;
}

export interface ShardWriterOptions {
	redis: RedisPort;
	keys: QueueKeys;
	layout: QueueLayout;
	shard: number;
	clock: Clock;
	/** In a cluster the epoch of the session's owner; undefined where this process is the only one. */
	epoch?(): number | undefined;
	/** What all partitions together keep. */
	keep: { bytes: number; ageMs: number };
	/** Everything up to this position is in the streams. */
	onWritten(position: number): void;
	/** It accepts events, or does so no longer. */
	onChange(): void;
	/** Called once for a series of failures. */
	onFailed(error: ShardctlError): void;
	onRecovered(failedForMs: number): void;
	/** Redis has lost events that it had confirmed; undefined: all that it had. Groups count them as missed. */
	onLost?(events: number | undefined): void;
}

type State = 'claiming' | 'writing' | 'pausing' | 'fenced' | 'closed';

export interface WriterCounters {
	/** Events that are in the streams by this process. */
	written: number;
	/** Events that were in the streams already: Discord had sent them again. */
	repeated: number;
	/** How often Redis had lost events that it had confirmed. */
	gaps: number;
}

/** Why events wait, and since when (epoch ms). */
export interface WriterFailure {
	readonly since: number;
	readonly error: string;
}

const batch = { events: 64, bytes: 256 * 1024, inFlight: 4 };
const retryMs = { first: 50, most: 1000 };
const trimEveryMs = 30_000;
/** More than a shard has guilds. */
const partitionsKnown = 10_000;

export class ShardWriter {
	readonly counters: WriterCounters = { written: 0, repeated: 0, gaps: 0 };
	readonly #options: ShardWriterOptions;
	readonly #scripts = producerScripts();
	#state: State = 'claiming';
	#epoch = '0';
	/** Events that no script under way has, in order. */
	#waiting: QueuedEvent[] = [];
	/** The events of each script that is under way, in order. */
	readonly #inFlight = new Set<readonly QueuedEvent[]>();
	/** Events of scripts that failed. */
	#returned: QueuedEvent[] = [];
	/** The event that the next script follows; undefined where it may follow any. */
	#sent: QueuedEvent | undefined;
	#failedSince: number | undefined;
	#failure: WriterFailure | undefined;
	#delayMs = retryMs.first;
	#timer: Timer | undefined;
	#trimTimer: Timer | undefined;
	#immediate: NodeJS.Immediate | undefined;
	#averageBytes = 1000;
	/** Of guilds and subjects: each is a division of large integers. */
	readonly #partitions = new Map<string, number>();
	/** How many events Redis has confirmed of each partition. */
	readonly #confirmed = new Map<number, number>();
	#isMakingRoom = false;
	#forgottenThrough = Number.NEGATIVE_INFINITY;

	constructor(options: ShardWriterOptions) {
		this.#options = options;
	}

	/** Whether events that are pushed are written as soon as possible. */
	get accepting(): boolean {
		return this.#state === 'writing' || this.#state === 'pausing';
	}

	get state(): State {
		return this.#state;
	}

	/** Why events are not written now; undefined where they are. */
	get failure(): WriterFailure | undefined {
		return this.#failure;
	}

	/** Becomes the writer of the shard, and tries again until it is. */
	start(): void {
		void this.#claim();
		this.#trim();
	}

	/** The epoch is another: the owner is the same. */
	claimAgain(): void {
		if (this.#state === 'closed' || this.#state === 'claiming') return;
		this.#enter('claiming');
		void this.#claim();
	}

	push(event: QueuedEvent): void {
		this.#waiting.push(event);
		this.#averageBytes += (event.sizeBytes - this.#averageBytes) / 64;
		// All events of a turn of the event loop go in one script.
		this.#immediate ??= setImmediate(() => this.flush());
	}

	/** Events through this position are not to be written any more, but for those that scripts under way have. */
	forget(through: number): void {
		this.#forgottenThrough = through;
		const kept = this.#waiting.findIndex(({ position }) => position > through);
		this.#waiting.splice(0, kept < 0 ? this.#waiting.length : kept);
		this.#returned = this.#returned.filter(({ position }) => position > through);
	}

	/** Sends what waits without waiting for more. */
	flush(): void {
		clearImmediate(this.#immediate);
		this.#immediate = undefined;
		this.#send();
	}

	/** Forgets what is not written: the caller gives it to another process, or again to this one. */
	stop(): void {
		const { clock } = this.#options;
		this.#enter('closed');
		clock.clearTimeout(this.#timer);
		clock.clearTimeout(this.#trimTimer);
		clearImmediate(this.#immediate);
		this.#waiting = [];
	}

	async #claim(): Promise<void> {
		const { redis, keys, layout, shard, epoch } = this.#options;
		const wanted = epoch ? epoch() : 0;
		if (wanted === undefined) return this.#later(() => void this.#claim());
		try {
			const answer = (await redis.script(
				this.#scripts.claim,
				[keys.record(shard), keys.meta],
				[this.#epoch === '0' || epoch ? wanted : this.#epoch, layout.shards, layout.perShard, ...[...this.#confirmed].flat()],
			)) as string[];
			if (this.#state !== 'claiming') return;
			const [kind, number = '0'] = answer;
			if (kind === 'LAYOUT') {
				throw layoutMismatch(keys, layout, { shards: Number(answer[1]), perShard: Number(answer[2]) });
			}
			if (kind === 'FENCED') return this.#fence(number);
			const lost = Number(answer[4] ?? 0);
			if (this.#epoch !== '0' && lost !== 0) this.#options.onLost?.(lost < 0 ? undefined : lost);
			this.#epoch = number;
			this.#publishScripts();
			this.#enter('writing');
			this.#recovered();
			this.#rewind();
		} catch (error) {
			if (this.#state !== 'claiming') return;
			this.#failed(error);
			this.#later(() => void this.#claim());
		}
	}

	/** For workers in other languages; those of this library have their own. */
	#publishScripts(): void {
		const { redis, keys } = this.#options;
		const texts = Object.entries(groupScripts()).flatMap(([name, { lua }]) => [name, lua]);
		redis.batch([['HSET', keys.scripts, ...texts]]).catch(() => {});
	}

	#send(): void {
		while (this.#mayWrite && this.#inFlight.size < batch.inFlight && this.#waiting.length > 0) void this.#append(this.#next());
	}

	/** Nothing overtakes what is to be sent again. */
	get #mayWrite(): boolean {
		return this.#state === 'writing' && this.#returned.length === 0;
	}

	/** The events of the next script: of one session. */
	#next(): QueuedEvent[] {
		const [first] = this.#waiting as [QueuedEvent];
		let count = 0;
		for (let bytes = 0; count < batch.events && bytes < batch.bytes; count++) {
			const event = this.#waiting[count];
			if (event?.session !== first.session) break;
			bytes += event.sizeBytes;
		}
		return this.#waiting.splice(0, count);
	}

	async #append(events: readonly QueuedEvent[]): Promise<void> {
		const { redis, keys, shard } = this.#options;
		const [first, last] = [events[0] as QueuedEvent, events.at(-1) as QueuedEvent];
		const follows = this.#sent?.session === first.session ? this.#sent.seq : 0;
		this.#sent = last;
		this.#inFlight.add(events);
		const streams = new Map<number, number>();
		const args: (string | number)[] = [this.#epoch, first.session, follows, this.#keepEach, keys.bell];
		for (const event of events) {
			const partition = this.#partitionOf(event.guildId ?? event.subjectId);
			let stream = streams.get(partition);
			if (stream === undefined) {
				stream = streams.size + 1;
				streams.set(partition, stream);
			}
			args.push(stream, event.seq, aboutOf(event), event.data());
		}
		const partitions = [...streams.keys()];
		const names = [keys.record(shard), ...partitions.map((partition) => keys.events(partition))];
		let answer: [kind: string, last: string, isNew: number, had: number[]] | undefined;
		try {
			answer = (await redis.script(this.#scripts.append, names, args)) as typeof answer;
		} catch (error) {
			this.#failed(error);
		}
		for (const [at, had] of (answer?.[3] ?? []).entries()) if (had > 0) this.#confirmed.set(partitions[at] as number, had);
		// A script before it has failed: this one was refused, or will be sent again and dropped by Redis.
		const isNext = this.#inFlight.values().next().value === events;
		if (answer?.[0] === 'OK' && isNext && this.#mayWrite) {
			this.#inFlight.delete(events);
			this.counters.written += answer[2];
			this.counters.repeated += events.length - answer[2];
			this.#recovered();
			this.#options.onWritten(last.position);
			this.#send();
			return;
		}
		this.#inFlight.delete(events);
		if (this.#state === 'closed') return;
		this.#returned.push(...events.filter(({ position }) => position > this.#forgottenThrough));
		if (answer?.[0] === 'FENCED') this.#refused(answer[1]);
		else if (this.#state === 'writing') {
			if (answer?.[0] === 'GAP') {
				this.counters.gaps++;
				this.claimAgain();
			} else this.#enter('pausing');
		}
		if (this.#inFlight.size > 0) return;
		if (this.#state === 'pausing') this.#later(() => this.#resume());
		else if (this.#state === 'writing') this.#rewind();
	}

	#partitionOf(id: string | null): number {
		const { layout, shard } = this.#options;
		if (id === null) return partitionOf(shard, id, layout);
		let partition = this.#partitions.get(id);
		if (partition === undefined) {
			if (this.#partitions.size >= partitionsKnown) this.#partitions.clear();
			partition = partitionOf(shard, id, layout);
			this.#partitions.set(id, partition);
		}
		return partition;
	}

	/** Everything that no script has written is sent again, once none is under way. */
	#rewind(): void {
		if (this.#inFlight.size > 0) return;
		this.#waiting = [...this.#returned.sort((a, b) => a.position - b.position), ...this.#waiting];
		this.#returned = [];
		this.#sent = undefined;
		this.#send();
	}

	#resume(): void {
		if (this.#state !== 'pausing') return;
		this.#enter('writing');
		this.#rewind();
	}

	/** Redis has no record, as after a restart without its data, or another process writes. */
	#refused(epoch: string): void {
		if (this.#state === 'claiming' || this.#state === 'closed') return;
		if (epoch !== '0' && Number(epoch) > Number(this.#epoch)) {
			this.#fence(epoch);
			return;
		}
		this.#enter('claiming');
		void this.#claim();
	}

	#fence(epoch: string): void {
		const { shard, clock, epoch: leased } = this.#options;
		this.#enter('fenced');
		const message = `another process writes the events of shard ${shard} (epoch ${epoch}); this one writes no more`;
		// In a cluster another node has the session: nothing waits here.
		if (!leased) this.#failure = { since: clock.now(), error: message };
		this.#options.onFailed(new ShardctlError('FENCED', message, { details: { isLeased: leased !== undefined } }));
	}

	#later(work: () => void): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#timer);
		this.#timer = clock.setTimeout(work, this.#delayMs);
		this.#delayMs = Math.min(2 * this.#delayMs, retryMs.most);
	}

	#failed(error: unknown): void {
		if (this.#state === 'closed' || this.#state === 'fenced') return;
		const { clock, onFailed } = this.#options;
		// The reason may be another one than at first.
		this.#failure = { since: this.#failure?.since ?? clock.now(), error: messageOf(error) };
		if (ShardctlError.is(error) && error.details.reply === 'OOM') void this.#makeRoom();
		if (this.#failedSince !== undefined) return;
		this.#failedSince = clock.monotonic();
		onFailed(ShardctlError.is(error) ? error : new ShardctlError('INTERNAL', messageOf(error), { cause: error }));
	}

	/** New events are of more use than those that every group has handled. */
	async #makeRoom(): Promise<void> {
		if (this.#isMakingRoom) return;
		this.#isMakingRoom = true;
		try {
			await this.#options.redis.script(this.#scripts.removeHandled, this.#streams, []);
		} catch {
			// The next try is soon.
		} finally {
			this.#isMakingRoom = false;
		}
	}

	get #streams(): string[] {
		const { keys, layout, shard } = this.#options;
		return Array.from({ length: layout.perShard }, (_, n) => keys.events(shard * layout.perShard + n));
	}

	#recovered(): void {
		this.#delayMs = retryMs.first;
		this.#failure = undefined;
		if (this.#failedSince === undefined) return;
		const failedForMs = this.#options.clock.monotonic() - this.#failedSince;
		this.#failedSince = undefined;
		this.#options.onRecovered(failedForMs);
	}

	#enter(state: State): void {
		const before = this.accepting;
		this.#state = state;
		if (this.accepting !== before) this.#options.onChange();
	}

	/** Events that one stream keeps. */
	get #keepEach(): number {
		const { keep, layout } = this.#options;
		return Math.max(100, Math.floor(keep.bytes / partitionCount(layout) / Math.max(1, this.#averageBytes)));
	}

	#trim(): void {
		const { redis, keep, clock } = this.#options;
		this.#trimTimer = clock.setTimeout(() => {
			// The next try is soon.
			redis.script(this.#scripts.trim, this.#streams, [keep.ageMs]).catch(() => {});
			this.#trim();
		}, trimEveryMs);
	}
}

/** What an entry says of an event behind its number: words, of which the last ones may be missing. */
function aboutOf({ type, seq, session, guildId, isDeferred }: QueuedEvent): string {
	if (isDeferred) return `${type} ${seq} ${session} ${guildId ?? ''} ${deferredWord}`;
	return guildId === null ? `${type} ${seq} ${session}` : `${type} ${seq} ${session} ${guildId}`;
}
