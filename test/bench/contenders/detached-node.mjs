// The floor again, with each child leading its own session, as shardctl starts its workers so that none of their
// descendants can outlive them. Linux gives each session its share of the processor (sched_autogroup), which makes waking a child of
// another one more expensive; inside a container or a service it does not.
import { title as plainTitle, start as startPlain } from './plain-node.mjs';

export const title = `${plainTitle}, detached`;

/** @param {import('./contender.mjs').FleetOptions} options */
export function start(options) {
	return startPlain({ ...options, detached: true });
}
