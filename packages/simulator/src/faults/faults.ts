// The faults of a simulator as its users have them: each as a method (fault-injector.ts), as data, and by schedule.
import type { ActiveFault } from './conditions.js';
import { FaultInjector, type FaultInjectorOptions } from './fault-injector.js';
import { type FaultCommand, type FaultOutcome, runFaultCommand, type ScheduledFault } from './fault-table.js';
import { FaultSchedule } from './schedule.js';

export class Faults extends FaultInjector {
	readonly #schedule: FaultSchedule;

	constructor(options: FaultInjectorOptions) {
		super(options);
		this.#schedule = new FaultSchedule(options.world.clock, (command) => void this.run(command));
	}

	/** Runs a fault that is given as data. */
	run(command: FaultCommand): FaultOutcome {
		return runFaultCommand(this, command);
	}

	/** Runs faults at their times from now on. */
	schedule(entries: readonly ScheduledFault[]): void {
		this.#schedule.add(entries);
	}

	/** Faults that last, and hold now. */
	active(): ActiveFault[] {
		return this.conditions.active();
	}

	/** Ends a fault that lasts. */
	end(id: number): boolean {
		return this.conditions.end(id);
	}

	/** Ends every fault that lasts, and forgets what is scheduled. Guilds in an outage stay in it. */
	clear(): void {
		this.#schedule.clear();
		this.conditions.clear();
		this.forgetOutages();
	}
}
