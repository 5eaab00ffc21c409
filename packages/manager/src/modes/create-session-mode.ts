// Picks the session mode that the options ask for.
import type { FleetQueue } from '../queue/fleet-queue.js';
import { DirectMode } from './direct-mode.js';
import { QueueMode } from './queue-mode.js';
import { ResidentMode, type ResidentModeOptions } from './resident-mode.js';
import type { SessionMode } from './session-mode.js';

export interface SessionModeOptions extends Omit<ResidentModeOptions, 'resident' | 'queue'> {
	/** Null where events do not go through a queue. */
	queue: FleetQueue | null;
}

export function createSessionMode({ queue, ...context }: SessionModeOptions): SessionMode {
	const { gateway: resident, queue: settings } = context.options;
	if (queue && settings) {
		const { redis, keep } = settings;
		const target = { redis, keep, applicationId: queue.applicationId };
		const sessions = resident && new ResidentMode({ ...context, resident, queue: target });
		return new QueueMode({ ...context, queue, sessions });
	}
	return resident ? new ResidentMode({ ...context, resident }) : new DirectMode(context);
}
