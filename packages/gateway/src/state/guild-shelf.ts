// In which form a shard's guilds are kept: away (in outage, or not sent yet), open as objects, or frozen as compressed JSON. Opens them when
// an event needs them, and freezes those untouched for a while, the longest untouched first.
import { FrozenGuild } from './frozen-guild.js';
import { GuildRecord } from './guild-record.js';
import { userHash } from './user-ids.js';

export interface ShelfLimits {
	/** A guild without an event for this long is frozen. */
	coldAfterMs: number;
	/** The most guilds that may be open; beyond it the longest untouched are frozen even if they are not cold. */
	maxOpen: number;
	/** The most that are frozen in one call, so that events are not delayed. */
	freezeAtOnce: number;
}

export const defaultShelfLimits: ShelfLimits = { coldAfterMs: 300_000, maxOpen: 500, freezeAtOnce: 1 };

interface Slot {
	readonly id: string;
	content: GuildRecord | FrozenGuild | undefined;
	touchedAt: number;
}

export class GuildShelf {
	readonly #limits: ShelfLimits;
	/** In the order in which Discord sent the guilds: what a later one says about a user is newer. */
	readonly #slots = new Map<string, Slot>();
	/** Those that are open, the longest untouched first. */
	readonly #open = new Map<string, Slot>();
	/** Hashes of users of whom there may be a copy. Grows; rebuilt when it has grown to twice what it was. */
	#users = new Set<number>();
	#usersRebuiltAt = 10_000;
	#now = Number.NEGATIVE_INFINITY;

	constructor(limits: ShelfLimits) {
		this.#limits = limits;
	}

	get size(): number {
		return this.#slots.size;
	}

	get openCount(): number {
		return this.#open.size;
	}

	/** Sum of the guilds' member counts. Of those that have to be opened for it, so many are at a time; the others count from a later call on. */
	memberCount({ openAtMost }: { openAtMost: number }): number {
		let [sum, left] = [0, openAtMost];
		for (const { content } of this.#slots.values()) {
			if (!(content instanceof FrozenGuild)) sum += content?.memberCount ?? 0;
			else if (content.memberCount !== undefined) sum += content.memberCount;
			else if (left-- > 0) sum += content.readMemberCount();
		}
		return sum;
	}

	ids(): IterableIterator<string> {
		return this.#slots.keys();
	}

	has(id: string): boolean {
		return this.#slots.has(id);
	}

	/** Each guild in its present form, undefined for one that is away. */
	*entries(): Generator<[string, GuildRecord | FrozenGuild | undefined]> {
		for (const [id, slot] of this.#slots) yield [id, slot.content];
	}

	/** Puts a guild in place. It moves to the end of the order: nothing known is newer. */
	put(id: string, content: GuildRecord | FrozenGuild): void {
		this.delete(id);
		// Not counted as touched: after a start all guilds are new, and most of them will be quiet.
		const slot: Slot = { id, content, touchedAt: Number.NEGATIVE_INFINITY };
		this.#slots.set(id, slot);
		if (content instanceof GuildRecord) {
			this.#open.set(id, slot);
			for (const user of content.userIds()) this.#users.add(userHash(user));
		} else {
			for (const hash of content.users) this.#users.add(hash);
		}
	}

	/** The guild is away: its id stays, what was known of it goes. */
	setAway(id: string): void {
		this.#open.delete(id);
		const slot = this.#slots.get(id);
		if (slot) slot.content = undefined;
		else this.#slots.set(id, { id, content: undefined, touchedAt: this.#now });
	}

	delete(id: string): void {
		this.#slots.delete(id);
		this.#open.delete(id);
	}

	/** The guild, open for change; undefined when it is away or unknown. */
	open(id: string): GuildRecord | undefined {
		const slot = this.#slots.get(id);
		return slot && this.#openSlot(slot);
	}

	#openSlot(slot: Slot): GuildRecord | undefined {
		if (slot.content === undefined) return undefined;
		if (slot.content instanceof FrozenGuild) slot.content = slot.content.thaw();
		else if (slot.touchedAt === this.#now) return slot.content;
		slot.touchedAt = this.#now;
		this.#open.delete(slot.id);
		this.#open.set(slot.id, slot);
		return slot.content;
	}

	/** Says that there is a copy of a user from now on. */
	noteUser(id: string): void {
		this.#users.add(userHash(id));
	}

	/** The open record of every guild that may hold a copy of the user, the newest last. */
	*withUser(id: string): Generator<GuildRecord> {
		const hash = userHash(id);
		if (!this.#users.has(hash)) return;
		for (const slot of this.#slots.values()) {
			if (slot.content instanceof GuildRecord) yield slot.content;
			else if (slot.content?.mayHoldUser(hash)) {
				const guild = this.#openSlot(slot);
				if (guild) yield guild;
			}
		}
	}

	/**
	 * Freezes what is cold or too much, a limited number of guilds a call.
	 * @param beforeFreeze may drop what has grown old
	 * @returns how many it froze
	 */
	freeze(now: number, beforeFreeze: (guild: GuildRecord) => void): number {
		this.#now = now;
		let frozen = 0;
		for (const slot of this.#open.values()) {
			if (frozen === this.#limits.freezeAtOnce) break;
			const isCold = now - slot.touchedAt >= this.#limits.coldAfterMs;
			if (!isCold && this.#open.size <= this.#limits.maxOpen) break;
			if (slot.content instanceof GuildRecord) {
				beforeFreeze(slot.content);
				slot.content = FrozenGuild.of(slot.content, 'deflate');
				frozen++;
			}
			this.#open.delete(slot.id);
		}
		if (this.#users.size > 2 * this.#usersRebuiltAt) this.#rebuildUsers();
		return frozen;
	}

	#rebuildUsers(): void {
		this.#users = new Set();
		for (const { content } of this.#slots.values()) {
			if (content instanceof GuildRecord) for (const id of content.userIds()) this.#users.add(userHash(id));
			else for (const hash of content?.users ?? []) this.#users.add(hash);
		}
		this.#usersRebuiltAt = Math.max(10_000, this.#users.size);
	}

	/** About how much memory all of it takes. */
	get bytes(): number {
		let bytes = this.#users.size * 24;
		for (const { content } of this.#slots.values()) bytes += 160 + (content?.bytes ?? 0);
		return bytes;
	}
}
