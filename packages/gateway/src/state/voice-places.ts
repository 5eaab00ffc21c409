// The voice channels that the bot is in, as Discord last reported them. A session that outlives its workers would keep the bot in channels
// that no worker uses any more, and a new worker needs what Discord sends only to the one that joins.
import type { ClientRequest, VoiceStatePayload } from '@shardctl/gateway-protocol';
import type { Dispatch, RawObject } from './raw.js';

/** One voice channel that the bot is in. */
export interface VoicePlace {
	/** VOICE_STATE_UPDATE of the bot itself. */
	state: RawObject;
	/** VOICE_SERVER_UPDATE: where to connect, with which token. */
	server: RawObject | null;
}

export class VoicePlaces {
	readonly #places = new Map<string, VoicePlace>();
	/** Guilds for which a session has been answered already. */
	readonly #answered = new WeakMap<object, Set<string>>();

	/** As {@link restore} takes it. */
	get places(): VoicePlace[] {
		return [...this.#places.values()];
	}

	restore(places: readonly VoicePlace[]): void {
		for (const place of places) this.#places.set(String(place.state.guild_id), place);
	}

	/** A new session of Discord's is in no channel. */
	clear(): void {
		this.#places.clear();
	}

	take({ t, d }: Dispatch, botId: string): void {
		if (t === 'VOICE_STATE_UPDATE') this.#takeState(d as RawObject, botId);
		else if (t === 'VOICE_SERVER_UPDATE') this.#takeServer(d as RawObject);
		else if (t === 'GUILD_DELETE') this.#places.delete(String((d as RawObject).id));
	}

	/** The requests that bring the bot into each channel, as it is there. */
	joining(): ClientRequest[] {
		return [...this.#places.entries()].map(([guildId, { state }]) => ({
			op: 4,
			d: {
				guild_id: guildId,
				channel_id: String(state.channel_id),
				self_mute: state.self_mute === true,
				self_deaf: state.self_deaf === true,
			},
		}));
	}

	/** The requests that take the bot out of every channel. */
	leaving(): ClientRequest[] {
		return [...this.#places.keys()].map((guildId) => ({
			op: 4,
			d: { guild_id: guildId, channel_id: null, self_mute: false, self_deaf: false },
		}));
	}

	/**
	 * What Discord does not say again to a bot that joins the channel which it is in already; a new worker cannot speak without it.
	 * Once for each session and guild: a token that is too old is not given twice.
	 */
	answerTo({ guild_id: guildId, channel_id: channelId }: VoiceStatePayload, session: object): Dispatch[] {
		const place = this.#places.get(guildId);
		const answered = this.#answered.get(session) ?? new Set();
		this.#answered.set(session, answered);
		const first = !answered.has(guildId);
		answered.add(guildId);
		if (!first || !place?.server || place.state.channel_id !== channelId) return [];
		return [
			{ t: 'VOICE_STATE_UPDATE', d: place.state },
			{ t: 'VOICE_SERVER_UPDATE', d: place.server },
		];
	}

	#takeState(state: RawObject, botId: string): void {
		if (state.user_id !== botId || typeof state.guild_id !== 'string') return;
		if (typeof state.channel_id !== 'string') this.#places.delete(state.guild_id);
		else this.#places.set(state.guild_id, { state, server: this.#places.get(state.guild_id)?.server ?? null });
	}

	#takeServer(server: RawObject): void {
		const place = this.#places.get(String(server.guild_id));
		if (place) place.server = server;
	}
}
