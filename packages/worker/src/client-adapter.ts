// What shardctl needs from a gateway library: how to set its slice, how to observe its shards, what to measure, how to log out. One small object per library; everything else in this package is the same for all of them.
import type { GatewayInfo, ShardReport, ShardSample } from '@shardctl/core';
import type { IdentifyGate } from './identify-gate.js';

/** Receives each change of a shard's connection. */
export type ShardReporter = (report: ShardReport) => void;

/** What a worker provides to a client that is about to connect. */
export interface WorkerAccess {
	/** Ascending. */
	readonly shardIds: readonly number[];
	readonly totalShards: number;
	/** Base URL of Discord's REST API, without a version. */
	readonly api: string;
	/** The manager's response from `GET /gateway/bot`. */
	readonly gateway: GatewayInfo;
	/** `wait(shardId, signal)` before each IDENTIFY; `confirm(shardId)` at READY, if the library shows it before the shard is ready. */
	readonly identify: Pick<IdentifyGate, 'wait' | 'confirm'>;
	/** Whether a token is the one that the manager runs the fleet with. */
	isOwnToken(token: string | null | undefined): boolean;
}

/**
 * Connects one gateway library to shardctl.
 *
 * @example
 * const myLibrary: ClientAdapter<MyClient> = {
 *   library: 'my-library 1.0',
 *   prepare: (client, { shardIds, totalShards, identify }) => {
 *     client.options.shards = shardIds;
 *     client.options.shardCount = totalShards;
 *     client.options.beforeIdentify = (shardId) => identify.wait(shardId);
 *   },
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
	/** Called first, before the client connects: gives it its slice, the API's address, and makes each IDENTIFY wait. */
	prepare?(client: Client, worker: WorkerAccess): void;
	/** Listens on the client and reports each change of a shard's connection. */
	observe(client: Client, report: ShardReporter): void;
	/** The figures of the shards that this client holds, as they are now. Called every few seconds, so it should be cheap. */
	sample(client: Client): ShardSample[];
	/** Resolves when the bot has finished the event handlers that are running now. The caller enforces the timeout. */
	settle?(client: Client): Promise<void>;
	/** Logs out, so that Discord shows the bot offline at once. */
	destroy(client: Client): void | Promise<void>;
}
