// The option `reshard` of createShardManager: what happens when a bot outgrows its sessions with Discord.
import { z } from 'zod';
import { type DailyWindow, parseDailyWindow } from './daily-window.js';

const mode = z.enum(['auto', 'warn', 'off']);
const window = z
	.string()
	.refine((text) => parseDailyWindow(text) !== undefined, { error: 'must be two times of day, such as "02:00-05:00"' });

export const reshardSchema = z.union([mode, z.strictObject({ mode: mode.optional(), window: window.optional() })], {
	error: 'must be "auto", "warn", "off" or { mode, window: two times of day such as "02:00-05:00" }',
});

/**
 * `warn`: stats, events and metrics say when a session with Discord is 80 % full, or Discord recommends twice the sessions. `auto`: the fleet
 * is then resharded as well, when it is whole and quiet.
 */
export type ReshardMode = 'auto' | 'warn' | 'off';

export interface ReshardOptions {
	/** Default `'warn'`, and `'auto'` with a window. */
	mode?: ReshardMode;
	/** When an automatic resharding may begin, in local time: `'02:00-05:00'` (default: at any time). */
	window?: string;
}

export interface ResolvedReshardOptions {
	mode: ReshardMode;
	window: DailyWindow | null;
}

export function resolveReshardOptions(options: ReshardMode | ReshardOptions = {}): ResolvedReshardOptions {
	const { mode, window }: ReshardOptions = typeof options === 'object' ? options : { mode: options };
	const parsed = (window === undefined ? undefined : parseDailyWindow(window)) ?? null;
	return { mode: mode ?? (parsed ? 'auto' : 'warn'), window: parsed };
}
