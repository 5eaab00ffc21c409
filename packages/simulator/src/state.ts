// A snapshot of the whole simulator as plain JSON: for people, for tests and for the control API.
import type { GatewayServer } from '@shardctl/gateway-protocol';
import type { EventLog } from './event-log.js';
import type { EventRouter } from './gateway/event-router.js';
import type { IdentifyGate } from './gateway/identify-gate.js';
import type { SessionBudget } from './gateway/session-budget.js';
import type { WorldBackend } from './gateway/world-backend.js';
import type { GatewayFacts } from './rest/route.js';
import type { World } from './world/world.js';

export interface SessionState {
	sessionId: string;
	/** As the client sent it; null for an unsharded session. */
	shard: [number, number] | null;
	shardId: number;
	shardCount: number;
	connected: boolean;
	connectionId: number | null;
	seq: number;
	/** The newest event that the client says it has; null before its first heartbeat. */
	acknowledgedSeq: number | null;
	intents: number;
	/** The bot's status as this session set it; null when it did not. */
	presence: string | null;
	/** Guilds whose GUILD_CREATE is still to come. */
	pendingGuilds: number;
	replayableEvents: number;
	startedAt: number;
}

export interface SimulatorState {
	gateway: { url: string; shards: number; maxConcurrency: number };
	sessionStarts: { total: number; remaining: number; resetAfterMs: number };
	sessions: SessionState[];
	/** Open connections, also those without a session. */
	connections: number;
	guilds: number;
	dispatches: number;
	violations: number;
	interactions: { created: number; answered: number };
}

export interface StateSources {
	world: World;
	gateway: GatewayServer;
	backend: WorldBackend;
	budget: SessionBudget;
	gate: IdentifyGate;
	router: EventRouter;
	log: EventLog;
	facts: GatewayFacts;
}

export function readState({ world, gateway, backend, budget, gate, router, log, facts }: StateSources): SimulatorState {
	const sessions = [...gateway.sessions.values()].map((session): SessionState => {
		const connection = session.carrier ? gateway.connections.get(session.carrier.id) : undefined;
		return {
			sessionId: session.id,
			shard: session.shard ? [session.shard[0], session.shard[1]] : null,
			shardId: session.shardId,
			shardCount: session.shardCount,
			connected: session.connected,
			connectionId: connection?.id ?? null,
			seq: session.seq,
			acknowledgedSeq: connection?.lastHeartbeat?.seq ?? null,
			intents: session.intents,
			presence: session.presence?.status ?? null,
			pendingGuilds: backend.feedOf(session)?.pendingGuilds ?? 0,
			replayableEvents: session.replayableEvents,
			startedAt: session.startedAtMs,
		};
	});
	return {
		gateway: { url: facts.url, shards: facts.shards, maxConcurrency: gate.maxConcurrency },
		sessionStarts: budget.read(world.clock.monotonic()),
		sessions: sessions.sort((a, b) => a.shardCount - b.shardCount || a.shardId - b.shardId),
		connections: gateway.connections.size,
		guilds: world.guilds.count,
		dispatches: router.delivered,
		violations: log.entries({ type: 'violation' }).length,
		interactions: { ...world.interactions.counts },
	};
}
