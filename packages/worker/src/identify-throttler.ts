// The identify throttler that @discordjs/ws awaits before each IDENTIFY (its interface IIdentifyThrottler, in version 1 and 2).
import type { WorkerAccess } from './client-adapter.js';
import { observeEmits } from './observe-emits.js';

export interface IdentifyThrottler {
	/** Resolves when the shard may send IDENTIFY at once. Rejects only when `signal` aborts. */
	waitForIdentify(shardId: number, signal: AbortSignal): Promise<void>;
}

/** A throttler that waits at the gate, and confirms each slot when the WebSocketManager of @discordjs/ws emits READY. */
export function createIdentifyThrottler(gate: WorkerAccess['identify'], manager: object): IdentifyThrottler {
	observeEmits(manager, { ready: (...args: unknown[]) => gate.confirm(readyShardId(args)) });
	return { waitForIdentify: (shardId, signal) => gate.wait(shardId, signal) };
}

/** Version 1 passes one object, version 2 two values. */
function readyShardId([first, second]: unknown[]): number {
	return typeof second === 'number' ? second : (first as { shardId: number }).shardId;
}
