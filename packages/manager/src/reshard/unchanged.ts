// The outcome of an undo that ended a resharding before it had replaced anything.
import type { Layout, ReshardOutcome } from '@shardctl/core';

export function unchanged({ sessions }: Pick<Layout, 'sessions'>): ReshardOutcome {
	return { from: sessions, to: sessions, identifies: 0, estimatedMs: 0, tookMs: 0, longestPauseMs: 0 };
}
