// The light door, `@shardctl/control`: the client of the control API, what finds managers, and the interface `Fleet` that the API serves.
// The server is behind a door of its own, so that a short command does not load it.

export {
	type CallResult,
	type ControlClient,
	type ControlClientOptions,
	type ControlTarget,
	createControlClient,
	type Followed,
	type FollowOptions,
	managerNotRunning,
	managerVersion,
	type Scope,
} from './client/control-client.js';
export type {
	ClusterInfo,
	DrainOutcome,
	DrainRequest,
	FleetCluster,
	FollowRequest,
	NodeFeed,
	NodeInfo,
	NodeStatus,
	ServedFleet,
	SessionMove,
	SessionPlace,
} from './fleet/cluster.js';
export {
	describeEvent,
	describeEventAsItComes,
	describeNotice,
	describeShardEvent,
	type EventLevel,
	type EventText,
} from './fleet/describe-event.js';
export type { DeployRequest, Fleet, FleetQueue, LogEntry, WorkerView } from './fleet/fleet.js';
export type {
	EndedCause,
	ExitSummary,
	FleetEvent,
	FleetEventBody,
	FleetEventType,
	HealthChange,
	RestartProgress,
	SessionArrival,
	SharedFleetEvents,
	WorkerRef,
} from './fleet/fleet-events.js';
export type { FrameSink } from './fleet/frame-sink.js';
export { describeEnd, endReason } from './history/describe-end.js';
export { type EndedFleet, endedFleets, type FleetEnd } from './history/ended-fleet.js';
export { journalEvents, journalOutput } from './history/read-journal.js';
export { defaultManagerName, isDeviceName } from './state-dir/manager-name.js';
export { type FoundManager, runningManagers } from './state-dir/manager-record.js';
export { readOwned } from './state-dir/ownership.js';
export { isSameProcess, type ProcessIdentity, processIdentity } from './state-dir/process-identity.js';
export { shownArguments } from './state-dir/shown-arguments.js';
export { stateDir } from './state-dir/state-dir.js';
