// What the session that is to take over says before it is its turn. Discord sends every event to both sessions from about the READY
// of the new one on, and which of them one came through first, nobody knows: so the one before is heard out, and what it has said
// is not said again.
import { type Dispatch, objectOf } from '../state/raw.js';

interface Held {
	dispatch: Dispatch;
	seq: number;
}

export class Takeover {
	/** How often the session before has said an event. */
	readonly #heard = new Map<string, number>();
	readonly #held: Held[] = [];

	/** The session before has said an event. */
	hear(dispatch: Dispatch): void {
		const key = keyOf(dispatch);
		this.#heard.set(key, (this.#heard.get(key) ?? 0) + 1);
	}

	/** The session that takes over has said an event. */
	hold(dispatch: Dispatch, seq: number): void {
		this.#held.push({ dispatch, seq });
	}

	/** What was held, in order; `repeated` where the session before has said it. */
	*held(): Generator<Held> {
		for (const { dispatch, seq } of this.#held) {
			const key = keyOf(dispatch);
			const times = this.#heard.get(key) ?? 0;
			if (times > 0) this.#heard.set(key, times - 1);
			yield times > 0 ? { dispatch: { ...dispatch, repeated: true }, seq } : { dispatch, seq };
		}
	}
}

/** What both sessions say alike of one event. A message is told by its id: what it holds depends on the intents. */
function keyOf({ t, d }: Dispatch): string {
	const id = t.startsWith('MESSAGE_') ? objectOf(d)?.id : undefined;
	return `${t} ${typeof id === 'string' ? id : JSON.stringify(d)}`;
}
