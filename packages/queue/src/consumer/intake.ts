// The events of the partitions that a worker owns, from Redis to its handler and back: reads what is new, runs it in lanes, acknowledges what
// was handled. For a partition that is new here it first takes what its owners before had in hand.
//
//   partition:  claiming ──nothing left from before──▶ reading ──finish──▶ finishing        gone: from each
//                  ▲                                      │ a call has no answer: Redis may have given events that never arrived
//                  └──nothing in hand── recovering ◀──────┘
import type { RedisPort } from '@shardctl/cluster';
import { type Clock, type Deferred, deferred, shardIdForGuild } from '@shardctl/core';
import { groupScripts } from '../scripts/group-scripts.js';
import type { QueueKeys } from '../wire/keys.js';
import { partitionOf, type QueueLayout } from '../wire/partitions.js';
import { interactionEvent } from '../wire/subscription.js';
import { Acknowledgements } from './acknowledgements.js';
import type { Effects } from './effects.js';
import { addedAt, type Entry, entryOf } from './entry.js';
import { Lanes } from './lanes.js';
import type { PartitionOwner } from './membership.js';
import { DeliveredEvent, keyOf, type QueueEvent } from './queue-event.js';
import { reasonOf } from './reason.js';

export interface IntakeOptions {
	redis: RedisPort;
	keys: QueueKeys;
	layout: QueueLayout;
	group: string;
	member: string;
	concurrency: number;
	clock: Clock;
	effects: Effects;
	/** Whether the group has subscribed to a type. */
	wants(type: string): boolean;
	/** With which epoch the worker owns a partition and may act for it now. */
	epochOf(partition: number): number | undefined;
	/** The clock of Redis, as far as it is known. */
	redisNow(): number;
	handle(event: QueueEvent): Promise<void>;
	/** Something shows that a partition may be another worker's. */
	onFenced(): void;
	onFailed(error: unknown): void;
	/** Redis has removed events of a partition before they were handled. */
	onMissed(partition: number, count: number): void;
	/** An event was given up. */
	onDead(event: { key: string; type: string; reason: string }): void;
	/** A handler has not settled for so long; once for each event. */
	onUnsettled(event: UnsettledEvent, forMs: number): void;
}

/** An event whose handler has not settled. */
export interface UnsettledEvent {
	readonly key: string;
	readonly type: string;
	readonly guildId: string | null;
}

export interface IntakeCounters {
	handled: number;
	/** Events that were delivered again, here or by a worker before. */
	redelivered: number;
	/** Interactions that were too old to be answered. */
	expired: number;
	missed: number;
	dead: number;
}

interface Part {
	readonly partition: number;
	readonly epoch: number;
	state: 'claiming' | 'reading' | 'recovering' | 'finishing';
	/** Entries that were read and are neither handled nor dropped. */
	inHand: number;
	/** There may be new events. */
	hasNews: boolean;
	/** An entry could not begin while others were still claimed: they are claimed again from the first. */
	isDoubtful: boolean;
	/** Until then a handler waits for an event of it, by the monotonic clock. */
	awaitedUntilMs: number;
	/** Number of the last event that was read, here or by the owner before; undefined where none is known. */
	lastRead: number | undefined;
}

/** Entries that a worker has in hand: enough that Redis is not waited for. */
const inHandAtMost = 1024;
/** What may be read beyond that where a handler waits for an event of the partition: how many, and for how long from its request on. */
const awaited = { entries: 1024, ms: 30_000 };
const readAtMost = { partitions: 64, entries: 64 };
/** Deliveries of one event, to handlers that failed and to workers that ended. */
const deliveriesAtMost = 3;
const tryAgainMs = 100;
/** Discord waits 3 s for the first response to an interaction, and 15 minutes for what follows a deferred one. */
const interactionMs = { notDeferred: 2500, deferred: 890_000 };
/** The gateway process knows by then whether Discord has its deferred response. */
const outcomeWithinMs = 4000;
const outcomePollMs = 50;
const deadAtMost = 10_000;
/** A handler that takes longer is reported: the events of its guild wait for it. */
const unsettledMs = 60_000;

export class Intake implements PartitionOwner {
	readonly counters: IntakeCounters = { handled: 0, redelivered: 0, expired: 0, missed: 0, dead: 0 };
	readonly #options: IntakeOptions;
	readonly #scripts = groupScripts();
	readonly #parts = new Map<number, Part>();
	readonly #lanes: Lanes;
	readonly #acks: Acknowledgements;
	#inHand = 0;
	/** Entries that the calls under way may bring. */
	#asked = 0;
	#reading = false;
	/** Claims wait until there is room for more entries; they come before what is new. */
	#room: Deferred<void> | undefined;
	#claimsWaiting = 0;
	#isStopped = false;
	/** Called whenever an entry is no longer in hand. */
	readonly #checks = new Set<() => void>();
	/** Interactions that were not delivered, and not counted in Redis yet. */
	#newlyExpired = 0;
	/** What is with a handler, the longest first, and since when by the monotonic clock. */
	readonly #handling = new Map<Entry, number>();
	readonly #reported = new WeakSet<Entry>();

	constructor(options: IntakeOptions) {
		this.#options = options;
		this.#acks = new Acknowledgements({ ...options, onFenced: () => options.onFenced() });
		this.#lanes = new Lanes({
			concurrency: options.concurrency,
			gate: (entry) => this.#gate(entry),
			run: (entry) => this.#handle(entry),
			isAlone: isSuspect,
			onGone: (entry) => this.#gone(entry),
		});
	}

	/** Entries in hand, and how many of them are being handled. */
	get load(): { inHand: number; running: number } {
		return { inHand: this.#inHand, running: this.#lanes.running };
	}

	/** Whose handlers have not settled, the longest first. */
	get unsettled(): UnsettledEvent[] {
		return [...this.#handling.keys()].map(eventOf);
	}

	own(partition: number, epoch: number): void {
		const part: Part = {
			partition,
			epoch,
			state: 'claiming',
			inHand: 0,
			hasNews: true,
			isDoubtful: false,
			awaitedUntilMs: 0,
			lastRead: undefined,
		};
		this.#parts.set(partition, part);
		void this.#claim(part);
	}

	/** Drops what has not begun to run: the next owner gets it, in order. */
	async finish(partition: number): Promise<void> {
		const part = this.#parts.get(partition);
		if (!part) return;
		part.state = 'finishing';
		this.#lanes.drop((entry) => entry.partition === partition);
		await this.#untilEmpty(part);
	}

	/** Resolves when nothing of the partition is in hand and all is acknowledged, or it is not here any more. */
	async #untilEmpty(part: Part): Promise<void> {
		await new Promise<void>((resolve) => {
			const check = () => {
				const isEmpty = part.inHand === 0 && this.#acks.isSettled(part.partition);
				if (!isEmpty && this.#parts.get(part.partition) === part) return;
				unwatch();
				this.#checks.delete(check);
				resolve();
			};
			const unwatch = this.#acks.watch(check);
			this.#checks.add(check);
			check();
		});
	}

	/** Begins again behind what is acknowledged: what Redis counts as delivered may never have arrived. */
	async #recover(part: Part): Promise<void> {
		if (part.state !== 'reading') return;
		part.state = 'recovering';
		await this.#untilEmpty(part);
		if (part.state !== 'recovering' || this.#parts.get(part.partition) !== part) return;
		part.state = 'claiming';
		await this.#claim(part);
	}

	/** An entry was not delivered, and stays unacknowledged: nothing behind it may run before it is claimed again. */
	#redo({ partition, epoch }: Entry): void {
		const part = this.#parts.get(partition);
		if (part?.epoch !== epoch) return;
		if (part.state === 'claiming') part.isDoubtful = true;
		this.#lanes.drop((entry) => entry.partition === partition);
		void this.#recover(part);
	}

	disown(partition: number): void {
		this.#parts.delete(partition);
		this.#lanes.drop((entry) => entry.partition === partition);
		this.#acks.forget(partition);
		for (const check of this.#checks) check();
	}

	confirmed(): void {
		this.#lanes.resume();
		this.#countExpired();
		this.#reportUnsettled();
		// What a lost message would have said.
		for (const part of this.#parts.values()) part.hasNews = true;
		void this.#read();
	}

	/** These partitions have new events. */
	ring(partitions: Iterable<number>): void {
		let isOwn = false;
		for (const partition of partitions) {
			const part = this.#parts.get(partition);
			if (!part) continue;
			part.hasNews = true;
			isOwn = true;
		}
		if (isOwn) void this.#read();
	}

	/** A handler has asked for what arrives as an event of the guild: its partition is read although enough is in hand. */
	expect(guildId: string): void {
		const { layout, clock } = this.#options;
		const part = this.#parts.get(partitionOf(shardIdForGuild(guildId, layout.shards), guildId, layout));
		if (!part) return;
		part.awaitedUntilMs = clock.monotonic() + awaited.ms;
		this.#makeRoom();
	}

	/** Begins nothing any more. */
	stop(): void {
		this.#isStopped = true;
		this.#lanes.drop(() => true);
	}

	#gate({ partition, epoch }: Entry): 'run' | 'wait' | 'drop' {
		if (this.#isStopped || this.#parts.get(partition)?.epoch !== epoch) return 'drop';
		return this.#options.epochOf(partition) === epoch ? 'run' : 'wait';
	}

	/** What the owners before had in hand, in order, before anything that is new. */
	async #claim(part: Part): Promise<void> {
		const { redis, keys, group, member, onFailed, onFenced } = this.#options;
		const { partition, epoch } = part;
		const isOwn = () => this.#parts.get(partition) === part && part.state === 'claiming' && !this.#isStopped;
		for (let from = '-'; isOwn(); ) {
			if (part.isDoubtful) {
				await this.#untilEmpty(part);
				part.isDoubtful = false;
				from = '-';
				continue;
			}
			const asked = await this.#untilRoom(part);
			try {
				const answer = (await redis.script(
					this.#scripts.claimPending,
					[keys.group(group), keys.events(partition)],
					[group, member, readAtMost.entries, partition, epoch, from],
				)) as ['FENCED'] | ['OK', number, [string, string[]][], (string | number)[], string?];
				if (!isOwn()) return;
				if (answer[0] === 'FENCED') {
					// Until a turn says whose it is: also a Redis that lost its data may confirm it.
					onFenced();
					await this.#pause();
					continue;
				}
				const [, missed, entries, deliveries, lastRead] = answer;
				this.#noteMissed(partition, missed);
				part.lastRead ??= lastRead == null ? undefined : Number(lastRead);
				const last = numberOf(entries.at(-1));
				if (last !== undefined) part.lastRead = Math.max(part.lastRead ?? 0, last);
				if (part.isDoubtful) continue;
				if (deliveries.length === 0) break;
				const counts = new Map(
					Array.from({ length: deliveries.length / 2 }, (_, i) => [deliveries[2 * i], Number(deliveries[2 * i + 1])]),
				);
				for (const entry of entries)
					this.#take(part, entryOf(entry, { partition, epoch, deliveries: counts.get(entry[0]) ?? 1 }));
				from = String(deliveries.at(-2));
			} catch (error) {
				onFailed(error);
				await this.#pause();
			} finally {
				this.#asked -= asked;
				this.#makeRoom();
			}
		}
		if (!isOwn()) return;
		part.state = 'reading';
		void this.#read();
	}

	#pause(ms = tryAgainMs): Promise<void> {
		return new Promise((resolve) => this.#options.clock.setTimeout(resolve, ms));
	}

	/** Reads until nothing is new, or enough is in hand. One call at a time, so that the entries of a partition arrive in order. */
	async #read(): Promise<void> {
		if (this.#reading) return;
		this.#reading = true;
		try {
			for (;;) {
				const parts: Part[] = [];
				let room = Number.POSITIVE_INFINITY;
				for (const part of this.#parts.values()) {
					if (part.state !== 'reading' || !part.hasNews || this.#options.epochOf(part.partition) !== part.epoch) continue;
					const roomOfIt = this.#roomFor(part);
					if (roomOfIt === 0 || (this.#claimsWaiting > 0 && !this.#isAwaited(part))) continue;
					room = Math.min(room, roomOfIt);
					parts.push(part);
					if (parts.length === readAtMost.partitions) break;
				}
				if (parts.length === 0 || this.#isStopped) return;
				await this.#readFrom(parts, Math.max(1, Math.min(readAtMost.entries, Math.floor(room / parts.length))));
			}
		} catch (error) {
			this.#options.onFailed(error);
		} finally {
			this.#reading = false;
		}
	}

	async #readFrom(parts: readonly Part[], count: number): Promise<void> {
		const { redis, keys, group, member, onFenced } = this.#options;
		for (const part of parts) {
			part.hasNews = false;
			// The others are next, also where these have more.
			this.#parts.delete(part.partition);
			this.#parts.set(part.partition, part);
		}
		const asked = count * parts.length;
		this.#asked += asked;
		let answers: (['FENCED'] | ['OK', number, [string, string[]][]])[];
		try {
			answers = (await redis.script(
				this.#scripts.read,
				[keys.group(group), ...parts.map(({ partition }) => keys.events(partition))],
				[
					group,
					member,
					count,
					...parts.flatMap(({ partition, epoch }) => [partition, epoch]),
					...parts.map(({ lastRead }) => lastRead ?? ''),
				],
			)) as typeof answers;
		} catch (error) {
			for (const part of parts) void this.#recover(part);
			throw error;
		} finally {
			this.#asked -= asked;
			this.#wakeClaims();
		}
		for (const [index, answer] of answers.entries()) {
			const part = parts[index] as Part;
			if (answer[0] === 'FENCED') {
				onFenced();
				continue;
			}
			const [, missed, entries] = answer;
			const { partition, epoch } = part;
			this.#noteMissed(partition, missed);
			// Smaller than the one before where Redis has lost its data, and nothing knows the numbers.
			part.lastRead = numberOf(entries.at(-1)) ?? part.lastRead;
			if (entries.length === count) part.hasNews = true;
			// Not here any more, or on its way out: the next owner gets them.
			if (this.#parts.get(partition) !== part || part.state !== 'reading') continue;
			for (const entry of entries) this.#take(part, entryOf(entry, { partition, epoch, deliveries: 0 }));
		}
	}

	#take(part: Part, entry: Entry): void {
		const { wants, group } = this.#options;
		if (!wants(entry.type) || (entry.only !== null && entry.only !== group)) {
			this.#acks.add(entry);
			return;
		}
		part.inHand++;
		this.#inHand++;
		this.#lanes.push(entry);
	}

	#gone(entry: Entry): void {
		this.#inHand--;
		const part = this.#parts.get(entry.partition);
		if (part?.epoch === entry.epoch) part.inHand--;
		for (const check of this.#checks) check();
		if (inHandAtMost - this.#inHand - this.#asked >= inHandAtMost / 2) this.#makeRoom();
	}

	#makeRoom(): void {
		this.#wakeClaims();
		void this.#read();
	}

	#wakeClaims(): void {
		this.#room?.resolve();
		this.#room = undefined;
	}

	/** How many entries of a partition may be asked for now. */
	#roomFor(part: Part): number {
		const room = inHandAtMost - this.#inHand - this.#asked;
		if (room >= inHandAtMost / 2) return room;
		return this.#isAwaited(part) ? Math.max(0, room + awaited.entries) : 0;
	}

	#isAwaited(part: Part): boolean {
		return part.awaitedUntilMs > this.#options.clock.monotonic();
	}

	/** Resolves with how many entries are asked for; they count until the caller takes them off. */
	async #untilRoom(part: Part): Promise<number> {
		this.#claimsWaiting++;
		while (this.#roomFor(part) === 0) {
			this.#room ??= deferred();
			await this.#room.promise;
		}
		this.#claimsWaiting--;
		this.#asked += readAtMost.entries;
		return readAtMost.entries;
	}

	async #handle(entry: Entry): Promise<void> {
		const { layout, handle, effects, clock } = this.#options;
		const deferred = entry.isDeferred && (await this.#outcomeOf(entry));
		if (deferred === undefined || this.#isExpired(entry, deferred)) return;
		if (entry.deliveries >= deliveriesAtMost)
			return this.#bury(entry, `its worker ended while it was handled, ${entry.deliveries} times`);
		if (isSuspect(entry)) {
			// Where the worker ends now, nothing else may look as if it had ended with it.
			await this.#acks.allSettled();
			if (this.#gate(entry) === 'drop') return;
		}
		for (let attempt = entry.deliveries + 1; ; attempt++) {
			if (attempt > 1 && !(await this.#begin(entry, attempt))) return;
			try {
				this.#handling.set(entry, clock.monotonic());
				await handle(new DeliveredEvent(entry, { layout, attempt, deferred, effects }));
				this.counters.handled++;
				this.#acks.add(entry);
				return;
			} catch (error) {
				if (attempt >= deliveriesAtMost) return this.#bury(entry, reasonOf(error));
				await this.#pause(tryAgainMs * 4 ** (attempt - 1));
				if (this.#gate(entry) === 'drop') return;
			} finally {
				this.#handling.delete(entry);
			}
		}
	}

	/**
	 * Whether Discord has the deferred response of the gateway process: a message that a handler sends before it would fail. Where that is not known
	 * after a while, the gateway process may have ended between the response and its note, so it is taken for deferred. Undefined where the event is
	 * not this worker's any more, or Redis does not answer: it stays unacknowledged then.
	 */
	async #outcomeOf(entry: Entry): Promise<boolean | undefined> {
		const { redis, keys, redisNow, onFailed } = this.#options;
		try {
			for (;;) {
				const [known] = (await redis.batch([['GET', keys.deferred(keyOf(entry))]])) as [Buffer | null];
				if (this.#gate(entry) === 'drop') return undefined;
				if (known) return known.toString() === 'yes';
				if (redisNow() - addedAt(entry) > outcomeWithinMs) return true;
				await this.#pause(outcomePollMs);
			}
		} catch (error) {
			onFailed(error);
			this.#redo(entry);
			return undefined;
		}
	}

	/** Acknowledges an interaction to which Discord accepts nothing any more. */
	#isExpired(entry: Entry, deferred: boolean): boolean {
		const limitMs = deferred ? interactionMs.deferred : interactionMs.notDeferred;
		if (entry.type !== interactionEvent || this.#options.redisNow() - addedAt(entry) <= limitMs) return false;
		this.counters.expired++;
		this.#newlyExpired++;
		this.#acks.add(entry);
		return true;
	}

	/** The event is delivered again. Resolves with whether it may be; where Redis does not say so, it stays unacknowledged. */
	async #begin(entry: Entry, attempt: number): Promise<boolean> {
		const { redis, keys, group, member, onFenced, onFailed } = this.#options;
		const { partition, epoch, id } = entry;
		try {
			const names = [keys.group(group), keys.events(partition)];
			const begun = await redis.script(this.#scripts.begin, names, [group, member, partition, epoch, id, attempt]);
			if (begun === 1) {
				this.counters.redelivered++;
				return true;
			}
			onFenced();
		} catch (error) {
			onFailed(error);
		}
		this.#redo(entry);
		return false;
	}

	/** The event is kept for a person, and acknowledged. Where Redis does not answer it stays unacknowledged, and is delivered again. */
	async #bury(entry: Entry, reason: string): Promise<void> {
		const { redis, keys, group, member, onDead, onFailed, onFenced } = this.#options;
		const { partition, epoch, id, type, session, seq, guildId, data } = entry;
		const fields = { group, reason, t: type, s: seq, sid: session, g: guildId ?? '', d: data };
		try {
			const buried = await redis.script(
				this.#scripts.bury,
				[keys.group(group), keys.events(partition), keys.dead],
				[group, member, partition, epoch, id, deadAtMost, ...Object.entries(fields).flat()],
			);
			if (buried === 1) {
				this.counters.dead++;
				onDead({ key: keyOf(entry), type, reason });
				return;
			}
			onFenced();
		} catch (error) {
			onFailed(error);
		}
		this.#redo(entry);
	}

	#reportUnsettled(): void {
		const { clock, onUnsettled } = this.#options;
		for (const [entry, since] of this.#handling) {
			const forMs = clock.monotonic() - since;
			if (forMs < unsettledMs) return;
			if (this.#reported.has(entry)) continue;
			this.#reported.add(entry);
			onUnsettled(eventOf(entry), forMs);
		}
	}

	#countExpired(): void {
		const { redis, keys, group } = this.#options;
		const count = this.#newlyExpired;
		if (count === 0) return;
		this.#newlyExpired = 0;
		redis.batch([['HINCRBY', keys.group(group), 'expired', count]]).catch(() => {
			this.#newlyExpired += count;
		});
	}

	#noteMissed(partition: number, count: number): void {
		if (count === 0) return;
		this.counters.missed += count;
		this.#options.onMissed(partition, count);
	}
}

/** The number of an entry in its partition. */
function numberOf(entry: readonly [string, readonly string[]] | undefined): number | undefined {
	return entry && Number.parseInt(entry[1][1] as string, 10);
}

function eventOf(entry: Entry): UnsettledEvent {
	return { key: keyOf(entry), type: entry.type, guildId: entry.guildId };
}

/** Two workers have ended with it: if the third one does, it was this event. */
function isSuspect({ deliveries }: Entry): boolean {
	return deliveries === deliveriesAtMost - 1;
}
