// A resharding as text for the summary of a fleet: how far it is, and how it ended. Pure.
import { describeReshard, describeReshardRest, type ReshardStats } from '@shardctl/core';
import type { DeployLine } from '../deploy/deploy-text.js';
import { age } from '../terminal/age.js';
import { plural } from '../terminal/count.js';

/** How long after its end a resharding is still shown. */
const shownFor = { done: 10 * 60_000, failed: 60 * 60_000 };

/** The resharding of a fleet for its summary; null where there was none lately. */
export function reshardLine(reshard: ReshardStats | undefined, nowMs: number): DeployLine | null {
	if (!reshard) return null;
	const { state, done, total, startedAt, tookMs, longestPauseMs, error } = reshard;
	const what = `resharding ${describeReshard(reshard)}`;
	if (state === 'running') {
		return { level: 'running', text: `${what}: ${done} of ${plural(total, 'group')} replaced, ${describeReshardRest(reshard)}` };
	}
	const endedMs = nowMs - startedAt - tookMs;
	if (endedMs > shownFor[state]) return null;
	return state === 'failed'
		? { level: 'bad', text: `${what} ended ${age(endedMs)} ago: ${error}` }
		: {
				level: 'good',
				text: `${what} took ${age(tookMs)}, ${age(endedMs)} ago; longest pause of a shard ${longestPauseMs} ms`,
			};
}
