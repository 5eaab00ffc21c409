export { diffStates } from './state/diff-states.js';
export type { Dispatch, EncodedData, RawObject } from './state/raw.js';
export { ShardState, type ShardStateOptions } from './state/shard-state.js';
