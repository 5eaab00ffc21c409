// Whether a worker's process ended by a fault of its own, to which an event may have led.
import type { ExitReport } from '@shardctl/supervisor';

/** Signals by which people and machines end a process, whatever it does. */
const fromOutside: ReadonlySet<string | null> = new Set(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGHUP', 'SIGUSR2']);

/** Whether a process ended by a fault of its own. */
export function hasCrashed(exit: ExitReport | null): boolean {
	if (!exit) return false;
	if (exit.reason === 'signal') return !fromOutside.has(exit.signal);
	return ['exit-code', 'uncaught-exception', 'out-of-memory', 'hung'].includes(exit.reason);
}
