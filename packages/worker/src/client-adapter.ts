// What shardctl has to know about a gateway library: how to see a shard come and go, what to measure, how to log out.
// One small object per library; everything else in this package is the same for all of them.
import type { ShardReport, ShardSample } from '@shardctl/core';

/** Where an adapter reports what happens to the client's shards. */
export type ShardReporter = (report: ShardReport) => void;

/**
 * Teaches shardctl one gateway library.
 *
 * @example
 * const myLibrary: ClientAdapter<MyClient> = {
 *   library: 'my-library 1.0',
 *   observe: (client, report) => {
 *     client.on('ready', (shardId) => report({ shardId, status: 'ready' }));
 *     client.on('closed', (shardId, closeCode) => report({ shardId, status: 'disconnected', closeCode }));
 *   },
 *   sample: (client) => client.shards.map((shard) => ({ shardId: shard.id, guildCount: shard.guilds, userCount: 0, ping: shard.ping })),
 *   destroy: (client) => client.disconnect(),
 * };
 */
export interface ClientAdapter<Client> {
	/** Name and version, for people. */
	library: string;
	/** Listens on the client and reports each change of a shard's connection. */
	observe(client: Client, report: ShardReporter): void;
	/** The figures of the shards that this client holds, as they are now. Called every few seconds, so it should be cheap. */
	sample(client: Client): ShardSample[];
	/** Logs out, so that Discord shows the bot offline at once. */
	destroy(client: Client): void | Promise<void>;
}
