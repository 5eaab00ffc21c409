// What a worker asks of the gateway process that has a shard's session: over channels of Redis, answered or at the deadline.
import type { MessageSeal, RedisPort } from '@shardctl/cluster';
import { type Clock, type Deferred, deferred, ShardctlError, type Timer } from '@shardctl/core';
import { type GatewayRequest, openAnswer, type RequestMessage } from '../wire/gateway-request.js';
import type { QueueKeys } from '../wire/keys.js';

export interface GatewayRequestsOptions {
	redis: RedisPort;
	keys: QueueKeys;
	member: string;
	seal: MessageSeal;
	clock: Clock;
}

const timeoutMs = 5000;

export class GatewayRequests {
	readonly #options: GatewayRequestsOptions;
	readonly #waiting = new Map<number, { answer: Deferred<unknown>; timer: Timer }>();
	#listening: Promise<unknown> | undefined;
	#lastId = 0;

	constructor(options: GatewayRequestsOptions) {
		this.#options = options;
	}

	/** Rejects with `GATEWAY_UNAVAILABLE` while no gateway process has the shard, `CALL_TIMEOUT`, or what the gateway process refused it with. */
	async ask(shard: number, request: GatewayRequest): Promise<unknown> {
		const { redis, keys, member, seal, clock } = this.#options;
		const reply = keys.answers(member);
		this.#listening ??= redis.subscribe(reply, (message) => this.#take(message));
		await this.#listening.catch((error: unknown) => {
			this.#listening = undefined;
			throw error;
		});
		const id = ++this.#lastId;
		const message: RequestMessage = { id, reply, at: clock.now(), request };
		const answer = deferred<unknown>();
		// It may be refused before anything waits for it: the answer has a connection of its own.
		answer.promise.catch(() => {});
		const timer = clock.setTimeout(() => {
			answer.reject(
				new ShardctlError('CALL_TIMEOUT', `the gateway process of shard ${shard} did not answer within ${timeoutMs / 1000} s`),
			);
		}, timeoutMs);
		this.#waiting.set(id, { answer, timer });
		try {
			const receivers = await redis.publish(keys.requests(shard), seal.seal(JSON.stringify(message)));
			if (receivers === 0)
				throw new ShardctlError('GATEWAY_UNAVAILABLE', `no gateway process has shard ${shard} at the moment: try again`);
			return await answer.promise;
		} finally {
			clock.clearTimeout(timer);
			this.#waiting.delete(id);
		}
	}

	#take(message: Buffer): void {
		const answer = openAnswer(this.#options.seal, message);
		const waiting = answer && this.#waiting.get(answer.id);
		if (!waiting) return;
		if ('error' in answer) waiting.answer.reject(new ShardctlError(answer.error.code, answer.error.message));
		else waiting.answer.resolve(answer.result);
	}
}
