// One node's end of the global REST limit that all nodes divide among themselves in Redis. When a node asks is decided in its REST process.
import { type LimitPart, type LimitWish, messageOf, ShardctlError } from '@shardctl/core';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisPort, RedisScript } from '../redis/redis-port.js';
import { redisSources, type ScriptSources } from '../scripts/preamble.js';
import { restLimitScript } from './rest-limit-script.js';

export interface RedisRestLimitOptions {
	redis: RedisPort;
	keys: ClusterKeys;
	/** Names this node. */
	node: string;
	/** Of the whole bot. */
	perSecond: number;
	/** Nodes of the cluster, as far as they are known. */
	nodes(): number;
	/** Called once for a series of failed calls. */
	onFailed?(error: ShardctlError): void;
	/** @internal For tests. */
	sources?: ScriptSources;
}

/** Between the calls of a node that is alone. */
const shortestMs = 300;
/** What a node sent at the end counts until a second after its answer. */
const countedMs = 2050;
/** The REST process asks again soon. */
const callTimeoutMs = 500;

export class RedisRestLimit {
	readonly #options: RedisRestLimitOptions;
	readonly #script: RedisScript;
	#failing = false;

	constructor(options: RedisRestLimitOptions) {
		this.#options = options;
		this.#script = restLimitScript(options.sources ?? redisSources);
	}

	/** Never rejects. */
	async ask({ want, keep }: LimitWish): Promise<LimitPart> {
		const { redis, keys, node, perSecond, nodes, onFailed } = this.#options;
		const known = Math.max(1, nodes());
		try {
			const args = [node, perSecond, want, keep, known, shortestMs, countedMs];
			const answer = await redis.script(this.#script, [keys.restLimit], args, { timeoutMs: callTimeoutMs });
			const [tokens, lentMs, intervalMs, atLeast] = (answer as unknown[]).map(Number) as [number, number, number, number];
			this.#failing = false;
			return { tokens, lentMs, intervalMs, nodes: atLeast };
		} catch (error) {
			if (!this.#failing)
				onFailed?.(ShardctlError.is(error) ? error : new ShardctlError('INTERNAL', messageOf(error), { cause: error }));
			this.#failing = true;
			return { tokens: null, nodes: known };
		}
	}
}
