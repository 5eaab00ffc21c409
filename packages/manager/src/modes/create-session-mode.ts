// Picks the session mode that the options ask for.
import { DirectMode } from './direct-mode.js';
import { ResidentMode, type ResidentModeOptions } from './resident-mode.js';
import type { SessionMode } from './session-mode.js';

export function createSessionMode(options: Omit<ResidentModeOptions, 'resident'>): SessionMode {
	const { gateway: resident } = options.options;
	return resident ? new ResidentMode({ ...options, resident }) : new DirectMode(options);
}
