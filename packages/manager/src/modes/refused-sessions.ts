// The sessions that Discord refused for good: no IDENTIFY of theirs goes out until a person asks for a restart, which means that the cause
// was fixed.
import { type Deferred, deferred, type GatewaySessionStats } from '@shardctl/core';

interface Refused {
	code: number;
	at: number;
	/** Resolves when the session may be tried again. */
	allowed: Deferred<void>;
}

export class RefusedSessions {
	readonly #refused = new Map<number, Refused>();

	note(session: number, { code, at }: { code: number; at: number }): void {
		const allowed = this.#refused.get(session)?.allowed ?? deferred<void>();
		this.#refused.set(session, { code, at, allowed });
	}

	has(session: number): boolean {
		return this.#refused.has(session);
	}

	/** A person has asked for it, or Discord has accepted it. */
	allow(session: number): void {
		this.#refused.get(session)?.allowed.resolve();
		this.#refused.delete(session);
	}

	/** Resolves when the session may be tried again; at once for one that was not refused. */
	async whenAllowed(session: number): Promise<void> {
		await this.#refused.get(session)?.allowed.promise;
	}

	/** The session as it is: one that is held back after a refusal is refused, whatever its gateway process waits for. */
	shown(session: GatewaySessionStats): GatewaySessionStats {
		const refused = this.#refused.get(session.id);
		if (!refused || session.status === 'refused') return session;
		const { code, at } = refused;
		const lastClose = session.lastClose?.code === code ? session.lastClose : { code, reason: '', at };
		return { ...session, status: 'refused', since: session.since ?? at, lastClose, nextTryAt: null };
	}
}
