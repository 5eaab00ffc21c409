// A change of the table that a person has requested. After a restart of Redis, or a time in which nothing reached it, the table refuses changes
// for some seconds: that ends by itself, and is no reason to refuse the person.
import type { ClusterNode, ClusterView, TableChange } from '@shardctl/cluster';
import { type Clock, sleep } from '@shardctl/core';

const retryMs = 100;

/**
 * Resolves once the change is made, with whether there was anything to change. `changes` is asked outside of a quiet period only: within it the
 * planner plans nothing, and a node may look as if it were gone. Rejects as {@link ClusterNode.change} does.
 */
export async function requestChange(
	changes: (view: ClusterView) => readonly TableChange[],
	{ node, clock, signal }: { node: Pick<ClusterNode, 'change'>; clock: Clock; signal: AbortSignal | undefined },
): Promise<boolean> {
	for (;;) {
		let isQuiet = false;
		const outcomes = await node.change((view) => {
			isQuiet = view.quietMs > 0;
			return isQuiet ? [] : changes(view);
		});
		if (!isQuiet && !outcomes.includes('quiet')) return outcomes.length > 0;
		await sleep(clock, retryMs, signal);
	}
}
