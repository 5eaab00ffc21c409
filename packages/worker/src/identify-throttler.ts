// The identify throttler that @discordjs/ws awaits before each IDENTIFY (its interface IIdentifyThrottler, from version 0.8 on).

import type { WorkerAccess } from './client-adapter.js';
import { shardEvent } from './discordjs-ws-event.js';
import { observeEmits } from './observe-emits.js';

export interface IdentifyThrottler {
	/** Resolves when the shard may send IDENTIFY at once. Rejects only when `signal` aborts. */
	waitForIdentify(shardId: number, signal: AbortSignal): Promise<void>;
}

/** A throttler that waits at the gate, and confirms each slot when the WebSocketManager of @discordjs/ws emits READY. */
export function createIdentifyThrottler(gate: WorkerAccess['identify'], manager: object): IdentifyThrottler {
	observeEmits(manager, { ready: (...args: unknown[]) => gate.confirm(shardEvent(args).shardId) });
	return { waitForIdentify: (shardId, signal) => gate.wait(shardId, signal) };
}
