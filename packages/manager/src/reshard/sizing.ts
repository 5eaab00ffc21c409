// Whether a bot has outgrown its sessions with Discord, how many it should have then, and whether the fleet may be resharded to that number
// by itself now. Pure.
import { type Layout, type ManagerStats, plural, sessionOfShard } from '@shardctl/core';
import { type DailyWindow, describeOpening, isWithin, nextOpening } from '../options/daily-window.js';
import { commonMultiple } from './plan-reshard.js';

/** Discord ends a session that would have more guilds (close code 4011). Discord: Gateway, "Sharding". */
export const guildLimit = 2500;
/** From here on the session counts as full: joins do not wait for a resharding. */
const fullFrom = 0.8 * guildLimit;

export interface SizingFacts {
	layout: Layout;
	/** What `GET /gateway/bot` recommends. */
	recommended: number;
	/** In the session that has most. */
	guilds: number;
}

export interface Advice {
	/** One sentence: why there are too few. */
	message: string;
	/** The session count to have; null where the shards of the workers cannot be carried by more sessions. */
	sessions: number | null;
}

/** Null while there are enough sessions. */
export function adviseSessions({ layout, recommended, guilds }: SizingFacts): Advice | null {
	const { totalShards, sessions, resharded } = layout;
	const isFull = guilds >= fullFrom;
	if (!isFull && recommended < 2 * sessions) return null;
	const message = isFull
		? `a session with Discord has ${guilds} guilds of the ${guildLimit} that Discord allows`
		: `Discord recommends ${plural(recommended, 'session')}, and the fleet has ${sessions}`;
	// A resharding that has ended on the way can only be continued or undone: to whichever has more sessions.
	if (resharded) return { message, sessions: Math.max(sessions, resharded.sessions) };
	const possible = multiplesOf(sessions, totalShards);
	const enough = possible.find((count) => count >= recommended && (guilds * sessions) / count < fullFrom);
	return { message, sessions: enough ?? possible.at(-1) ?? null };
}

/** The larger session counts to which a fleet can be resharded; ascending. */
function multiplesOf(sessions: number, totalShards: number): number[] {
	const counts: number[] = [];
	for (let count = 2 * sessions; count <= totalShards; count += sessions) if (totalShards % count === 0) counts.push(count);
	return counts;
}

export interface ReshardMoment {
	advice: Advice | null;
	/** Epoch ms. */
	nowMs: number;
	/** Null: at any time. */
	window: DailyWindow | null;
	/** Why the fleet is not to be touched now; undefined where there is no reason. */
	busy: string | undefined;
	/** Since when it has been whole, with nothing to be busy with, in ms. */
	quietForMs: number;
	quietMs: number;
	/** No automatic resharding before this time, and why. */
	held: { untilMs: number; why: string } | null;
}

/** What to do about it now. `until`: in epoch ms, where it is known. */
export type Decision =
	| { do: 'nothing' }
	| { do: 'wait'; why: string; until: number | null }
	| { do: 'reshard'; sessions: number };

export function decideReshard({ advice, nowMs, window, busy, quietForMs, quietMs, held }: ReshardMoment): Decision {
	// There is nothing that could be done without a restart; the remedy says so.
	if (advice?.sessions === null || advice === null) return { do: 'nothing' };
	if (held && nowMs < held.untilMs) return { do: 'wait', why: held.why, until: held.untilMs };
	if (busy !== undefined) return { do: 'wait', why: busy, until: null };
	if (window && !isWithin(window, nowMs)) {
		return {
			do: 'wait',
			why: `the resharding window opens at ${describeOpening(window)}`,
			until: nextOpening(window, nowMs),
		};
	}
	if (quietForMs < quietMs) {
		return { do: 'wait', why: 'the fleet has not been whole for long enough', until: nowMs + quietMs - quietForMs };
	}
	return { do: 'reshard', sessions: advice.sessions };
}

/** Guilds in the session that has most, and in all of them. */
export function countGuilds(
	{ gateways, shards }: Pick<ManagerStats, 'gateways' | 'shards'>,
	layout: Layout,
): { fullest: number; all: number } {
	const bySession = new Map<number, number>();
	const ofGateways = gateways?.flatMap((gateway) => gateway.shards) ?? [];
	for (const { shardId, guildCount } of ofGateways.length > 0 ? ofGateways : shards) {
		const session = sessionOfShard(layout, shardId);
		bySession.set(session, (bySession.get(session) ?? 0) + guildCount);
	}
	const counts = [...bySession.values()];
	return { fullest: Math.max(0, ...counts), all: counts.reduce((sum, count) => sum + count, 0) };
}

/** `unshared`: a cluster without shared state. */
export type FleetKind = 'direct' | 'resident' | 'queue' | 'cluster' | 'unshared';

/** What a person can do about it. `how`: what kind of fleet it is. */
export function remedyFor({ sessions }: Advice, { layout, how }: { layout: Layout; how: FleetKind }): string {
	const twice = 2 * layout.sessions;
	if (how === 'direct') {
		return `restart the fleet with twice the shards (--shards ${twice}), or with --gateway resident and more shards than sessions, which can be resharded while it runs`;
	}
	if (how === 'queue' && sessions === null) {
		return `stop the fleet, and once its workers have handled what is in the queue, delete the keys of that and start with more shards (--shards ${2 * layout.totalShards} --gateway-sessions ${twice})`;
	}
	if (sessions === null && (how === 'cluster' || how === 'unshared'))
		return `restart the cluster with more shards and sessions (--shards ${2 * layout.totalShards} --gateway-sessions ${twice})`;
	if (sessions === null) return `"shardctl reshard ${twice} --shards ${commonMultiple(layout.totalShards, twice)}"`;
	if (how === 'unshared') return `stop the cluster and start it with more sessions (--gateway-sessions ${sessions})`;
	return `"shardctl reshard ${sessions}"`;
}
