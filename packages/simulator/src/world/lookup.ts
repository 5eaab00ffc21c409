// Finds things of a guild by what people call them: an id, a mention or a name; and collects them as an interaction's resolved data.
import { ShardctlError } from '@shardctl/core';
import type { Guild } from './guild.js';
import type { Channel, Message, Role, User } from './model.js';
import { allPermissions } from './permissions.js';
import type { World } from './world.js';

interface Place {
	world: World;
	guild: Guild | undefined;
}

/** How many members of a guild, or guilds, a search by name looks at. */
const maxSearched = 50_000;

export function findUser({ world, guild }: Place, text: string): User {
	const id = idIn(text);
	const byId = id === undefined ? undefined : (guild?.member(id)?.user ?? world.user(id));
	const user = byId ?? userByName({ world, guild }, text.replace(/^@/, ''));
	if (user) return user;
	throw notFound('user', text, guild);
}

function userByName({ world, guild }: Place, name: string): User | undefined {
	const isNamed = ({ username, global_name: shown }: User) => username === name || shown === name;
	if (isNamed(world.bot)) return world.bot;
	let looked = 0;
	for (const { user, nick } of guild?.members.all() ?? []) {
		if (isNamed(user) || nick === name) return user;
		if (++looked >= maxSearched) return undefined;
	}
	return undefined;
}

export function findChannel({ world, guild }: Place, text: string): Channel {
	const id = idIn(text);
	const name = text.replace(/^#/, '');
	const channel =
		(id === undefined ? undefined : world.channel(id)) ?? [...(guild?.channels.values() ?? [])].find((one) => one.name === name);
	if (channel) return channel;
	throw notFound('channel', text, guild);
}

export function findRole({ guild }: Place, text: string): Role {
	const id = idIn(text);
	const name = text.replace(/^@(?!everyone$)/, '');
	const role =
		(id === undefined ? undefined : guild?.roles.get(id)) ?? [...(guild?.roles.values() ?? [])].find((one) => one.name === name);
	if (role) return role;
	throw notFound('role', text, guild);
}

export function findMentionable(place: Place, text: string): { user: User } | { role: Role } {
	try {
		return { role: findRole(place, text) };
	} catch {
		return { user: findUser(place, text) };
	}
}

/** The id of a guild by its id or its name; undefined where there is none. */
export function findGuildId(world: World, text: string): string | undefined {
	if (world.guilds.has(text)) return text;
	let looked = 0;
	for (const id of world.guilds.ids()) {
		if (world.guilds.read(id)?.fields.name === text) return id;
		if (++looked >= maxSearched) return undefined;
	}
	return undefined;
}

/** `123…`, `<@123…>`, `<@!…>`, `<#…>`, `<@&…>`. */
function idIn(text: string): string | undefined {
	return /^(?:<(?:@!?|@&|#))?(\d{1,20})>?$/.exec(text)?.[1];
}

function notFound(what: string, text: string, guild: Guild | undefined): ShardctlError {
	return new ShardctlError(
		'OPTIONS_INVALID',
		`there is no ${what} "${text}" ${guild ? `in the guild "${guild.fields.name}"` : 'here'}`,
	);
}

/** The `resolved` objects of an interaction; each method adds one and returns its id. */
export class Resolved {
	readonly #place: Place;
	readonly #maps: Record<string, Record<string, unknown>> = {};

	constructor(place: Place) {
		this.#place = place;
	}

	user(user: User): string {
		this.#put('users', user.id, user);
		const member = this.#place.guild?.member(user.id);
		if (member) {
			const { user: _, deaf: __, mute: ___, ...partial } = member;
			this.#put('members', user.id, { ...partial, permissions: allPermissions });
		}
		return user.id;
	}

	role(role: Role): string {
		return this.#put('roles', role.id, role);
	}

	mentionable(found: { user: User } | { role: Role }): string {
		return 'user' in found ? this.user(found.user) : this.role(found.role);
	}

	channel({ id, name, type, parent_id: parent = null, thread_metadata: thread }: Channel): string {
		const partial = { id, name, type, parent_id: parent, permissions: allPermissions };
		return this.#put('channels', id, thread === undefined ? partial : { ...partial, thread_metadata: thread });
	}

	message(message: Message): string {
		return this.#put('messages', message.id, message);
	}

	attachment(filename: string): string {
		const { world } = this.#place;
		const id = world.ids.next();
		const url = `https://cdn.discordapp.com/ephemeral-attachments/${world.applicationId}/${id}/${encodeURIComponent(filename)}`;
		return this.#put('attachments', id, { id, filename, size: 1024, url, proxy_url: url, ephemeral: true });
	}

	/** `{ resolved }`, or nothing where nothing was resolved. */
	field(): { resolved?: object } {
		return Object.keys(this.#maps).length === 0 ? {} : { resolved: this.#maps };
	}

	#put(kind: string, id: string, value: unknown): string {
		this.#maps[kind] = { ...this.#maps[kind], [id]: value };
		return id;
	}
}
