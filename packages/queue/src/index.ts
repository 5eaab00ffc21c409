export type { ConnectQueueOptions, MissedEvents } from './consumer/connect-options.js';
export {
	connectQueue,
	type EventHandler,
	Queue,
	type QueueStats,
	type RestClient,
} from './consumer/connect-queue.js';
export { type CoreClient, CoreGateway } from './consumer/core-gateway.js';
export type { Effect, EffectOutcome, OnceOptions } from './consumer/effects.js';
export type { QueueEvent } from './consumer/queue-event.js';
export { DeadEvents, type DeadEventsOutcome } from './figures/dead-events.js';
export { emptyLook, QueueFigures, type QueueLook } from './figures/queue-figures.js';
export { type RemovedGroup, removeGroup } from './figures/remove-group.js';
export { InteractionDeferral, type InteractionDeferralOptions } from './producer/interaction-deferral.js';
export { RequestResponder, type RequestResponderOptions } from './producer/request-responder.js';
export { type QueuedEvent, ShardWriter, type ShardWriterOptions, type WriterCounters } from './producer/shard-writer.js';
export type { GatewayRequest } from './wire/gateway-request.js';
export { type QueueKeys, queueKeys } from './wire/keys.js';
export { layoutMismatch } from './wire/layout-mismatch.js';
export { partitionCount, partitionOf, type QueueLayout, queueLayout, shardOfPartition } from './wire/partitions.js';
export { decodeSubscription, interactionEvent, type Subscription } from './wire/subscription.js';
