// The attached clients of this process, each with the adapter of its library.
import { messageOf, type ShardSample } from '@shardctl/core';
import type { ClientAdapter } from './client-adapter.js';
import { field } from './fields.js';

interface Attachment {
	client: unknown;
	adapter: ClientAdapter<unknown>;
}

export class Attachments {
	/** The current one first. */
	readonly #attachments: Attachment[] = [];

	/**
	 * The client that scripts run on and values are read from: the one that was last seen to become ready, because a bot may destroy
	 * its client and make a new one. The first that was attached before any is ready.
	 */
	get current(): { client: unknown } | undefined {
		return this.#attachments[0];
	}

	/** Whether an object is an attached client, or the gateway manager inside one (@discordjs/core's, discord.js's). */
	has(object: unknown): boolean {
		return this.#attachments.some(
			({ client }) => client === object || field(client, 'gateway') === object || field(field(client, 'ws'), '_ws') === object,
		);
	}

	/** False when the client was attached before. */
	add<Client>(client: Client, adapter: ClientAdapter<Client>): boolean {
		if (this.has(client)) return false;
		this.#attachments.push({ client, adapter: adapter as ClientAdapter<unknown> });
		return true;
	}

	/** A shard of a client became ready. */
	noteReady(client: unknown): void {
		const index = this.#attachments.findIndex((attachment) => attachment.client === client);
		if (index > 0) this.#attachments.unshift(...this.#attachments.splice(index, 1));
	}

	/** One sample per shard; if two clients have the same shard, the current one's. An adapter that throws is skipped. */
	sample(): ShardSample[] {
		const samples = new Map<number, ShardSample>();
		for (const { client, adapter } of this.#attachments) {
			try {
				for (const sample of adapter.sample(client)) {
					if (!samples.has(sample.shardId)) samples.set(sample.shardId, sample);
				}
			} catch {
				// A client that is half built or half destroyed; the next sample has it.
			}
		}
		return [...samples.values()];
	}

	/** Resolves when the bot has finished the event handlers that are running now, as far as adapters know. */
	async settleAll(): Promise<void> {
		await Promise.allSettled(this.#attachments.map(async ({ client, adapter }) => adapter.settle?.(client)));
	}

	/** Logs every client out; a failure is reported and does not stop the others. */
	async destroyAll(): Promise<void> {
		const logouts = this.#attachments.map(async ({ client, adapter }) => adapter.destroy(client));
		for (const result of await Promise.allSettled(logouts)) {
			if (result.status === 'rejected') console.error(`logging out failed: ${messageOf(result.reason)}`);
		}
	}
}
