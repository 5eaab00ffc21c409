export { type ConnectQueueOptions, connectQueue, type EventHandler, Queue, type QueueStats } from './consumer/connect-queue.js';
export { type CoreClient, CoreGateway } from './consumer/core-gateway.js';
export type { QueueEvent } from './consumer/entry.js';
export { type QueuedEvent, ShardWriter, type ShardWriterOptions, type WriterCounters } from './producer/shard-writer.js';
export { type QueueKeys, queueKeys } from './wire/keys.js';
export { partitionCount, partitionOf, type QueueLayout, queueLayout, shardOfPartition } from './wire/partitions.js';
export { decodeSubscription, type Subscription } from './wire/subscription.js';
