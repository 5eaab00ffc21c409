// The events that a new session with Discord receives before it replaces the present one. From about the READY of the new session on,
// Discord sends every event to both, in no common order: so the events of the new one are deferred until the present one has ended,
// and those that the present one has delivered are marked as repeated.
import { type Dispatch, objectOf } from '../state/raw.js';

interface Deferred {
	dispatch: Dispatch;
	seq: number;
}

export class SessionOverlap {
	/** How often the present session has delivered an event. */
	readonly #seen = new Map<string, number>();
	readonly #deferred: Deferred[] = [];

	/** The present session delivered an event. */
	seen(dispatch: Dispatch): void {
		const key = keyOf(dispatch);
		this.#seen.set(key, (this.#seen.get(key) ?? 0) + 1);
	}

	/** The new session received an event. */
	defer(dispatch: Dispatch, seq: number): void {
		this.#deferred.push({ dispatch, seq });
	}

	/** The deferred events in order; `repeated` where the present session has delivered the same event. */
	*deferred(): Generator<Deferred> {
		for (const { dispatch, seq } of this.#deferred) {
			const key = keyOf(dispatch);
			const times = this.#seen.get(key) ?? 0;
			if (times > 0) this.#seen.set(key, times - 1);
			yield times > 0 ? { dispatch: { ...dispatch, repeated: true }, seq } : { dispatch, seq };
		}
	}
}

/** What both sessions have in common of one event. A message counts by its id, because its content depends on the intents. */
export function keyOf({ t, d }: Dispatch): string {
	const id = t.startsWith('MESSAGE_') ? objectOf(d)?.id : undefined;
	return `${t} ${typeof id === 'string' ? id : JSON.stringify(d)}`;
}
