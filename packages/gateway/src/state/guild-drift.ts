// Whether the guilds with which another session begins are as they were followed through events: both sessions get the same events, so a
// difference is an event that the state does not know, or one that Discord did not send. A sample of the guilds is compared, and of each what
// does not depend on the session or on the moment: not who is online or in voice, and not the members, of which sessions get different ones.
import { jsonEqual } from './json-equal.js';
import { type Dispatch, objectOf, objectsOf, type RawObject, stringOf } from './raw.js';
import { ShardState } from './shard-state.js';

/** Guilds that are compared of one session. */
const mostGuilds = 100;
/** Larger guilds are left out: a sample should cost next to nothing. */
const mostItems = 500;

const lists = ['roles', 'channels', 'emojis', 'stickers'] as const;
const fields = [
	'name',
	'icon',
	'owner_id',
	'description',
	'features',
	'preferred_locale',
	'verification_level',
	'rules_channel_id',
] as const;
/** Of items of lists: they change with every message. */
const passing: ReadonlySet<string> = new Set(['last_message_id', 'last_pin_timestamp', 'version', 'permission_overwrites']);

export class GuildDrift {
	readonly #state = ShardState.fromReady({ user: {} });
	readonly #ids = new Set<string>();

	/** A guild as the other session begins with it. */
	add(guild: RawObject): void {
		const id = stringOf(guild.id);
		const items = lists.reduce((sum, key) => sum + objectsOf(guild[key]).length, 0);
		if (id === undefined || guild.unavailable === true || this.#ids.size >= mostGuilds || items > mostItems) return;
		this.#ids.add(id);
		// The state changes what it is given, and members are not compared.
		this.#state.apply({
			t: 'GUILD_CREATE',
			d: structuredClone({ ...guild, members: [], presences: [], voice_states: [], threads: [] }),
		});
	}

	/** A later event of that session. */
	apply(dispatch: Dispatch): void {
		const data = objectOf(dispatch.d);
		const id = dispatch.t.startsWith('GUILD_') ? (stringOf(data?.guild_id) ?? stringOf(data?.id)) : stringOf(data?.guild_id);
		if (id !== undefined && this.#ids.has(id)) this.#state.apply(dispatch);
	}

	clear(): void {
		for (const id of this.#ids) this.#state.apply({ t: 'GUILD_DELETE', d: { id } });
		this.#ids.clear();
	}

	/** Compares those guilds with how they were followed; `isOpen`: one of the sessions has sent something of it that the other has not. */
	compare(
		guildOf: (id: string) => RawObject | undefined,
		isOpen: (id: string) => boolean,
	): { compared: number; drifted: string[] } {
		let compared = 0;
		const drifted: string[] = [];
		for (const id of this.#ids) {
			const [now, followed] = [this.#state.guild(id), guildOf(id)];
			if (!now || !followed || isOpen(id)) continue;
			compared++;
			const different = differentParts(followed, now);
			if (different.length > 0) drifted.push(`guild ${id}: ${different.join(', ')}`);
		}
		return { compared, drifted };
	}
}

function differentParts(one: RawObject, other: RawObject): string[] {
	const differs = (key: string) => !jsonEqual(one[key] ?? null, other[key] ?? null);
	return [...fields.filter(differs), ...lists.filter((key) => !sameItems(objectsOf(one[key]), objectsOf(other[key])))];
}

function sameItems(one: readonly RawObject[], other: readonly RawObject[]): boolean {
	const found = new Map(other.map((item) => [item.id, lasting(item)]));
	return one.length === other.length && one.every((item) => jsonEqual(lasting(item), found.get(item.id)));
}

function lasting(item: RawObject): RawObject {
	return Object.fromEntries(Object.entries(item).filter(([key]) => !passing.has(key)));
}
