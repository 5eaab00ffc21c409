// Answers what workers of the queue ask of the process that has a shard's session.
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

/** The worker has given it up, or it is a copy of one that was answered. The clocks of the machines may differ by some of it. */
const oldestMs = 30_000;

export class RequestResponder {
	readonly #options: RequestResponderOptions;

	constructor(options: RequestResponderOptions) {
		this.#options = options;
	}

	/** Until the connection is closed. Resolves when it listens. */
	async start(): Promise<void> {
		const { redis, keys, shard } = this.#options;
		await redis.subscribe(keys.requests(shard), (message) => this.#take(message));
	}

	#take(message: Buffer): void {
		const { redis, seal, clock, isOwner, answer } = this.#options;
		const asked = openRequest(seal, message);
		if (!asked || Math.abs(clock.now() - asked.at) > oldestMs || !isOwner()) return;
		let reply: AnswerMessage;
		try {
			reply = { id: asked.id, result: answer(asked.request) ?? null };
		} catch (error) {
			const code = ShardctlError.is(error) ? error.code : 'INTERNAL';
			reply = { id: asked.id, error: { code, message: messageOf(error) } };
		}
		// Without it the worker gives up at its deadline.
		redis.publish(asked.reply, seal.seal(JSON.stringify(reply))).catch(() => {});
	}
}
