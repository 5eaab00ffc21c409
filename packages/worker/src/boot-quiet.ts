// Lets a bot finish loading its files before its first IDENTIFY. Many bots import their event files while they log in. Discord takes
// several round trips to READY; a gateway process or a simulator on the same machine has it within milliseconds, before the bot
// listens to it.
import { type Clock, sleep, systemClock } from '@shardctl/core';

const checkEveryMs = 20;
/** Checks in a row that see nothing being read. */
const quietChecks = 5;
const longestMs = 1500;

export interface BootQuietOptions {
	clock?: Clock;
	/** The kinds of what the process is waiting for. */
	activeResources?: () => string[];
}

/** Resolves when no file was being read for 100 ms, at the latest after 1.5 s. */
export async function bootQuiet({
	clock = systemClock,
	activeResources = activeOfProcess,
}: BootQuietOptions = {}): Promise<void> {
	const end = clock.monotonic() + longestMs;
	for (let quiet = 0; quiet < quietChecks && clock.monotonic() < end; ) {
		await sleep(clock, checkEveryMs);
		quiet = activeResources().some((kind) => kind.startsWith('FSReq')) ? 0 : quiet + 1;
	}
}

/** Whether the gateway that a worker connects to is a gateway process or a simulator. Discord itself is further away than a bot needs. */
export function isOnThisMachine(gatewayUrl: string): boolean {
	return ['127.0.0.1', '[::1]', 'localhost'].includes(new URL(gatewayUrl).hostname);
}

const activeOfProcess = () => process.getActiveResourcesInfo();
