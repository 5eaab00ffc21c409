// Faults on demand, one method each: everything that Discord or the network does to a bot on a bad day. Each one is recorded in the
// log. Those that happen once happen here; those that last are kept in conditions.ts.
import type { Timer } from '@shardctl/core';
import type { GatewayConnection, GatewayServer } from '@shardctl/gateway-protocol';
import type { EventLog } from '../event-log.js';
import type { IdentifyGate } from '../gateway/identify-gate.js';
import type { SessionBudget } from '../gateway/session-budget.js';
import { setAvailability } from '../world/changes/guilds.js';
import type { World } from '../world/world.js';
import {
	type Conditions,
	type FaultTarget,
	type GatewayCondition,
	matches,
	type RestCondition,
	type RestTarget,
} from './conditions.js';

/** How long a fault lasts: until it is ended by its id, or for so long. */
export interface Lasting {
	forMs?: number | undefined;
}

export interface FaultInjectorOptions {
	world: World;
	gateway: GatewayServer;
	budget: SessionBudget;
	gate: IdentifyGate;
	log: EventLog;
	conditions: Conditions;
	/** Overrides what /gateway/bot recommends; `undefined` lets it follow the guild count again. */
	recommendShards: (shards: number | undefined) => void;
}

export class FaultInjector {
	readonly #options: FaultInjectorOptions;
	/** Outages that end by themselves. */
	readonly #outages = new Set<Timer>();

	constructor(options: FaultInjectorOptions) {
		this.#options = options;
	}

	protected get conditions(): Conditions {
		return this.#options.conditions;
	}

	/** Outages that would have ended by themselves stay. */
	protected forgetOutages(): void {
		for (const timer of this.#outages) this.#options.world.clock.clearTimeout(timer);
		this.#outages.clear();
	}

	/** Closes connections with any code. Returns how many. */
	close(code: number, target: FaultTarget = {}): number {
		return this.#each('close', target, { code }, (connection) => connection.close(code, 'fault'));
	}

	/** Sends op 7 (Reconnect). */
	reconnect(target: FaultTarget = {}): number {
		return this.#each('reconnect', target, {}, (connection) => connection.requestReconnect());
	}

	/** Sends op 9 (Invalid Session). */
	invalidate(target: FaultTarget & { resumable?: boolean | undefined } = {}): number {
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

	/** Nothing gets through any more, either way, and the connection stays open. Without a target also on new connections. */
	blackHole({ forMs, ...target }: FaultTarget & Lasting = {}): number {
		return this.#gatewayCondition({ kind: 'black-hole' }, target, forMs);
	}

	/** Heartbeats are not acknowledged. */
	withholdAcks({ forMs, ...target }: FaultTarget & Lasting = {}): number {
		return this.#gatewayCondition({ kind: 'withhold-acks' }, target, forMs);
	}

	/** Every frame is late, both ways. */
	latency({ forMs, ms, jitterMs = 0, ...target }: FaultTarget & Lasting & { ms: number; jitterMs?: number | undefined }): number {
		return this.#gatewayCondition({ kind: 'latency', ms, jitterMs }, target, forMs);
	}

	/** The client's frames are read one every `everyMs`. */
	slowReads({ forMs, everyMs, ...target }: FaultTarget & Lasting & { everyMs: number }): number {
		return this.#gatewayCondition({ kind: 'slow-reads', everyMs }, target, forMs);
	}

	/** New connections get op 7 before HELLO, or instead of it. */
	reconnectOnConnect({ forMs, instead = false }: Lasting & { instead?: boolean | undefined } = {}): number {
		return this.#gatewayCondition({ kind: 'reconnect-on-connect', instead }, {}, forMs);
	}

	/** REST responds with this status. */
	restStatus({ forMs, status, path, method, share }: RestTarget & Lasting & { status: number }): number {
		return this.#restCondition({ kind: 'status', status }, { path, method, share }, forMs);
	}

	/** REST responds with 429. */
	restRateLimit({
		forMs,
		scope = 'user',
		retryAfterMs = 1000,
		path,
		method,
		share,
	}: RestTarget &
		Lasting & { scope?: 'user' | 'global' | 'shared' | undefined; retryAfterMs?: number | undefined } = {}): number {
		return this.#restCondition({ kind: 'rate-limit', scope, retryAfterMs }, { path, method, share }, forMs);
	}

	/** REST takes requests and never responds. */
	restHang({ forMs, path, method, share }: RestTarget & Lasting = {}): number {
		return this.#restCondition({ kind: 'hang' }, { path, method, share }, forMs);
	}

	/** REST responds late. */
	restLatency({
		forMs,
		ms,
		jitterMs = 0,
		path,
		method,
		share,
	}: RestTarget & Lasting & { ms: number; jitterMs?: number | undefined }): number {
		return this.#restCondition({ kind: 'latency', ms, jitterMs }, { path, method, share }, forMs);
	}

	/** Guilds go into an outage, for so long or until it is `over`. Returns how many guilds. */
	guildOutage(
		guildIds: string | readonly string[],
		{ over = false, forMs }: Lasting & { over?: boolean | undefined } = {},
	): number {
		const { world, log } = this.#options;
		const ids = typeof guildIds === 'string' ? [guildIds] : guildIds;
		log.add('fault', { fault: 'guild-outage', guildIds: ids, over });
		if (forMs !== undefined && !over) {
			const timer = world.clock.setTimeout(() => {
				this.#outages.delete(timer);
				this.guildOutage(ids, { over: true });
			}, forMs);
			this.#outages.add(timer);
		}
		return ids.filter((id) => setAvailability(world, id, over)).length;
	}

	/** Sets what is left of the session starts (default: nothing). */
	sessionStarts({
		total,
		remaining = 0,
		resetAfterMs,
	}: {
		total?: number | undefined;
		remaining?: number | undefined;
		resetAfterMs?: number | undefined;
	} = {}): void {
		this.#options.log.add('fault', { fault: 'session-starts', total, remaining, resetAfterMs });
		this.#options.budget.set({ total, remaining, resetAfterMs }, this.#options.world.clock.monotonic());
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

	#gatewayCondition(condition: GatewayCondition, target: FaultTarget, forMs: number | undefined): number {
		const { kind: fault, ...details } = condition;
		const { shard, shardCount, sessionId, connectionId } = target;
		const hit = { shard, shardCount, sessionId, connectionId };
		this.#options.log.add('fault', { fault, ...details, ...hit, forMs });
		return this.#options.conditions.startGateway(condition, hit, forMs);
	}

	#restCondition(condition: RestCondition, target: RestTarget, forMs: number | undefined): number {
		const { kind, ...details } = condition;
		this.#options.log.add('fault', { fault: `rest-${kind}`, ...details, ...target, forMs });
		return this.#options.conditions.startRest(condition, target, forMs);
	}

	#each(
		fault: string,
		{ shard, shardCount, sessionId, connectionId }: FaultTarget,
		details: object,
		hit: (connection: GatewayConnection) => void,
	): number {
		const target = { shard, shardCount, sessionId, connectionId };
		const connections = [...this.#options.gateway.connections.values()].filter((connection) => matches(connection, target));
		this.#options.log.add('fault', { fault, ...target, ...details, connections: connections.map(({ id }) => id) });
		for (const connection of connections) hit(connection);
		return connections.length;
	}
}
