export type { EmitOptions } from './emit.js';
export { EventLog, type LogEntry, type LogFilter, type LogType } from './event-log.js';
export type { ActiveFault, FaultTarget, RestTarget } from './faults/conditions.js';
export { type FaultCommand, faultCommand, type ScheduledFault, scheduledFault } from './faults/fault-command.js';
export { Faults, type Lasting } from './faults/faults.js';
export { type ResolvedSimulatorOptions, resolveSimulatorOptions, type SimulatorOptions, simulatorOptions } from './options.js';
export { createSimulator, Simulator } from './simulator.js';
export type { SessionState, SimulatorState } from './state.js';
