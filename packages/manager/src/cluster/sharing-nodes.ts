// How many nodes may use a share of the bot's REST limit while Redis says nothing about it. Pure.
//
// A lease that ends does not end a node: after an outage of Redis longer than a lease, the first reading shows each other node without one,
// and an engine that lost its data shows none at all, while all of them use their shares. So a node counts until readings have been without
// it for a while.
import type { ClusterView } from '@shardctl/cluster';
import { isLive } from './cluster-nodes.js';

/** Readings without a node for longer than this: it does not come back. */
export const forgetAfterMs = 60_000;

export class SharingNodes {
	readonly #expected: number;
	/** Each node that was live → since when readings are without it; undefined while they have it. */
	readonly #missingSince = new Map<string, number | undefined>();

	/** @param expected How many there are before the first reading. */
	constructor(expected: number) {
		this.#expected = expected;
	}

	get count(): number {
		return this.#missingSince.size || this.#expected;
	}

	/** @param nowMs Monotonic. */
	note({ nodes }: Pick<ClusterView, 'nodes'>, nowMs: number): void {
		const live = new Set(nodes.filter(isLive).map(({ node }) => node));
		for (const node of live) this.#missingSince.set(node, undefined);
		for (const [node, since = nowMs] of this.#missingSince) {
			if (live.has(node)) continue;
			if (nowMs - since > forgetAfterMs) this.#missingSince.delete(node);
			else this.#missingSince.set(node, since);
		}
	}
}
