// The public door of a worker of the event queue: what `import … from 'shardctl/queue'` gives.
export {
	type ConnectQueueOptions,
	type CoreClient,
	connectQueue,
	type EventHandler,
	type Queue,
	type QueueEvent,
	type QueueStats,
	type RestClient,
} from '@shardctl/queue';
