// Which session asked for members (op 8), so that the answers go to it alone: a session that came after it knows nothing of them.
// Discord: Gateway Events, "Request Guild Members" (nonce).
import type { WorkerSession } from '../downstream/worker-session.js';

/** Questions that are remembered; Discord answers most within seconds. */
const maxRemembered = 1000;

export class AnswerRoutes {
	readonly #askers = new Map<string, string>();

	/** This session asked with this nonce. */
	expect(nonce: string, session: WorkerSession): void {
		this.#askers.delete(nonce);
		this.#askers.set(nonce, session.id);
		const [oldest] = this.#askers.keys();
		if (this.#askers.size > maxRemembered && oldest !== undefined) this.#askers.delete(oldest);
	}

	/** Whether an answer with this nonce may go to a session: to whoever asked, or to anybody where nobody is known to have. */
	leadsTo(session: WorkerSession, nonce: string | undefined): boolean {
		const asker = nonce === undefined ? undefined : this.#askers.get(nonce);
		return asker === undefined || asker === session.id;
	}
}
