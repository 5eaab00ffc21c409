// Faults that last: what is wrong with the network or with REST at the moment, for whom, and until when. Each connection and
// each REST call asks here. A timer is kept only for a fault that ends by itself.
import type { Clock, Timer } from '@shardctl/core';
import type { GatewayConnection } from '@shardctl/gateway-protocol';

/** Which connections a fault hits; what is left out matches all. */
export interface FaultTarget {
	shard?: number | undefined;
	shardCount?: number | undefined;
	sessionId?: string | undefined;
	connectionId?: number | undefined;
}

/** What can be wrong with a gateway connection. */
export type GatewayCondition =
	/** Nothing gets through, either way; the connection stays open. */
	| { kind: 'black-hole' }
	/** Heartbeats are heard and not acknowledged. */
	| { kind: 'withhold-acks' }
	/** Every frame, both ways, is late by `ms` plus up to `jitterMs`; the order stays. */
	| { kind: 'latency'; ms: number; jitterMs: number }
	/** The client's frames are read one every `everyMs`. */
	| { kind: 'slow-reads'; everyMs: number }
	/** Op 7 before HELLO, or instead of it, on new connections. */
	| { kind: 'reconnect-on-connect'; instead: boolean };

/** What can be wrong with REST. */
export type RestCondition =
	/** Responds with an error of the server. */
	| { kind: 'status'; status: number }
	/** Responds with 429; `scope` as in Discord's header. */
	| { kind: 'rate-limit'; scope: 'user' | 'global' | 'shared'; retryAfterMs: number }
	/** Takes the request and never responds. */
	| { kind: 'hang' }
	/** Responds late. */
	| { kind: 'latency'; ms: number; jitterMs: number };

export interface ActiveFault {
	id: number;
	door: 'gateway' | 'rest';
	condition: GatewayCondition | RestCondition;
	/** What it hits, as it was given. */
	target: object;
}

interface GatewayEntry extends ActiveFault {
	door: 'gateway';
	condition: GatewayCondition;
	target: FaultTarget;
}

export interface RestTarget {
	/** Only requests whose path (without `/api/v10`) begins with this. */
	path?: string | undefined;
	method?: string | undefined;
	/** Share of the requests that it hits, 0 to 1 (default 1). */
	share?: number | undefined;
}

interface RestEntry extends ActiveFault {
	door: 'rest';
	condition: RestCondition;
	target: RestTarget;
}

export class Conditions {
	readonly #clock: Clock;
	readonly #random: () => number;
	readonly #gateway = new Map<number, GatewayEntry>();
	readonly #rest = new Map<number, RestEntry>();
	readonly #timers = new Map<number, Timer>();
	#nextId = 1;

	constructor(clock: Clock, random: () => number) {
		this.#clock = clock;
		this.#random = random;
	}

	/** Starts a fault; without `forMs` it lasts until {@link end} or {@link clear}. Returns its id. */
	startGateway(condition: GatewayCondition, target: FaultTarget, forMs?: number): number {
		const id = this.#begin(forMs);
		this.#gateway.set(id, { id, door: 'gateway', condition, target });
		return id;
	}

	startRest(condition: RestCondition, target: RestTarget, forMs?: number): number {
		const id = this.#begin(forMs);
		this.#rest.set(id, { id, door: 'rest', condition, target });
		return id;
	}

	active(): ActiveFault[] {
		return [...this.#gateway.values(), ...this.#rest.values()];
	}

	end(id: number): boolean {
		this.#clock.clearTimeout(this.#timers.get(id));
		this.#timers.delete(id);
		return this.#gateway.delete(id) || this.#rest.delete(id);
	}

	clear(): void {
		for (const { id } of this.active()) this.end(id);
	}

	/** The condition of this kind that holds for a connection now. */
	find<K extends GatewayCondition['kind']>(
		kind: K,
		connection: GatewayConnection | undefined,
	): Extract<GatewayCondition, { kind: K }> | undefined {
		if (this.#gateway.size === 0) return undefined;
		for (const { condition, target } of this.#gateway.values()) {
			if (condition.kind === kind && matches(connection, target)) return condition as Extract<GatewayCondition, { kind: K }>;
		}
		return undefined;
	}

	/** What is wrong for a REST request, in the order in which it was started. */
	forRequest(method: string, path: string): RestCondition[] {
		if (this.#rest.size === 0) return [];
		const hit = [...this.#rest.values()].filter(
			({ target }) =>
				(target.path === undefined || path.startsWith(target.path)) &&
				(target.method === undefined || target.method === method) &&
				(target.share === undefined || this.#random() < target.share),
		);
		return hit.map(({ condition }) => condition);
	}

	/** A delay with its jitter. */
	delayMs({ ms, jitterMs }: { ms: number; jitterMs: number }): number {
		return ms + this.#random() * jitterMs;
	}

	#begin(forMs: number | undefined): number {
		const id = this.#nextId++;
		if (forMs !== undefined)
			this.#timers.set(
				id,
				this.#clock.setTimeout(() => this.end(id), forMs),
			);
		return id;
	}
}

/** Whether a fault hits this connection. One that is not there yet is hit by faults for all. */
export function matches(
	connection: GatewayConnection | undefined,
	{ shard, shardCount, sessionId, connectionId }: FaultTarget,
): boolean {
	const session = connection?.session;
	return (
		(shard === undefined || session?.shardId === shard) &&
		(shardCount === undefined || session?.shardCount === shardCount) &&
		(sessionId === undefined || session?.id === sessionId) &&
		(connectionId === undefined || connection?.id === connectionId)
	);
}
