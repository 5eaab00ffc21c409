// Picks the session mode that the options ask for.
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import type { WorkerFleet } from '../workers/worker-fleet.js';
import { DirectMode } from './direct-mode.js';
import { ResidentMode } from './resident-mode.js';
import type { SessionMode } from './session-mode.js';
import type { ModeContext } from './start-request.js';

export function createSessionMode(options: ModeContext & { options: ResolvedManagerOptions; workers: WorkerFleet }): SessionMode {
	const { gateway: resident } = options.options;
	return resident ? new ResidentMode({ ...options, resident }) : new DirectMode(options);
}
