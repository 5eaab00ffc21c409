// Responds to what workers of the queue ask of the process that has a shard's session.
import type { MessageSeal, RedisPort } from '@shardctl/cluster';
import { type Clock, messageOf, ShardctlError } from '@shardctl/core';
import { type AnswerMessage, type GatewayRequest, openRequest } from '../wire/gateway-request.js';
import type { QueueKeys } from '../wire/keys.js';

export interface RequestResponderOptions {
	redis: RedisPort;
	keys: QueueKeys;
	shard: number;
	seal: MessageSeal;
	clock: Clock;
	/** Whether this process has the session; else another one answers. */
	isOwner(): boolean;
	/** The result; a `ShardctlError` that it throws is the answer. */
	answer(request: GatewayRequest): unknown;
}

/** How far the clocks of the machines may differ, and how long a request may be under way. */
const oldestMs = 30_000;
/** A copy of a request is accepted no longer than this, so it is remembered as long. */
const rememberMs = 2 * oldestMs;
/** The oldest is forgotten for the next one. Discord accepts 120 sends of a session a minute; the others ask for guilds. */
const rememberAtMost = 20_000;

export class RequestResponder {
	readonly #options: RequestResponderOptions;
	/** Requests that were accepted, and when, by the monotonic clock. In order. */
	readonly #accepted = new Map<string, number>();

	constructor(options: RequestResponderOptions) {
		this.#options = options;
	}

	/** Until the connection is closed. Resolves when it listens. */
	async start(): Promise<void> {
		const { redis, keys, shard } = this.#options;
		await redis.subscribe(keys.requests(shard), (message) => this.#take(message));
	}

	#take(message: Buffer): void {
		const { seal, clock, isOwner, answer } = this.#options;
		const asked = openRequest(seal, message);
		if (!asked || !isOwner()) return;
		const { id, reply, at, request } = asked;
		const lateMs = clock.now() - at;
		if (Math.abs(lateMs) > oldestMs) {
			const apart = `${Math.round(Math.abs(lateMs) / 1000)} s ${lateMs > 0 ? 'behind' : 'ahead of'}`;
			const message = `the clock of the worker is ${apart} the clock of the gateway process, which accepts ${oldestMs / 1000} s: synchronize the clocks of both machines`;
			this.#reply(reply, { id, error: { code: 'CALL_TIMEOUT', message } });
			return;
		}
		if (!this.#isFirst(`${reply} ${id}`)) return;
		try {
			this.#reply(reply, { id, result: answer(request) ?? null });
		} catch (error) {
			const code = ShardctlError.is(error) ? error.code : 'INTERNAL';
			this.#reply(reply, { id, error: { code, message: messageOf(error) } });
		}
	}

	/** A person who can only read and write Redis may send a copy of a request. */
	#isFirst(request: string): boolean {
		const now = this.#options.clock.monotonic();
		for (const [each, acceptedAt] of this.#accepted) {
			if (now - acceptedAt <= rememberMs && this.#accepted.size < rememberAtMost) break;
			this.#accepted.delete(each);
		}
		if (this.#accepted.has(request)) return false;
		this.#accepted.set(request, now);
		return true;
	}

	/** Without it the worker gives up at its deadline. */
	#reply(channel: string, reply: AnswerMessage): void {
		const { redis, seal } = this.#options;
		redis.publish(channel, seal.seal(JSON.stringify(reply))).catch(() => {});
	}
}
