// Which effects of events have happened: a mark in Redis for each, for a bounded time. The mark is set before the effect, and says afterwards
// that it is done.
import type { RedisPort } from '@shardctl/cluster';
import { ShardctlError } from '@shardctl/core';
import { effectScripts } from '../scripts/effect-scripts.js';
import type { QueueKeys } from '../wire/keys.js';

export type Effect = () => unknown;
export type EffectOutcome = 'done' | 'before' | 'unknown';

export interface OnceOptions {
	/** Tells several effects of one event apart. */
	name?: string;
	/** What happens with an effect that was begun, and of which is not known whether it happened (default `skip`). */
	ifUnknown?: 'skip' | 'repeat';
	/** How long the effect is remembered (default one hour). Longer than events are kept in the queue, so that none is delivered after it. */
	keepMs?: number;
}

export interface EffectsOptions {
	redis: RedisPort;
	keys: QueueKeys;
	group: string;
}

const keepMsDefault = 3_600_000;

export class Effects {
	readonly #options: EffectsOptions;
	readonly #scripts = effectScripts();

	constructor(options: EffectsOptions) {
		this.#options = options;
	}

	async once(event: string, effect: Effect, options: OnceOptions = {}): Promise<EffectOutcome> {
		const { redis, keys, group } = this.#options;
		const { name = '', ifUnknown = 'skip', keepMs = keepMsDefault } = options;
		if (!Number.isSafeInteger(keepMs) || keepMs < 1)
			throw new ShardctlError('OPTIONS_INVALID', 'keepMs of once() must be a whole number of at least 1');
		const key = keys.once(group, name === '' ? event : `${event}:${name}`);
		const known = (await redis.script(this.#scripts.begin, [key], [keepMs])) as string;
		if (known === 'done') return 'before';
		if (known === 'begun' && ifUnknown === 'skip') return 'unknown';
		try {
			await effect();
		} catch (error) {
			// The next delivery runs it again. Without an answer of Redis it is unknown to it.
			await redis.batch([['DEL', key]]).catch(() => {});
			throw error;
		}
		// Without an answer the mark says that the effect was begun: it is not repeated, unless that was asked for.
		await redis.script(this.#scripts.done, [key], [keepMs]).catch(() => {});
		return 'done';
	}
}
