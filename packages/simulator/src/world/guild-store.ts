// Which guilds the bot is in. A guild of the seed is built when it is read and forgotten again when it was not
// looked at for a while; one that was changed is kept. So 50,000 guilds cost what the changed ones cost.
import type { Guild } from './guild.js';
import type { GuildPlan } from './guild-plan.js';
import { snowflakeTime } from './snowflake.js';

const maxUnchanged = 512;

export class GuildStore {
	readonly #plan: GuildPlan;
	/** Guilds 0 to this of the seed are there, without those of `#removed`. */
	#seeded: number;
	readonly #removed = new Set<number>();
	readonly #changed = new Map<string, Guild>();
	/** In the order of their last use. */
	readonly #unchanged = new Map<string, Guild>();
	/** Guilds that are not of the seed. */
	readonly #added = new Set<string>();

	constructor(plan: GuildPlan, count: number) {
		this.#plan = plan;
		this.#seeded = count;
	}

	get count(): number {
		return this.#seeded - this.#removed.size + this.#added.size;
	}

	has(id: string): boolean {
		return this.#added.has(id) || this.#seedIndex(id) !== undefined;
	}

	/** The guild, for reading; to change it, take it from {@link edit}. */
	read(id: string): Guild | undefined {
		const changed = this.#changed.get(id);
		if (changed) return changed;
		const index = this.#seedIndex(id);
		if (index === undefined) return undefined;
		const guild = this.#unchanged.get(id) ?? this.#plan.build(index);
		this.#unchanged.delete(id);
		this.#unchanged.set(id, guild);
		if (this.#unchanged.size > maxUnchanged) {
			const [oldest] = this.#unchanged.keys();
			if (oldest) this.#unchanged.delete(oldest);
		}
		return guild;
	}

	/** How to build this guild again as it is now, whatever becomes of it; undefined for one that was changed. */
	recipe(id: string): (() => Guild) | undefined {
		const index = this.#changed.has(id) ? undefined : this.#seedIndex(id);
		return index === undefined ? undefined : () => this.#plan.build(index);
	}

	/** The guild for changing: kept from now on. */
	edit(id: string): Guild | undefined {
		const guild = this.read(id);
		if (!guild) return undefined;
		this.#unchanged.delete(id);
		this.#changed.set(id, guild);
		return guild;
	}

	add(guild: Guild): void {
		this.#added.add(guild.id);
		this.#changed.set(guild.id, guild);
	}

	remove(id: string): boolean {
		const index = this.#seedIndex(id);
		if (index !== undefined) this.#removed.add(index);
		else if (!this.#added.delete(id)) return false;
		this.#changed.delete(id);
		this.#unchanged.delete(id);
		return true;
	}

	/** Changes how many guilds of the seed there are; returns the ids that were added or removed. */
	resize(count: number): { added: string[]; removed: string[] } {
		const ids = (from: number, to: number) =>
			Array.from({ length: Math.max(0, to - from) }, (_, n) => from + n)
				.filter((index) => !this.#removed.has(index))
				.map((index) => this.#plan.idOf(index));
		const removed = ids(count, this.#seeded);
		const before = this.#seeded;
		for (const id of removed) {
			this.#changed.delete(id);
			this.#unchanged.delete(id);
		}
		for (let index = count; index < before; index++) this.#removed.delete(index);
		this.#seeded = count;
		return { added: ids(before, count), removed };
	}

	/** Ids of the guilds that belong to a shard, or of all. */
	*ids(shard: { id: number; count: number } = { id: 0, count: 1 }): Generator<string> {
		for (let index = 0; index < this.#seeded; index++) {
			if (this.#plan.timeOf(index) % shard.count === shard.id && !this.#removed.has(index)) yield this.#plan.idOf(index);
		}
		for (const id of this.#added) if ((snowflakeTime(id) as number) % shard.count === shard.id) yield id;
	}

	/** How many guilds a shard has. */
	countOn(shard: { id: number; count: number }): number {
		let count = 0;
		for (let index = 0; index < this.#seeded; index++) {
			if (this.#plan.timeOf(index) % shard.count === shard.id && !this.#removed.has(index)) count++;
		}
		for (const id of this.#added) if ((snowflakeTime(id) as number) % shard.count === shard.id) count++;
		return count;
	}

	/** Guild number `n` of those that are there, modulo their count; for picking one at random. */
	idAt(n: number): string | undefined {
		for (let tries = 0; tries < this.#seeded; tries++) {
			const index = (n + tries) % this.#seeded;
			if (!this.#removed.has(index)) return this.#plan.idOf(index);
		}
		const [first] = this.#added;
		return first;
	}

	/** The guild of the seed in whose stretch of ids this one lies: where a channel or role of the seed is to be looked for. */
	nearestTo(id: string): string | undefined {
		const index = this.#plan.indexNear(id);
		return index !== undefined && index < this.#seeded && !this.#removed.has(index) ? this.#plan.idOf(index) : undefined;
	}

	#seedIndex(id: string): number | undefined {
		const index = this.#plan.indexNear(id);
		if (index === undefined || index >= this.#seeded || this.#removed.has(index)) return undefined;
		return this.#plan.idOf(index) === id ? index : undefined;
	}
}
