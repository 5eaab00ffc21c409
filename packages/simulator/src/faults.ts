// Faults on demand: everything that Discord or the network does to a bot on a bad day. Each one is recorded in the log.
import type { GatewayConnection, GatewayServer } from '@shardctl/gateway-protocol';
import type { EventLog } from './event-log.js';
import type { IdentifyGate } from './gateway/identify-gate.js';
import type { SessionBudget } from './gateway/session-budget.js';
import { setAvailability } from './world/changes/guilds.js';
import type { World } from './world/world.js';

/** Which connections a fault hits; what is left out matches all. */
export interface FaultTarget {
	shard?: number;
	shardCount?: number;
	sessionId?: string;
	connectionId?: number;
}

export interface FaultsOptions {
	world: World;
	gateway: GatewayServer;
	budget: SessionBudget;
	gate: IdentifyGate;
	log: EventLog;
	/** Overrides what /gateway/bot recommends; `undefined` lets it follow the guild count again. */
	recommendShards: (shards: number | undefined) => void;
}

export class Faults {
	readonly #options: FaultsOptions;

	constructor(options: FaultsOptions) {
		this.#options = options;
	}

	/** Closes connections with any code. Answers how many. */
	close(code: number, target: FaultTarget = {}): number {
		return this.#each('close', target, { code }, (connection) => connection.close(code, 'fault'));
	}

	/** Sends op 7 (Reconnect). */
	reconnect(target: FaultTarget = {}): number {
		return this.#each('reconnect', target, {}, (connection) => connection.requestReconnect());
	}

	/** Sends op 9 (Invalid Session). */
	invalidate(target: FaultTarget & { resumable?: boolean } = {}): number {
		const { resumable = false, ...rest } = target;
		return this.#each('invalidate', rest, { resumable }, (connection) => connection.invalidateSession({ resumable }));
	}

	/** Drops the TCP connection without a close frame. */
	drop(target: FaultTarget = {}): number {
		return this.#each('drop', target, {}, (connection) => connection.terminate());
	}

	/** Asks for a heartbeat at once (op 1). */
	requestHeartbeat(target: FaultTarget = {}): number {
		return this.#each('request-heartbeat', target, {}, (connection) => connection.requestHeartbeat());
	}

	/** The gateway restarts: every connection drops; `keepSessions: false` loses the sessions as well. */
	restartGateway({ keepSessions = true }: { keepSessions?: boolean } = {}): number {
		const { gateway } = this.#options;
		const hit = this.#each('restart-gateway', {}, { keepSessions }, (connection) => connection.terminate());
		if (!keepSessions) gateway.sessions.endAll('invalidated');
		return hit;
	}

	/** Guilds go into an outage, or come back. */
	guildOutage(guildIds: string | readonly string[], { over = false }: { over?: boolean } = {}): number {
		const ids = typeof guildIds === 'string' ? [guildIds] : guildIds;
		this.#options.log.add('fault', { fault: 'guild-outage', guildIds: ids, over });
		return ids.filter((id) => setAvailability(this.#options.world, id, over)).length;
	}

	/** Sets what is left of the session starts (default: nothing). */
	sessionStarts({ remaining = 0, ...rest }: { total?: number; remaining?: number; resetAfterMs?: number } = {}): void {
		this.#options.log.add('fault', { fault: 'session-starts', remaining, ...rest });
		this.#options.budget.set({ remaining, ...rest }, this.#options.world.clock.monotonic());
	}

	/** Changes the shard count that /gateway/bot recommends. */
	recommendShards(shards: number | undefined): void {
		this.#options.log.add('fault', { fault: 'recommend-shards', shards });
		this.#options.recommendShards(shards);
	}

	/** Changes max_concurrency. */
	maxConcurrency(value: number): void {
		this.#options.log.add('fault', { fault: 'max-concurrency', value });
		this.#options.gate.maxConcurrency = value;
	}

	#each(fault: string, target: FaultTarget, details: object, hit: (connection: GatewayConnection) => void): number {
		const connections = [...this.#options.gateway.connections.values()].filter((connection) => matches(connection, target));
		this.#options.log.add('fault', { fault, ...target, ...details, connections: connections.map(({ id }) => id) });
		for (const connection of connections) hit(connection);
		return connections.length;
	}
}

function matches(connection: GatewayConnection, { shard, shardCount, sessionId, connectionId }: FaultTarget): boolean {
	const { session } = connection;
	return (
		(shard === undefined || session?.shardId === shard) &&
		(shardCount === undefined || session?.shardCount === shardCount) &&
		(sessionId === undefined || session?.id === sessionId) &&
		(connectionId === undefined || connection.id === connectionId)
	);
}
