// The identify throttler that @discordjs/ws awaits before each IDENTIFY (its interface IIdentifyThrottler, in version 1 and 2).
import type { WorkerAccess } from './client-adapter.js';

/** The part of @discordjs/ws's WebSocketManager that reports READY: version 1 passes one object, version 2 two values. */
export interface ReadySource {
	on(event: 'ready', listener: (...args: unknown[]) => void): unknown;
}

export interface IdentifyThrottler {
	/** Resolves when the shard may send IDENTIFY at once. Rejects only when `signal` aborts. */
	waitForIdentify(shardId: number, signal: AbortSignal): Promise<void>;
}

/** A throttler that waits at the gate, and confirms each slot at READY. */
export function createIdentifyThrottler(gate: WorkerAccess['identify'], manager: ReadySource): IdentifyThrottler {
	manager.on('ready', (...args) => gate.confirm(readyShardId(args)));
	return { waitForIdentify: (shardId, signal) => gate.wait(shardId, signal) };
}

function readyShardId([first, second]: unknown[]): number {
	return typeof second === 'number' ? second : (first as { shardId: number }).shardId;
}
