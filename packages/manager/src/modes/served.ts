// Whether Discord serves shards, after what carries them was replaced: a process that is ready is no success over a dead session.
import { type Clock, fatalClose, type GatewaySessionStats, sleep } from '@shardctl/core';

const pollMs = 200;

/** What one look shows. */
export interface ServedLook {
	/** The sessions with Discord that are concerned. */
	sessions: readonly GatewaySessionStats[];
	/** What else is not as it should be once Discord serves the sessions: a shard that is not ready in its worker. */
	unready?: string | undefined;
}

export interface WhenServedOptions {
	look(): Promise<ServedLook>;
	clock: Clock;
	/** How long a session may take to be ready again. */
	timeoutMs: number;
	signal: AbortSignal;
}

/** Resolves with undefined once every session is ready, or with why one is not: at once where waiting cannot help. */
export async function whenServed({ look, clock, timeoutMs, signal }: WhenServedOptions): Promise<string | undefined> {
	const until = clock.monotonic() + timeoutMs;
	for (;;) {
		const { sessions, unready } = await look();
		// A session that no worker has identified for yet is not missed by anyone.
		const away = sessions.filter(({ status }) => status !== 'ready' && status !== 'idle');
		const [first] = away;
		if (!first && unready === undefined) return undefined;
		const final = away.find(({ status, waitsForBudget }) => status === 'refused' || waitsForBudget);
		if (final) return reasonOf(final);
		if (clock.monotonic() >= until) return first ? reasonOf(first) : unready;
		await sleep(clock, pollMs, signal);
	}
}

function reasonOf({ status, lastClose, waitsForBudget, tries }: GatewaySessionStats): string {
	if (waitsForBudget) return 'no session starts are left today';
	if (status === 'refused') {
		const { code = 0 } = lastClose ?? {};
		const final = fatalClose(code ?? 0);
		return final ? `Discord refused the session (${code}): ${final.reason}; ${final.remedy}` : 'Discord refused the session';
	}
	const why = lastClose ? `: ${lastClose.reason}${lastClose.code === null ? '' : ` (${lastClose.code})`}` : '';
	return `the session with Discord is ${status}, ${tries === 1 ? '1 attempt' : `${tries} attempts`} so far${why}`;
}
