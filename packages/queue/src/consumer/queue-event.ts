// An event as a handler gets it.
import { createHash } from 'node:crypto';
import { type QueueLayout, shardOfPartition } from '../wire/partitions.js';
import type { Effect, EffectOutcome, Effects, OnceOptions } from './effects.js';
import type { Entry } from './entry.js';

export interface QueueEvent {
	/** Discord's name of it, such as `MESSAGE_CREATE`. */
	readonly type: string;
	/** Discord's `d`. */
	readonly data: unknown;
	/** Null for an event of no guild, such as a direct message. */
	readonly guildId: string | null;
	readonly shardId: number;
	/** The same each time that the event is delivered, and no other event's. */
	readonly key: string;
	/** Made of the key, for Discord's `nonce`: with `enforce_nonce: true` a message that is sent again within minutes is not posted twice. */
	readonly nonce: string;
	/**
	 * An interaction that has a deferred response already (see `defer` of `connectQueue`): edit that (`@original`), or send a follow-up, within
	 * 15 minutes. False: respond yourself.
	 */
	readonly deferred: boolean;
	/** 1 the first time; greater when a handler or a worker failed with it before. */
	readonly attempt: number;
	/**
	 * Runs an effect that must not happen again when the event is delivered again. Resolves with `done` where it ran, `before` where it had
	 * run for an earlier delivery, and `unknown` where an earlier delivery began it and its process ended: it may have happened, and is not
	 * repeated (`ifUnknown: 'repeat'` runs it again). When the effect fails, the returned promise rejects, and the next delivery runs it again.
	 */
	once(effect: Effect, options?: OnceOptions): Promise<EffectOutcome>;
}

export class DeliveredEvent implements QueueEvent {
	readonly type: string;
	readonly guildId: string | null;
	readonly shardId: number;
	readonly attempt: number;
	readonly deferred: boolean;
	readonly #entry: Entry;
	readonly #effects: Effects;
	#data: unknown;

	constructor(
		entry: Entry,
		{ layout, attempt, deferred, effects }: { layout: QueueLayout; attempt: number; deferred: boolean; effects: Effects },
	) {
		this.type = entry.type;
		this.guildId = entry.guildId;
		this.shardId = shardOfPartition(entry.partition, layout);
		this.attempt = attempt;
		this.deferred = deferred;
		this.#entry = entry;
		this.#effects = effects;
	}

	/** Parsed when it is asked for the first time. */
	get data(): unknown {
		this.#data ??= JSON.parse(this.#entry.data) as unknown;
		return this.#data;
	}

	get key(): string {
		return keyOf(this.#entry);
	}

	get nonce(): string {
		// At most 25 characters.
		return createHash('sha256').update(this.key).digest('base64url').slice(0, 24);
	}

	once(effect: Effect, options?: OnceOptions): Promise<EffectOutcome> {
		return this.#effects.once(this.key, effect, options);
	}
}

export function keyOf({ session, seq }: Pick<Entry, 'session' | 'seq'>): string {
	return `${session}:${seq}`;
}
