// The identify throttler that @discordjs/ws asks before each IDENTIFY (its interface IIdentifyThrottler, in version 1 and 2).
// It asks the manager, which is the only one that knows all workers.
import type { WorkerRuntime } from './runtime.js';

/** The part of @discordjs/ws's WebSocketManager that tells when READY came: version 1 passes one object, version 2 two values. */
export interface ReadySource {
	on(event: 'ready', listener: (...args: unknown[]) => void): unknown;
}

export interface IdentifyThrottler {
	/** Resolves when the shard may send IDENTIFY at once. Rejects only when `signal` aborts. */
	waitForIdentify(shardId: number, signal: AbortSignal): Promise<void>;
}

/**
 * A throttler that waits for the manager's identify slots and reports what became of each.
 *
 * It must not reject but for the abort: @discordjs/ws destroys the shard then and identifies all the same, twice.
 */
export function createIdentifyThrottler(runtime: WorkerRuntime, manager: ReadySource): IdentifyThrottler {
	const sent = new Map<number, number>();
	manager.on('ready', (...args) => {
		const shardId = readyShardId(args);
		const slotId = sent.get(shardId);
		if (slotId === undefined) return;
		sent.delete(shardId);
		runtime.reportIdentify('confirmed', slotId);
	});
	return {
		async waitForIdentify(shardId, signal) {
			const { slotId } = await runtime.request('identify.acquire', { shardId }, { signal, timeoutMs: Number.POSITIVE_INFINITY });
			if (signal.aborted) {
				runtime.reportIdentify('released', slotId);
				throw signal.reason;
			}
			// The client sends IDENTIFY as soon as this promise resolves; the report follows it out.
			setImmediate(() => runtime.reportIdentify('sent', slotId));
			sent.set(shardId, slotId);
		},
	};
}

function readyShardId(args: unknown[]): number {
	const [first, second] = args;
	return typeof second === 'number' ? second : (first as { shardId: number }).shardId;
}
