// One guild, open for change: the object of GUILD_CREATE with each of its lists as a map, so that an event finds its item at once.
// Knows how to become GUILD_CREATE again, and which users it holds copies of; what an event means is decided in patches/.
import { type GuildListField, guildListKeys, guildLists } from './guild-lists.js';
import { mergeKeys, wouldChange } from './merge.js';
import { objectOf, objectsOf, type RawObject, stringOf } from './raw.js';

type Items = Map<string, RawObject>;

/** What GUILD_CREATE has no place for, but a client that saw the whole stream knows. */
export interface GuildExtras {
	/** Thread id → the members of it other than the bot, as `[user id, thread member]`. */
	threadMembers: [string, [string, RawObject][]][];
}

/** Where an item of a list may carry a copy of a user, other than among the members. */
const authorKeys = [
	['emojis', 'user'],
	['stickers', 'user'],
	['soundboardSounds', 'user'],
	['scheduledEvents', 'creator'],
] as const;

export class GuildRecord implements Record<GuildListField, Items> {
	readonly id: string;
	/** Every key of GUILD_CREATE that is no list of {@link guildLists}. */
	readonly attributes: RawObject = {};
	roles: Items = new Map();
	channels: Items = new Map();
	threads: Items = new Map();
	members: Items = new Map();
	presences: Items = new Map();
	voiceStates: Items = new Map();
	emojis: Items = new Map();
	stickers: Items = new Map();
	soundboardSounds: Items = new Map();
	stageInstances: Items = new Map();
	scheduledEvents: Items = new Map();
	/** Thread id → user id → thread member, without the bot itself: that one is the thread's own `member`. */
	readonly threadMembers = new Map<string, Items>();
	/** The lists that Discord sent, be they empty: an empty list and none are two things to a client. */
	readonly #sent = new Set<string>();

	/** Takes the data of GUILD_CREATE over: its objects belong to the record from now on. */
	constructor(create: RawObject, extras?: GuildExtras) {
		this.id = stringOf(create.id) ?? '';
		mergeKeys(this.attributes, create, guildListKeys);
		// Without it discord.js leaves the guild unavailable: its constructor sees no channels in READY's stub and waits for the field.
		this.attributes.unavailable = false;
		for (const { key } of guildLists) {
			if (key in create) this.replaceList(key, create[key]);
		}
		for (const [thread, members] of extras?.threadMembers ?? []) this.threadMembers.set(thread, new Map(members));
	}

	get memberCount(): number {
		const { member_count: count } = this.attributes;
		return typeof count === 'number' ? count : 0;
	}

	/** Puts a whole list in the place of the old one. */
	replaceList(key: string, value: unknown): void {
		const list = guildLists.find((candidate) => candidate.key === key);
		if (!list) return;
		const items: Items = new Map();
		for (const item of objectsOf(value)) {
			const id = list.idOf(item);
			if (id !== undefined) items.set(id, item);
		}
		this[list.field] = items;
		this.#sent.add(key);
	}

	/** The data of GUILD_CREATE as of now. Its objects stay the record's: encode it before the next event is applied. */
	toCreate(): RawObject {
		const create = { ...this.attributes };
		for (const { key, field } of guildLists) {
			if (this.#sent.has(key) || this[field].size > 0) create[key] = [...this[field].values()];
		}
		return create;
	}

	extras(): GuildExtras | undefined {
		if (this.threadMembers.size === 0) return undefined;
		return { threadMembers: [...this.threadMembers].map(([thread, members]) => [thread, [...members]]) };
	}

	/** Forgets a thread and who was in it. */
	removeThread(threadId: string): void {
		this.threads.delete(threadId);
		this.threadMembers.delete(threadId);
	}

	/** The ids of all users whom the record holds a copy of. */
	*userIds(): Generator<string> {
		yield* this.members.keys();
		for (const [field, key] of authorKeys) {
			for (const item of this[field].values()) {
				const id = stringOf(objectOf(item[key])?.id);
				if (id !== undefined) yield id;
			}
		}
	}

	/** Brings every copy of a user up to date. Copies may be shared with other records, so they are replaced. */
	updateUser(id: string, user: RawObject): void {
		const member = this.members.get(id);
		if (member) updateCopy(member, 'user', id, user);
		for (const [field, key] of authorKeys) {
			for (const item of this[field].values()) updateCopy(item, key, id, user);
		}
	}

	/** About how much memory it takes: counted, not measured. */
	get bytes(): number {
		let bytes = 2048;
		for (const { field } of guildLists) bytes += this[field].size * itemBytes;
		return bytes;
	}
}

/** About what one item of a list takes as objects of the engine: half a kilobyte of JSON, and as much again around it. */
const itemBytes = 1024;

function updateCopy(holder: RawObject, key: string, id: string, user: RawObject): void {
	const known = objectOf(holder[key]);
	if (known?.id !== id) return;
	if (wouldChange(known, user)) holder[key] = { ...known, ...user };
}
