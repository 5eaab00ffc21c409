// What the control API needs of a simulator. An interface, so that the API does not import the class that serves it.
import type { Activity } from '../activity/activity.js';
import type { EmitOptions } from '../emit.js';
import type { EventLog, LogEntry } from '../event-log.js';
import type { Faults } from '../faults/faults.js';
import type { SimulatorState } from '../state.js';
import type { World } from '../world/world.js';

export interface ControlledSimulator {
	readonly world: World;
	readonly log: EventLog;
	readonly faults: Faults;
	readonly activity: Activity;
	state(): SimulatorState;
	violations(options: { hardOnly?: boolean }): LogEntry[];
	emit(type: string, data?: Record<string, unknown>, options?: EmitOptions): string | undefined;
}
