// The world behind the gateway: decides on IDENTIFY by Discord's limits, starts a feed for each session, and handles what
// clients request. Violations are recorded here and nowhere else.
import type {
	ClientRequest,
	ConnectionInfo,
	GatewayBackend,
	GatewaySession,
	IdentifyAnswer,
	IdentifyPayload,
} from '@shardctl/gateway-protocol';
import type { EventLog } from '../event-log.js';
import type { World } from '../world/world.js';
import type { EventRouter } from './event-router.js';
import type { IdentifyGate } from './identify-gate.js';
import type { SessionBudget } from './session-budget.js';
import { SessionFeed } from './session-feed.js';

export interface WorldBackendOptions {
	world: World;
	router: EventRouter;
	gate: IdentifyGate;
	budget: SessionBudget;
	log: EventLog;
	/** Whether a client may log in with this token. */
	acceptsToken: (token: string) => boolean;
	grantedIntents: number;
	maxGuildsPerShard: number;
	/** Shard counts must be a multiple of this (1: any). */
	shardMultiple: number;
	/** For a client that found the server under this name. */
	resumeUrl: (host: string) => string;
	/** The last session start of the day was taken, or one more was asked for. */
	onBudgetExhausted: () => 'op 9' | 'token was reset';
	/** Operations 3, 4, 8, 31 and 43. */
	onRequest: (session: GatewaySession, request: ClientRequest) => void;
}

export class WorldBackend implements GatewayBackend {
	readonly #options: WorldBackendOptions;
	readonly #feeds = new Map<GatewaySession, SessionFeed>();

	constructor(options: WorldBackendOptions) {
		this.#options = options;
	}

	feedOf(session: GatewaySession): SessionFeed | undefined {
		return this.#feeds.get(session);
	}

	authenticate(token: string): boolean {
		return this.#options.acceptsToken(token);
	}

	grantedIntents(): number {
		return this.#options.grantedIntents;
	}

	identify(identify: IdentifyPayload, connection: ConnectionInfo): IdentifyAnswer {
		const { world, gate, budget, shardMultiple, maxGuildsPerShard, onBudgetExhausted } = this.#options;
		const shard = identify.shard ?? ([0, 1] as const);
		const [id, count] = shard;
		const violation = (kind: string, details: Record<string, unknown>) =>
			this.#options.log.add('violation', { kind, connectionId: connection.id, shardId: id, shard, ...details });
		if (count % shardMultiple !== 0) {
			return { accept: false, close: 4010, detail: `shard count ${count} is no multiple of ${shardMultiple}` };
		}
		const guilds = world.guilds.countOn({ id, count });
		if (guilds > maxGuildsPerShard) return { accept: false, close: 4011, detail: `${guilds} guilds on one shard` };
		const nowMs = world.clock.monotonic();
		const verdict = gate.judge(id, nowMs);
		if (!verdict.allowed) {
			violation('identify-window', { key: verdict.key, earlyByMs: verdict.earlyByMs });
			return {
				accept: false,
				invalidSession: { resumable: false },
				detail: `key ${verdict.key} is taken for ${verdict.earlyByMs} ms`,
			};
		}
		if (!budget.take(nowMs)) {
			violation('identify-budget', {});
			return onBudgetExhausted() === 'op 9'
				? { accept: false, invalidSession: { resumable: false }, detail: 'no session starts left' }
				: { accept: false, close: 4004, detail: 'no session starts left; the token was reset' };
		}
		gate.started(id, nowMs);
		const missing = gate.outOfOrder(shard);
		if (missing.length > 0) violation('identify-order', { before: missing });
		return { accept: true };
	}

	sessionStarted(session: GatewaySession, connection: ConnectionInfo): void {
		const { world, router, resumeUrl } = this.#options;
		const feed = new SessionFeed({ session, world, gatewayVersion: connection.version, resumeUrl: resumeUrl(connection.host) });
		this.#feeds.set(session, feed);
		router.add(feed);
	}

	sessionEnded(session: GatewaySession): void {
		const feed = this.#feeds.get(session);
		if (!feed) return;
		feed.end();
		this.#feeds.delete(session);
		this.#options.router.remove(feed);
	}

	request(session: GatewaySession, request: ClientRequest): void {
		this.#options.onRequest(session, request);
	}
}
