// What a shard's session would say about itself if it began now: READY and the guilds, as raw JSON, moved on dispatch by dispatch.
// Knows no sockets, no cursor and no time of its own: the stream applies an event here when the worker has confirmed it.

import { FrozenGuild } from './frozen-guild.js';
import { GuildRecord } from './guild-record.js';
import { defaultShelfLimits, GuildShelf, type ShelfLimits } from './guild-shelf.js';
import { mergeKeys } from './merge.js';
import { dropStale } from './patches/drop-stale.js';
import { updateGuild } from './patches/guilds.js';
import { guildPatches } from './patches/patch-table.js';
import { type Dispatch, type EncodedData, objectOf, objectsOf, type RawObject, stringOf } from './raw.js';
import { decodeSnapshot, encodeSnapshot, type SavedGuild } from './snapshot-format.js';
import type { Users } from './users.js';

export type ShardStateOptions = Partial<ShelfLimits>;

export class ShardState {
	readonly #ready: RawObject;
	readonly #shelf: GuildShelf;
	readonly #users: Users;

	private constructor(ready: RawObject, options: ShardStateOptions) {
		this.#ready = ready;
		this.#shelf = new GuildShelf({ ...defaultShelfLimits, ...options });
		this.#users = {
			selfId: stringOf(objectOf(ready.user)?.id) ?? '',
			find: (id) => this.#findUser(id),
			update: (user) => this.#updateUser(user),
		};
	}

	/**
	 * The state at the start of a session, before any of its guilds.
	 * @param ready the data of the upstream's READY; the state takes it over
	 */
	static fromReady(ready: RawObject, options: ShardStateOptions = {}): ShardState {
		const { guilds, ...rest } = ready;
		const state = new ShardState({ ...rest, user: { ...objectOf(ready.user) } }, options);
		for (const guild of objectsOf(guilds)) {
			const id = stringOf(guild.id);
			if (id !== undefined) state.#shelf.setAway(id);
		}
		return state;
	}

	/**
	 * The state of a shard whose guilds were in these shards of the same session until now. It shares the guilds with them: only one of both
	 * may apply events from here on.
	 */
	static assemble(sources: readonly [ShardState, ...ShardState[]], belongs: (guildId: string) => boolean): ShardState {
		const state = new ShardState({ ...sources[0].#ready, user: { ...sources[0].#self } }, {});
		for (const source of sources) {
			for (const [id, content] of source.#shelf.entries()) {
				if (!belongs(id)) continue;
				if (content) state.#shelf.put(id, content);
				else state.#shelf.setAway(id);
			}
		}
		return state;
	}

	/**
	 * Moves the state on by one event. Events that change nothing cost next to nothing; broken ones change nothing. Takes the data of
	 * GUILD_CREATE over, and keeps parts of other data, but never changes what it was given.
	 */
	apply({ t, d }: Dispatch): void {
		const patch = guildPatches.get(t);
		const data = objectOf(d);
		if (!data) return;
		if (patch) {
			const guild = typeof data.guild_id === 'string' ? this.#shelf.open(data.guild_id) : undefined;
			if (guild) patch(guild, data, this.#users);
			else this.#sawOutsideGuilds(t, data);
			return;
		}
		switch (t) {
			case 'GUILD_CREATE':
				this.#putGuild(data);
				break;
			case 'GUILD_UPDATE':
				this.#updateGuild(data);
				break;
			case 'GUILD_DELETE':
				this.#removeGuild(data);
				break;
			case 'USER_UPDATE':
				this.#updateUser(data);
				break;
		}
	}

	#putGuild(data: RawObject): void {
		const id = stringOf(data.id);
		if (id === undefined) return;
		if (data.unavailable === true) {
			this.#shelf.setAway(id);
			return;
		}
		const guild = new GuildRecord(data);
		this.#shelf.put(id, guild);
		// Its copy of the bot's own user is the newest one, and a client keeps that one.
		const self = objectOf(guild.members.get(this.#users.selfId)?.user);
		if (self) mergeKeys(this.#self, self);
	}

	#updateGuild(data: RawObject): void {
		const guild = this.#shelf.open(stringOf(data.id) ?? '');
		if (guild) updateGuild(guild, data, this.#users);
	}

	#removeGuild(data: RawObject): void {
		const id = stringOf(data.id);
		if (id === undefined) return;
		if (data.unavailable !== true) this.#shelf.delete(id);
		else if (this.#shelf.has(id)) this.#shelf.setAway(id);
	}

	/** A command used in a direct message also says how a member of some guild is called by now. */
	#sawOutsideGuilds(t: string, data: RawObject): void {
		const user = objectOf(data.user);
		if (t === 'INTERACTION_CREATE' && user && 'username' in user) this.#updateUser(user);
	}

	get #self(): RawObject {
		return this.#ready.user as RawObject;
	}

	#updateUser(user: RawObject): void {
		const id = stringOf(user.id);
		if (id === undefined) return;
		if (id === this.#users.selfId) mergeKeys(this.#self, user);
		for (const guild of this.#shelf.withUser(id)) guild.updateUser(id, user);
		this.#shelf.noteUser(id);
	}

	#findUser(id: string): RawObject | undefined {
		let found: RawObject | undefined;
		for (const guild of this.#shelf.withUser(id)) found = objectOf(guild.members.get(id)?.user) ?? found;
		return found;
	}

	/** The data of READY for a worker: everything up to date, all guilds unavailable as Discord has them, and the given keys on top. */
	ready(overrides: RawObject = {}): RawObject {
		const guilds = Array.from(this.#shelf.ids(), (id) => ({ id, unavailable: true }));
		return { ...this.#ready, guilds, ...overrides };
	}

	/**
	 * What follows READY: GUILD_CREATE for each guild, GUILD_DELETE for one in outage (so that no client waits for it), and
	 * THREAD_LIST_SYNC where the members of threads are known. The objects stay the state's: encode each before the next event is
	 * applied. {@link encodedGuildDispatches} says the same as text, for less.
	 */
	*guildDispatches(): Generator<Dispatch> {
		for (const { t, json } of this.encodedGuildDispatches()) yield { t, d: JSON.parse(json) };
	}

	/** {@link guildDispatches} as JSON text: guilds that are frozen are never parsed. */
	*encodedGuildDispatches(): Generator<EncodedData> {
		for (const [id, content] of this.#shelf.entries()) {
			if (!content) {
				yield { t: 'GUILD_DELETE', json: JSON.stringify({ id, unavailable: true }) };
				continue;
			}
			const { create, extras } =
				content instanceof FrozenGuild
					? content.text()
					: { create: JSON.stringify(content.toCreate()), extras: content.extras() };
			yield { t: 'GUILD_CREATE', json: create };
			if (!extras) continue;
			const members = extras.threadMembers.flatMap(([thread, inIt]) => inIt.map(([, member]) => ({ ...member, id: thread })));
			// No channel is listed, so no thread is taken away: it only says who is in them.
			yield { t: 'THREAD_LIST_SYNC', json: JSON.stringify({ guild_id: id, channel_ids: [], threads: [], members }) };
		}
	}

	/** How many guilds the shard has, those in outage included. */
	get guildCount(): number {
		return this.#shelf.size;
	}

	/** Sum of the guilds' member counts; soon after a start not yet of all. */
	get memberCount(): number {
		return this.#shelf.memberCount({ openAtMost: 200 });
	}

	/** How many guilds are kept as objects at the moment. */
	get openGuildCount(): number {
		return this.#shelf.openCount;
	}

	/** About how much memory the state takes; walks over all guilds. */
	get bytes(): number {
		return 4096 + this.#shelf.bytes;
	}

	/**
	 * Freezes guilds that nothing happened in for a while, a limited number a call: to be called now and then, and sooner again when
	 * the limit was reached.
	 * @param now wall time in milliseconds; also the state's only idea of time
	 * @returns how many guilds were frozen; fewer than the limit means that there is nothing left to do
	 */
	compressCold(now: number): number {
		return this.#shelf.freeze(now, (guild) => dropStale(guild, now));
	}

	/** One guild as GUILD_CREATE would say it, undefined when it is away or unknown. */
	guild(id: string): RawObject | undefined {
		return this.#shelf.open(id)?.toCreate();
	}

	guildIds(): string[] {
		return [...this.#shelf.ids()];
	}

	/**
	 * The whole state, with a version and a checksum, to be read by {@link restore}. It must not change meanwhile; other work may
	 * run between two guilds.
	 * @returns the bytes in pieces
	 */
	serialize(): Generator<void, Uint8Array[]> {
		return encodeSnapshot(this.#ready, this.#shelf.size, this.#frozenGuilds());
	}

	*#frozenGuilds(): Generator<SavedGuild> {
		for (const [id, content] of this.#shelf.entries()) {
			yield { id, content: content instanceof GuildRecord ? FrozenGuild.of(content, 'plain') : content };
		}
	}

	/**
	 * @throws `SNAPSHOT_INVALID` when the bytes are truncated, damaged or of another version: then there is nothing to build on, and
	 * the session has to start again
	 */
	static restore(bytes: Uint8Array, options: ShardStateOptions = {}): ShardState {
		const { ready, guilds } = decodeSnapshot(bytes);
		const state = new ShardState(ready, options);
		for (const { id, content } of guilds) {
			if (content) state.#shelf.put(id, content);
			else state.#shelf.setAway(id);
		}
		return state;
	}
}
