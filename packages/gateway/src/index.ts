export type { Dispatch, RawObject } from './state/raw.js';
