// Counts, ages and names for people that a browser shares with the command line: pure, and without anything of Node's.
export { age } from './age.js';
export { describeReshard, describeReshardRest } from './describe-reshard.js';
export { describeLosses } from './health/losses.js';
export { plural } from './plural.js';
export { describeShards, formatShardIds } from './shards.js';
