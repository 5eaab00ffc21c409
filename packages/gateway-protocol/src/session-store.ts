// All sessions of a gateway by id, and the rule by which a session without a connection expires. One timer per session that
// is disconnected, none while it is connected. How many may wait disconnected is bounded: the one that waits longest goes.
import { randomBytes } from 'node:crypto';
import type { Clock, Timer } from '@shardctl/core';
import type { IdentifyPayload } from './client-payloads.js';
import type { ReplayLimits } from './replay-buffer.js';
import { GatewaySession, type SessionCarrier, type SessionOptions } from './session.js';

/** Why a session ended. */
export type SessionEnd = 'client closed' | 'server closed' | 'expired' | 'invalidated' | 'evicted' | 'stopped';

export interface SessionStoreOptions {
	clock: Clock;
	/** How long a session without a connection can be resumed. */
	ttlMs: number;
	replay?: ReplayLimits;
	/** Default 10,000. */
	maxDisconnected?: number;
	/** Makes a session of a kind of the backend's own (default: one that numbers and keeps its events itself). */
	createSession?: (options: SessionOptions) => GatewaySession;
	/** A session lost its connection and waits. */
	onDetach?: (session: GatewaySession) => void;
	onEnd: (session: GatewaySession, end: SessionEnd) => void;
}

export class SessionStore {
	readonly #options: SessionStoreOptions;
	readonly #sessions = new Map<string, GatewaySession>();
	/** In the order in which they lost their connection. */
	readonly #expiries = new Map<GatewaySession, Timer | undefined>();

	constructor(options: SessionStoreOptions) {
		this.#options = options;
	}

	get size(): number {
		return this.#sessions.size;
	}

	get(id: string): GatewaySession | undefined {
		return this.#sessions.get(id);
	}

	values(): IterableIterator<GatewaySession> {
		return this.#sessions.values();
	}

	create(identify: IdentifyPayload): GatewaySession {
		return this.#make(randomBytes(16).toString('hex'), identify);
	}

	/** Brings back a session of an earlier process: it waits for its client's RESUME. */
	restore(id: string, identify: IdentifyPayload): GatewaySession {
		const session = this.#make(id, identify);
		this.#expire(session);
		return session;
	}

	attach(session: GatewaySession, carrier: SessionCarrier): void {
		this.#options.clock.clearTimeout(this.#expiries.get(session));
		this.#expiries.delete(session);
		session.attach(carrier);
	}

	/** The connection is gone: the session waits for a resume until it expires. */
	detach(session: GatewaySession, carrier: SessionCarrier): void {
		if (!session.detach(carrier) || !this.#sessions.has(session.id)) return;
		this.#expire(session);
		this.#options.onDetach?.(session);
	}

	#make(id: string, identify: IdentifyPayload): GatewaySession {
		const { clock, replay, createSession } = this.#options;
		const options = { id, shard: identify.shard ?? undefined, identify, clock, ...(replay && { replay }) };
		const session = createSession?.(options) ?? new GatewaySession(options);
		this.#sessions.set(id, session);
		return session;
	}

	#expire(session: GatewaySession): void {
		const { clock, ttlMs, maxDisconnected = 10_000 } = this.#options;
		const timer = Number.isFinite(ttlMs) ? clock.setTimeout(() => this.end(session, 'expired'), ttlMs) : undefined;
		this.#expiries.set(session, timer);
		if (this.#expiries.size > maxDisconnected) {
			const [longest] = this.#expiries.keys();
			if (longest) this.end(longest, 'evicted');
		}
	}

	/** Ends a session for good; a connection that still carries it gets op 9. */
	end(session: GatewaySession, end: SessionEnd): void {
		if (!this.#sessions.delete(session.id)) return;
		this.#options.clock.clearTimeout(this.#expiries.get(session));
		this.#expiries.delete(session);
		session.dispose();
		this.#options.onEnd(session, end);
	}

	endAll(end: SessionEnd): void {
		for (const session of this.#sessions.values()) this.end(session, end);
	}
}
