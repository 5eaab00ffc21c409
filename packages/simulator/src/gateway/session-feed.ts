// What one session is sent when it starts, and from then on: READY, then a GUILD_CREATE for each guild, a few at a time so that
// hundreds of sessions come up side by side. Invariant: a guild's GUILD_CREATE goes out before any other event of that guild.
import { intentBits } from '@shardctl/core';
import { EncodedDispatch, type GatewaySession, RebuiltDispatch } from '@shardctl/gateway-protocol';
import type { WorldEvent } from '../world/model.js';
import type { World } from '../world/world.js';

const guildsPerTurn = 25;

export interface SessionFeedOptions {
	session: GatewaySession;
	world: World;
	gatewayVersion: number;
	resumeUrl: string;
}

export class SessionFeed {
	readonly session: GatewaySession;
	readonly #world: World;
	/** Guilds of READY whose GUILD_CREATE did not go out yet. */
	readonly #pending: Set<string>;
	#ended = false;

	constructor({ session, world, gatewayVersion, resumeUrl }: SessionFeedOptions) {
		this.session = session;
		this.#world = world;
		const ids = [...world.guilds.ids({ id: session.shardId, count: session.shardCount })];
		this.#pending = new Set((session.intents & intentBits.GUILDS) === 0 ? [] : ids);
		session.dispatch(
			EncodedDispatch.of('READY', {
				v: gatewayVersion,
				user_settings: {},
				user: world.bot,
				session_type: 'normal',
				session_id: session.id,
				resume_gateway_url: resumeUrl,
				relationships: [],
				private_channels: [],
				presences: [],
				guilds: ids.map((id) => ({ id, unavailable: true })),
				guild_join_requests: [],
				geo_ordered_rtc_regions: [],
				application: {
					id: world.applicationId,
					flags: world.applicationFlags,
					flags_new: String(world.applicationFlags),
				},
				_trace: ['["shardctl-simulator",{"micros":0}]'],
				...(session.shard && { shard: session.shard }),
			}),
		);
		if (this.#pending.size > 0) setImmediate(() => this.#sendSome());
	}

	/** How many guilds are still to come. */
	get pendingGuilds(): number {
		return this.#pending.size;
	}

	/** Whether this event goes to the session as it is; brings the guild's GUILD_CREATE forward where it has to come first. */
	readonly admit = (event: WorldEvent): boolean => {
		if (event.guildId === null) return true;
		if (event.type === 'GUILD_CREATE') {
			this.#sendGuild(event.guildId);
			return false;
		}
		if (!this.#pending.has(event.guildId)) return true;
		if (event.type === 'GUILD_DELETE') {
			this.#pending.delete(event.guildId);
			return true;
		}
		this.#sendGuild(event.guildId);
		return event.inGuildState !== true;
	};

	end(): void {
		this.#ended = true;
		this.#pending.clear();
	}

	#sendSome(): void {
		if (this.#ended) return;
		let left = guildsPerTurn;
		for (const id of this.#pending) {
			if (left-- === 0) break;
			this.#sendGuild(id);
		}
		if (this.#pending.size > 0) setImmediate(() => this.#sendSome());
	}

	#sendGuild(id: string): void {
		this.#pending.delete(id);
		const options = {
			everyone: (this.session.intents & intentBits.GUILD_PRESENCES) !== 0,
			largeThreshold: this.session.largeThreshold,
		};
		// Thousands of these would fill the replay buffers; a guild as the seed made it can be made again.
		const recipe = this.#world.guilds.recipe(id);
		if (recipe) {
			this.session.dispatch(new RebuiltDispatch('GUILD_CREATE', () => recipe().toGuildCreate(options)));
			return;
		}
		const guild = this.#world.guilds.read(id);
		if (guild?.available) this.session.dispatch(EncodedDispatch.of('GUILD_CREATE', guild.toGuildCreate(options)));
		else if (guild) this.session.dispatch(EncodedDispatch.of('GUILD_DELETE', { id, unavailable: true }));
	}
}
