// The queue as the gateway of a `Client` of @discordjs/core. The client's own way of emitting does not say when its listeners have settled,
// so they are called here, with what the client would call them with. Nothing of the library is imported: its types are described as far
// as they are used.
import { ShardctlError } from '@shardctl/core';
import type { QueueLayout } from '../wire/partitions.js';
import type { QueueEvent } from './queue-event.js';

/** What is used of a `Client` of @discordjs/core. */
export interface CoreClient {
	readonly api: unknown;
	readonly gateway: unknown;
	/** Which events there are depends on the client. */
	rawListeners(event: never): readonly unknown[];
}

/** Discord: Gateway, "Send Events": op 3, 4, 8, … */
export interface SendPayload {
	readonly op: number;
	readonly d: unknown;
}

type SendToShard = (shardId: number, payload: SendPayload) => Promise<unknown>;

export class CoreGateway {
	readonly #layout: () => Promise<QueueLayout>;
	readonly #send: SendToShard;

	constructor(layout: () => Promise<QueueLayout>, send: SendToShard) {
		this.#layout = layout;
		this.#send = send;
	}

	async getShardCount(): Promise<number> {
		return (await this.#layout()).shards;
	}

	/** The client registers its own way of emitting here; {@link deliver} replaces it. */
	on(_event: unknown, _listener: unknown): this {
		return this;
	}

	/** Resolves when the gateway process that has the shard has accepted it. */
	async send(shardId: number, payload: SendPayload): Promise<void> {
		await this.#send(shardId, payload);
	}

	/** @internal Resolves when every listener has settled; rejects with the first failure. */
	async deliver(client: CoreClient, event: QueueEvent): Promise<void> {
		if (client.gateway !== this)
			throw new ShardctlError(
				'OPTIONS_INVALID',
				'the client was not made with the gateway of this queue: new Client({ rest, gateway: queue.gateway })',
			);
		const listeners = client.rawListeners(event.type as never) as ((props: object) => unknown)[];
		if (listeners.length === 0) return;
		const props = { api: client.api, data: event.data, shardId: event.shardId };
		const outcomes = await Promise.allSettled(listeners.map(async (listener) => listener.call(client, props)));
		for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
	}
}
