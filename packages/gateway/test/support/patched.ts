// One guild after some events: for the tests of the patches.
import type { Dispatch, RawObject } from '../../src/state/raw.js';
import { ShardState } from '../../src/state/shard-state.js';

/** The bot's own id in these tests. */
export const self = '1';

/** Applies events to a guild of id `10` (their `guild_id` is filled in) and returns its GUILD_CREATE after them. */
export function patched(guild: RawObject, ...events: [t: string, d: RawObject][]): RawObject {
	const state = ShardState.fromReady({ user: { id: self, username: 'bot' }, guilds: [] });
	state.apply({ t: 'GUILD_CREATE', d: { id: '10', ...guild } });
	for (const [t, d] of events) state.apply({ t, d: { guild_id: '10', ...d } } satisfies Dispatch);
	return state.guild('10') ?? {};
}
