// Brings what happens in the world to the sessions that should hear of it: by shard, by intents, with or without the content
// of messages. An event is serialised at most once per variant, however many sessions get it.
import { intentBits } from '@shardctl/core';
import { EncodedDispatch, type GatewaySession, intentsForEvent } from '@shardctl/gateway-protocol';
import type { WorldEvent } from '../world/model.js';
import { snowflakeTime } from '../world/snowflake.js';

/** Fields of a message that need the MESSAGE_CONTENT intent, and what they are without it. */
const withoutContent = { content: '', embeds: [], attachments: [], components: [] } as const;
const contentEvents: ReadonlySet<string> = new Set(['MESSAGE_CREATE', 'MESSAGE_UPDATE']);

/** The shard of a guild's events: `(guild_id >> 22) % num_shards`. Ids are decimal strings; the shift is done in BigInt. */
function shardOf(guildKey: number | undefined, shardCount: number): number {
	return guildKey === undefined ? 0 : guildKey % shardCount;
}

export interface RoutedSession {
	session: GatewaySession;
	/** Asked for each event of a guild; `false` keeps it from this session. */
	admit: (event: WorldEvent) => boolean;
}

export class EventRouter {
	/** Shard count → shard id → sessions. Several sessions may share a shard, and fleets of different counts coexist. */
	readonly #fleets = new Map<number, Map<number, Set<RoutedSession>>>();
	readonly #botId: () => string;
	#delivered = 0;

	constructor(botId: () => string) {
		this.#botId = botId;
	}

	/** How many dispatches went to sessions. */
	get delivered(): number {
		return this.#delivered;
	}

	add(routed: RoutedSession): void {
		const { shardId, shardCount } = routed.session;
		const fleet = this.#fleets.get(shardCount) ?? new Map<number, Set<RoutedSession>>();
		this.#fleets.set(shardCount, fleet);
		const sessions = fleet.get(shardId) ?? new Set<RoutedSession>();
		fleet.set(shardId, sessions);
		sessions.add(routed);
	}

	remove(routed: RoutedSession): void {
		const { shardId, shardCount } = routed.session;
		const fleet = this.#fleets.get(shardCount);
		const sessions = fleet?.get(shardId);
		sessions?.delete(routed);
		if (sessions?.size === 0) fleet?.delete(shardId);
		if (fleet?.size === 0) this.#fleets.delete(shardCount);
	}

	route(event: WorldEvent): void {
		const needed = this.#intentsNeeded(event);
		const guildKey = event.guildId === null ? undefined : snowflakeTime(event.guildId);
		let encoded: EncodedDispatch | undefined;
		let stripped: EncodedDispatch | undefined;
		for (const [shardCount, fleet] of this.#fleets) {
			const sessions = fleet.get(shardOf(guildKey, shardCount));
			if (!sessions) continue;
			for (const { session, admit } of sessions) {
				if (needed !== 0 && (session.intents & needed) === 0) continue;
				if (!admit(event)) continue;
				this.#delivered++;
				if (this.#needsContent(event) && (session.intents & intentBits.MESSAGE_CONTENT) === 0) {
					stripped ??= EncodedDispatch.of(event.type, strip(event.data));
					session.dispatch(stripped);
				} else {
					encoded ??= EncodedDispatch.of(event.type, event.data);
					session.dispatch(encoded);
				}
			}
		}
	}

	#intentsNeeded(event: WorldEvent): number {
		if (event.type === 'GUILD_MEMBER_UPDATE' && event.userId === this.#botId()) return 0;
		return intentsForEvent(event.type, event);
	}

	// Content is there without the intent in the bot's own messages, in direct messages and where the bot is mentioned.
	#needsContent(event: WorldEvent): boolean {
		if (!contentEvents.has(event.type) || event.direct || event.userId === this.#botId()) return false;
		const { mentions } = event.data as { mentions?: { id: string }[] };
		return !mentions?.some(({ id }) => id === this.#botId());
	}
}

function strip(data: object): object {
	const { poll: _, ...rest } = data as Record<string, unknown>;
	return { ...rest, ...withoutContent };
}
