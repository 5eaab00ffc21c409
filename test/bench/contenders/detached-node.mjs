// The floor once more, with each child at the head of a session of its own, as shardctl starts its workers so that nothing which
// they start can outlive them. Linux gives each session its share of the processor (sched_autogroup), which makes waking a child of
// another one dearer; inside a container or a service it does not.
import { title as plainTitle, start as startPlain } from './plain-node.mjs';

export const title = `${plainTitle}, detached`;

/** @param {import('./contender.mjs').FleetOptions} options */
export function start(options) {
	return startPlain({ ...options, detached: true });
}
