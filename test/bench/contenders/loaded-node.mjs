// The floor for a bot: raw messages again, to children in which the bot's library is loaded and its client is logged in. What a
// process has in memory makes it slower to answer when it has just slept, whatever the answer costs.
import { title as plainTitle, start as startPlain } from './plain-node.mjs';

export const title = `${plainTitle}, bot loaded`;

/** @param {import('./contender.mjs').FleetOptions} options */
export const start = startPlain;
