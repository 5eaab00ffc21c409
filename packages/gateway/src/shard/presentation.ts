// What a session is shown before the stream goes on: READY and the guilds of a state, or what makes a cache right after Discord
// has started another session.
import { intentBits } from '@shardctl/gateway-protocol';
import { diffStates } from '../state/diff-states.js';
import type { EncodedData, RawObject } from '../state/raw.js';
import type { ShardState } from '../state/shard-state.js';

/** READY, with fields of the local gateway's own, and a dispatch for each guild. */
export function* firstEvents(state: ShardState, overrides: RawObject): Generator<EncodedData> {
	yield { t: 'READY', json: JSON.stringify(state.ready(overrides)) };
	yield* state.encodedGuildDispatches();
}

/** What leads from one state to the other. Computed at once: the states go different ways from here. */
export function differences(before: ShardState, after: ShardState): Iterator<EncodedData> {
	return diffStates(before, after)
		.map(({ t, d }) => ({ t, json: JSON.stringify(d) }))
		[Symbol.iterator]();
}

/** Without the GUILDS intent no guild is shown, as with Discord. */
export function mayPresent(type: string, intents: number): boolean {
	return type === 'READY' || (intents & intentBits.GUILDS) !== 0;
}
