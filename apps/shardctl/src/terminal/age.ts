// Durations for people, in the same words as the sentences about events.
export { age } from '@shardctl/core';
