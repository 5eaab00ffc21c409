// When an IDENTIFY may come: one per key (`shard_id % max_concurrency`) and window, measured when it arrives. Also watches the
// order in which Discord wants the buckets started, which is reported and never enforced.
// Discord: Gateway, "Rate Limiting" and "Max Concurrency".

export interface IdentifyGateOptions {
	maxConcurrency: number;
	windowMs: number;
}

export type IdentifyVerdict = { allowed: true } | { allowed: false; key: number; earlyByMs: number };

export class IdentifyGate {
	readonly #windowMs: number;
	#maxConcurrency: number;
	readonly #startedAtMs = new Map<number, number>();
	/** Which shards of a fleet (by its shard count) ever identified. */
	readonly #started = new Map<number, Set<number>>();

	constructor({ maxConcurrency, windowMs }: IdentifyGateOptions) {
		this.#maxConcurrency = maxConcurrency;
		this.#windowMs = windowMs;
	}

	get maxConcurrency(): number {
		return this.#maxConcurrency;
	}

	set maxConcurrency(value: number) {
		this.#maxConcurrency = value;
		this.#startedAtMs.clear();
	}

	/** Judges an IDENTIFY that arrives now. The key ignores the shard count: old and new fleets of one bot share it. */
	judge(shardId: number, nowMs: number): IdentifyVerdict {
		const key = shardId % this.#maxConcurrency;
		const earlyByMs = (this.#startedAtMs.get(key) ?? Number.NEGATIVE_INFINITY) + this.#windowMs - nowMs;
		return earlyByMs > 0 ? { allowed: false, key, earlyByMs } : { allowed: true };
	}

	/** An IDENTIFY was accepted: its window starts. */
	started(shardId: number, nowMs: number): void {
		this.#startedAtMs.set(shardId % this.#maxConcurrency, nowMs);
	}

	/** Notes a shard's start; returns the shards of earlier buckets that were not started before it, the first few of them. */
	outOfOrder([shardId, shardCount]: readonly [number, number]): number[] {
		const started = this.#started.get(shardCount) ?? new Set<number>();
		this.#started.set(shardCount, started);
		const bucketStart = shardId - (shardId % this.#maxConcurrency);
		const missing: number[] = [];
		if (!started.has(shardId)) {
			for (let id = 0; id < bucketStart && missing.length < 5; id++) if (!started.has(id)) missing.push(id);
		}
		started.add(shardId);
		return missing;
	}

	/** Every shard starts again, as after a gateway restart. */
	forgetOrder(): void {
		this.#started.clear();
	}
}
