// Which session asked for members (op 8), so that only that session gets the answers: a later one did not ask.
// Discord: Gateway Events, "Request Guild Members" (nonce).
import type { WorkerSession } from '../downstream/worker-session.js';

/** Requests that are remembered; Discord answers most within seconds. */
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

	/** Whether an answer with this nonce may go to a session: to the asker; to every session when the asker is unknown. */
	leadsTo(session: WorkerSession, nonce: string | undefined): boolean {
		const asker = nonce === undefined ? undefined : this.#askers.get(nonce);
		return asker === undefined || asker === session.id;
	}
}
