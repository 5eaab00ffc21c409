export type { ChildChannel, ChildExit, ChildHandle, ChildOutput, ProcessHost } from './child-handle.js';
export type { ChildSpec } from './child-spec.js';
export { type ChildState, childTransitions } from './child-state.js';
export type { ExitReport } from './exit-reason.js';
export { withInspectPort } from './inspect-port.js';
export type { LogLine, LogStream } from './log-ring.js';
export { createProcessHost } from './process-host.js';
export {
	decideRestart,
	defaultRestartPolicy,
	emptyHistory,
	type RestartDecision,
	type RestartHistory,
	type RestartPolicy,
} from './restart-policy.js';
export { SupervisedChild } from './supervised-child.js';
export type { SupervisedChildEvents } from './supervised-child-events.js';
export type { ChildLink, ShutdownOptions, SupervisedChildOptions } from './supervised-child-options.js';
