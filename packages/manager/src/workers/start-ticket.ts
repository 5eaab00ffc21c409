// What a session mode gives each process of a worker before it is started.
import type { GatewayInfo } from '@shardctl/core';

/** What one process of a worker is started with: where its shards connect, and what that costs. */
export interface StartTicket {
	/** What the process gets in place of Discord's reply to `GET /gateway/bot`. */
	gateway: GatewayInfo;
	/** Whether each IDENTIFY of it starts a session with Discord, of which the day has a limited number. */
	startsSessions: boolean;
	/** See `WorkerConfig.leaseUntilMs`. */
	leaseUntilMs?: number;
}
