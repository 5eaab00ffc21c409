export type { EmitOptions } from './emit.js';
export { EventLog, type LogEntry, type LogFilter, type LogType } from './event-log.js';
export { Faults, type FaultTarget } from './faults.js';
export { type ResolvedSimulatorOptions, resolveSimulatorOptions, type SimulatorOptions, simulatorOptions } from './options.js';
export { createSimulator, Simulator } from './simulator.js';
export type { SessionState, SimulatorState } from './state.js';
