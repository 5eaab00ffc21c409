// What a session is shown before the stream goes on: READY and the guilds of a state, or what makes a cache right after Discord
// has started another session.
import { intentBits } from '@shardctl/core';
import { EncodedDispatch } from '@shardctl/gateway-protocol';
import type { WorkerSession } from '../downstream/worker-session.js';
import { diffStates } from '../state/diff-states.js';
import type { EncodedData, RawObject } from '../state/raw.js';
import type { ShardState } from '../state/shard-state.js';

/** How much of a presentation goes out before the worker has to say that it is there. */
const stepBytes = 1024 * 1024;

/** READY, with fields of the local gateway's own, and a dispatch for each guild. */
export function* firstEvents(state: ShardState, overrides: RawObject): Generator<EncodedData> {
	yield { t: 'READY', json: JSON.stringify(state.ready(overrides)) };
	yield* state.encodedGuildDispatches();
}

/** What leads from one state to the other, for a session with these intents. Computed at once: the states go different ways from here. */
export function differences(before: ShardState, after: ShardState, intents: number): EncodedData[] {
	return diffStates(before, after)
		.filter(({ t }) => mayPresent(t, intents))
		.map(({ t, d }) => ({ t, json: JSON.stringify(d) }));
}

/**
 * Sends the next part of what a session is shown, if it is its turn. Answers whether anything was sent: then the session has to be
 * asked how far it is, and what follows waits for that word.
 */
export function presentNext(session: WorkerSession): boolean {
	const { presentation } = session;
	if (!presentation || session.unsaved || session.beatsAwaited > 0 || !session.connected) return false;
	let bytes = 0;
	while (bytes < stepBytes) {
		const next = presentation.events.next();
		if (next.done) {
			session.presentation = null;
			// One heartbeat may have been under way before the last part arrived; the second cannot have been.
			session.beatsAwaited = 2;
			return true;
		}
		const { t, json } = next.value;
		if (!mayPresent(t, session.intents)) continue;
		const event = EncodedDispatch.fromJson(t, json);
		bytes += event.sizeBytes;
		session.sendAt(presentation.offset, event);
		// discord.js takes a turn longer over READY than over a guild: guilds that come in the same breath would overtake it.
		if (t === 'READY') break;
	}
	session.beatsAwaited = 1;
	return true;
}

/** Without the GUILDS intent no guild is shown, as with Discord. */
function mayPresent(type: string, intents: number): boolean {
	return type === 'READY' || (intents & intentBits.GUILDS) !== 0;
}
