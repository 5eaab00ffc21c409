// A guild that nothing happens in, kept as compressed JSON: a fifth of the text, a thirtieth of the objects. It can be sent to a
// worker without ever becoming objects again.
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { type GuildExtras, GuildRecord } from './guild-record.js';
import type { RawObject } from './raw.js';
import { mayContain, userHashes } from './user-ids.js';

export type GuildCodec = 'plain' | 'deflate';

/** Level 3 takes a third of the time of the default 6 and leaves a tenth more. */
const compression = { level: 3 };

export class FrozenGuild {
	readonly codec: GuildCodec;
	readonly data: Uint8Array;
	/** Hashes of the ids of all users whom it holds a copy of. */
	readonly users: Uint32Array;
	#memberCount: number | undefined;

	/** @param memberCount Undefined where it has to be read from the data. */
	constructor(codec: GuildCodec, data: Uint8Array, users: Uint32Array, memberCount?: number) {
		this.codec = codec;
		this.data = data;
		this.users = users;
		this.#memberCount = memberCount;
	}

	/** Undefined before {@link readMemberCount}, for a guild that was read from a snapshot. */
	get memberCount(): number | undefined {
		return this.#memberCount;
	}

	/** The lists, whose threads have a count of their own, follow the fields of the guild itself. */
	readMemberCount(): number {
		this.#memberCount ??= Number(/"member_count":(\d+)/.exec(this.text().create)?.[1] ?? 0);
		return this.#memberCount;
	}

	static of(guild: GuildRecord, codec: GuildCodec): FrozenGuild {
		const extras = guild.extras();
		// JSON has no bare line break, so one keeps the two apart.
		const text = JSON.stringify(guild.toCreate()) + (extras ? `\n${JSON.stringify(extras)}` : '');
		const plain = Buffer.from(text);
		return new FrozenGuild(
			codec,
			codec === 'plain' ? plain : copyOf(deflateRawSync(plain, compression)),
			userHashes(guild.userIds()),
			guild.memberCount,
		);
	}

	compressed(): FrozenGuild {
		if (this.codec === 'deflate') return this;
		return new FrozenGuild('deflate', copyOf(deflateRawSync(this.data, compression)), this.users, this.#memberCount);
	}

	/** The data of GUILD_CREATE as JSON text, and what GUILD_CREATE has no place for. */
	text(): { create: string; extras: GuildExtras | undefined } {
		const plain =
			this.codec === 'plain' ? Buffer.from(this.data.buffer, this.data.byteOffset, this.data.length) : inflateRawSync(this.data);
		const text = plain.toString();
		const end = text.indexOf('\n');
		if (end < 0) return { create: text, extras: undefined };
		return { create: text.slice(0, end), extras: JSON.parse(text.slice(end + 1)) as GuildExtras };
	}

	thaw(): GuildRecord {
		const { create, extras } = this.text();
		return new GuildRecord(JSON.parse(create) as RawObject, extras);
	}

	mayHoldUser(hash: number): boolean {
		return mayContain(this.users, hash);
	}

	get bytes(): number {
		return this.data.length + this.users.byteLength + 256;
	}
}

/** zlib answers with a slice of a larger block, which would be kept alive whole. */
function copyOf(bytes: Uint8Array): Uint8Array {
	return new Uint8Array(bytes);
}
