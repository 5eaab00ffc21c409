export type { ChildChannel, ChildHandle, ProcessHost } from './child-handle.js';
export type { ChildSpec, CommandChildSpec } from './child-spec.js';
export type { ChildState } from './child-state.js';
export type { ExitReport } from './exit-reason.js';
export { FairDeadline } from './fair-deadline.js';
export { createProcessHost, defaultProcessHost } from './process-host.js';
export {
	defaultRestartPolicy,
	type RestartPolicy,
} from './restart-policy.js';
export { SupervisedChild } from './supervised-child.js';
export type { ChildLink, ShutdownOptions, SupervisedChildOptions } from './supervised-child-options.js';
