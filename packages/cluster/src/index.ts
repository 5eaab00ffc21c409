export type { HeldSession, Hold } from './lease/node-state.js';
export { leaseBoundsMs, type Timings, type TimingsOptions, timingsFor } from './lease/timings.js';
export { ClusterNode, type ClusterNodeEvents, type ClusterNodeOptions } from './node/cluster-node.js';
export type { SessionHost } from './node/session-host.js';
export type { TableChange } from './planner/plan.js';
export { IoredisPort, type IoredisPortOptions } from './redis/ioredis-port.js';
export { type ClusterKeys, clusterKeys } from './redis/keys.js';
export type { RedisArgument, RedisCallOptions, RedisCommand, RedisPort, RedisScript } from './redis/redis-port.js';
export type { ClusterView, Member, NodeRow, SessionRow } from './table/cluster-view.js';
