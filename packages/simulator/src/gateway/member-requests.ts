// Request Guild Members (op 8): the whole list of a guild in chunks, a search by prefix, or single members by id; and the limit
// on whole lists, which is one per guild, bot and 30 seconds, whichever session asks. Discord: Gateway Events, "Request Guild
// Members"; change log of 2025-08-14.
import { intentBits } from '@shardctl/core';
import { EncodedDispatch, type GatewaySession, type GuildMembersPayload, op } from '@shardctl/gateway-protocol';
import type { EventLog } from '../event-log.js';
import type { Guild } from '../world/guild.js';
import type { Member } from '../world/model.js';
import type { World } from '../world/world.js';

const chunkSize = 1000;
const maxFound = 100;
const maxNonceBytes = 32;
/** Guilds whose last whole list is remembered; what is older than the interval is forgotten first. */
const maxRemembered = 10_000;

interface Found {
	members: Member[];
	notFound?: (string | number)[];
}

export class MemberRequests {
	readonly #world: World;
	readonly #log: EventLog;
	readonly #intervalMs: number;
	/** Guild → when its whole list was requested last. */
	readonly #lastWholeMs = new Map<string, number>();

	constructor({ world, log, intervalMs }: { world: World; log: EventLog; intervalMs: number }) {
		this.#world = world;
		this.#log = log;
		this.#intervalMs = intervalMs;
	}

	handle(session: GatewaySession, request: GuildMembersPayload): void {
		const guild = this.#world.guilds.read(request.guild_id);
		if (!guild) return;
		const whole = request.user_ids === undefined && request.query === '' && request.limit === 0;
		if (whole && (session.intents & intentBits.GUILD_MEMBERS) === 0) {
			// How Discord refuses is not documented: it gets no answer, and shows in the log.
			this.#log.add('violation', { kind: 'member-list-intent', shardId: session.shardId, guildId: guild.id });
			return;
		}
		const nonce = request.nonce && Buffer.byteLength(request.nonce) <= maxNonceBytes ? { nonce: request.nonce } : {};
		const waitMs = whole ? this.#waitMs(guild.id) : 0;
		if (waitMs > 0) {
			const meta = { guild_id: guild.id, ...nonce };
			session.dispatch(EncodedDispatch.of('RATE_LIMITED', { opcode: op.requestGuildMembers, retry_after: waitMs / 1000, meta }));
			return;
		}
		const presences = request.presences === true && (session.intents & intentBits.GUILD_PRESENCES) !== 0;
		this.#answer(session, guild, whole ? { members: wholeList(guild) } : find(guild, request), { presences, nonce });
	}

	#waitMs(guildId: string): number {
		const nowMs = this.#world.clock.monotonic();
		const waitMs = (this.#lastWholeMs.get(guildId) ?? Number.NEGATIVE_INFINITY) + this.#intervalMs - nowMs;
		if (waitMs > 0) return waitMs;
		this.#lastWholeMs.delete(guildId);
		this.#lastWholeMs.set(guildId, nowMs);
		const [oldest] = this.#lastWholeMs.keys();
		if (this.#lastWholeMs.size > maxRemembered && oldest) this.#lastWholeMs.delete(oldest);
		return 0;
	}

	#answer(
		session: GatewaySession,
		guild: Guild,
		{ members, notFound }: Found,
		{ presences, nonce }: { presences: boolean; nonce: object },
	) {
		const count = Math.max(1, Math.ceil(members.length / chunkSize));
		for (let index = 0; index < count; index++) {
			const chunk = members.slice(index * chunkSize, (index + 1) * chunkSize);
			const known = chunk.map(({ user }) => guild.presences.get(user.id)).filter((presence) => presence !== undefined);
			session.dispatch(
				EncodedDispatch.of('GUILD_MEMBERS_CHUNK', {
					guild_id: guild.id,
					members: chunk,
					chunk_index: index,
					chunk_count: count,
					...(notFound && notFound.length > 0 && { not_found: notFound }),
					...(presences && { presences: known }),
					...nonce,
				}),
			);
		}
	}
}

function wholeList(guild: Guild): Member[] {
	return [guild.bot, ...guild.members.all()];
}

function find(guild: Guild, { user_ids: ids, query = '', limit = 0 }: GuildMembersPayload): Found {
	if (ids) {
		const asked = [...new Set(ids)].slice(0, maxFound);
		const members = asked.map((id) => guild.member(id)).filter((member) => member !== undefined);
		return { members, notFound: asked.filter((id) => !guild.member(id)).map(serializedId) };
	}
	const prefix = query.toLowerCase();
	const most = limit === 0 ? maxFound : Math.min(limit, maxFound);
	const members: Member[] = [];
	for (const member of [guild.bot, ...guild.members.all()]) {
		const names = [member.user.username, member.user.global_name, member.nick];
		if (names.some((name) => typeof name === 'string' && name.toLowerCase().startsWith(prefix))) members.push(member);
		if (members.length === most) break;
	}
	return { members };
}

// An id that is too small to be one comes back as a number. Discord: Reference, "ID Serialization".
function serializedId(id: string): string | number {
	return Number.isSafeInteger(Number(id)) ? Number(id) : id;
}
