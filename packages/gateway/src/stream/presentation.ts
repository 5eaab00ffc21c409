// What a session is shown before events flow to it: READY and the guilds of a state, or, after Discord has started another session, the
// events that bring its cache up to date. It goes out in parts, and each part waits until the client has confirmed the one before.
//
//   unsaved ──saved──▶ showing ──part sent──▶ asked ──heartbeat──▶ showing … ──all sent──▶ confirming ──2 heartbeats──▶ confirmed
//
// A session of an earlier process is `interrupted` instead: how much of its presentation arrived is unknown for good.
import { intentBits } from '@shardctl/core';
import { EncodedDispatch } from '@shardctl/gateway-protocol';
import type { WorkerSession } from '../downstream/worker-session.js';
import { diffStates } from '../state/diff-states.js';
import type { EncodedData, RawObject } from '../state/raw.js';
import type { ShardState } from '../state/shard-state.js';

/** How much goes out before the client has to confirm that it is there. */
const partBytes = 1024 * 1024;

type State = { name: 'unsaved' | 'showing' | 'asked' | 'confirmed' | 'interrupted' } | { name: 'confirming'; heartbeats: number };

export interface PresentationOptions {
	/** The position that all of it has. */
	offset: number;
	events: Iterator<EncodedData>;
	/** Nothing goes out before {@link Presentation.saved}. */
	unsaved?: boolean;
}

export class Presentation {
	readonly offset: number;
	readonly #events: Iterator<EncodedData>;
	#state: State;

	constructor({ offset, events, unsaved = false }: PresentationOptions) {
		this.offset = offset;
		this.#events = events;
		this.#state = { name: unsaved ? 'unsaved' : 'showing' };
	}

	/** Of a session that began in an earlier process. */
	static interrupted(offset: number): Presentation {
		const presentation = new Presentation({ offset, events: [].values() });
		presentation.#state = { name: 'interrupted' };
		return presentation;
	}

	/** Whether all of it has been sent. */
	get isSent(): boolean {
		const { name } = this.#state;
		return name === 'confirming' || name === 'confirmed' || name === 'interrupted';
	}

	/** Whether the client is known to have all of it. */
	get isConfirmed(): boolean {
		return this.#state.name === 'confirmed';
	}

	/** Whether it continues with the client's next heartbeat. */
	get awaitsHeartbeat(): boolean {
		return this.#state.name === 'asked' || this.#state.name === 'confirming';
	}

	/** The process after this one would know of the session. */
	saved(): void {
		if (this.#state.name === 'unsaved') this.#state = { name: 'showing' };
	}

	/** The client has sent a heartbeat. */
	heartbeat(): void {
		const state = this.#state;
		if (state.name === 'asked') this.#state = { name: 'showing' };
		if (state.name !== 'confirming') return;
		this.#state = state.heartbeats > 1 ? { name: 'confirming', heartbeats: state.heartbeats - 1 } : { name: 'confirmed' };
	}

	/** Sends the next part if it is its turn. Returns whether it did: then the client has to be asked for a heartbeat. */
	sendNext(session: WorkerSession): boolean {
		if (this.#state.name !== 'showing' || !session.connected) return false;
		let bytes = 0;
		while (bytes < partBytes) {
			const next = this.#events.next();
			if (next.done) {
				// One heartbeat may have been under way before the last part arrived; the second cannot have been.
				this.#state = { name: 'confirming', heartbeats: 2 };
				return true;
			}
			const { t, json } = next.value;
			if (!mayPresent(t, session.intents)) continue;
			const event = EncodedDispatch.fromJson(t, json);
			bytes += event.sizeBytes;
			session.sendAt(this.offset, event);
			// discord.js takes a turn of the event loop longer over READY than over a guild: guilds in the same read would overtake it.
			if (t === 'READY') break;
		}
		this.#state = { name: 'asked' };
		return true;
	}
}

/** READY, with fields of the local gateway's own, and a dispatch for each guild. */
export function* firstEvents(state: ShardState, overrides: RawObject): Generator<EncodedData> {
	yield { t: 'READY', json: JSON.stringify(state.ready(overrides)) };
	yield* state.encodedGuildDispatches();
}

/** What leads from one state to the other, for a session with these intents. Computed at once, because the states change from here on. */
export function differences(before: ShardState, after: ShardState, intents: number): EncodedData[] {
	return diffStates(before, after)
		.filter(({ t }) => mayPresent(t, intents))
		.map(({ t, d }) => ({ t, json: JSON.stringify(d) }));
}

/** Without the GUILDS intent no guild is shown, as with Discord. */
function mayPresent(type: string, intents: number): boolean {
	return type === 'READY' || (intents & intentBits.GUILDS) !== 0;
}
