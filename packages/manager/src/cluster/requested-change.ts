// A change of the table that a person has requested. After a restart of Redis, or a time in which nothing reached it, the table refuses changes
// for some seconds: that ends by itself, and is no reason to refuse the person.
import type { ClusterNode, ClusterView, TableChange } from '@shardctl/cluster';
import { type Clock, sleep } from '@shardctl/core';

const retryMs = 100;

/** Resolves once the change is made, with whether there was anything to change. Rejects as {@link ClusterNode.change} does. */
export async function requestChange(
	changes: (view: ClusterView) => readonly TableChange[],
	{ node, clock, signal }: { node: Pick<ClusterNode, 'change'>; clock: Clock; signal: AbortSignal | undefined },
): Promise<boolean> {
	for (;;) {
		const outcomes = await node.change(changes);
		if (!outcomes.includes('quiet')) return outcomes.length > 0;
		await sleep(clock, retryMs, signal);
	}
}
