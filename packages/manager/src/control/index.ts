// The light door of the control API, `@shardctl/manager/control`: the client and what finds managers, without the manager.

export { defaultManagerName } from '../options/manager-name.js';
export {
	type CallResult,
	type ControlClient,
	type ControlClientOptions,
	type ControlTarget,
	createControlClient,
	type Followed,
	type FollowOptions,
	managerNotRunning,
} from './client.js';
export type { FleetEvent, FleetEventType } from './fleet-events.js';
export type { LogEntry } from './fleet-feed.js';
export { type FoundManager, runningManagers } from './manager-record.js';
export { stateDir } from './state-dir.js';
