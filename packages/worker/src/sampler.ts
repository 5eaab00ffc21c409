// Measures a worker: memory, processor, event loop delay, and the shards as the attached clients see them.
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { ShardSample, WorkerSample } from '@shardctl/core';
import { processUsage, type Usage } from './usage.js';

/** How often the event loop's delay is probed. Each probe wakes the process: every 50 ms would cost it 0.1% of a core, this a third. */
const loopProbeMs = 200;

/** A sample of a Node process, which knows all of it. */
interface NodeSample extends WorkerSample {
	heapUsedBytes: number;
	loopDelayP99Ms: number;
}

/** Takes samples; figures such as cpu and loop delay cover the time since the last one. */
export class Sampler {
	readonly #loop: IntervalHistogram = monitorEventLoopDelay({ resolution: loopProbeMs });
	readonly #sampleShards: () => ShardSample[];
	readonly #usage: Usage;
	#cpuMicros: number;
	#at = performance.now();

	constructor(sampleShards: () => ShardSample[], usage = processUsage) {
		this.#sampleShards = sampleShards;
		this.#usage = usage;
		this.#cpuMicros = usage.cpuMicros();
		this.#loop.enable();
	}

	/** Stops the probe of the event loop. */
	stop(): void {
		this.#loop.disable();
	}

	take(): NodeSample {
		const now = performance.now();
		const cpuMicros = this.#usage.cpuMicros();
		const elapsedMs = Math.max(1, now - this.#at);
		const memory = this.#usage.memory();
		const sample: NodeSample = {
			shards: this.#sampleShards(),
			rssBytes: memory.rss,
			heapUsedBytes: memory.heapUsed,
			cpuPercent: round((cpuMicros - this.#cpuMicros) / 10 / elapsedMs, 1),
			cpuSeconds: cpuMicros / 1e6,
			// The histogram records the time between two probes; the part above the interval is the delay.
			loopDelayP99Ms: this.#loop.count > 0 ? round(Math.max(0, this.#loop.percentile(99) / 1e6 - loopProbeMs), 1) : 0,
			uptimeMs: Math.round(this.#usage.uptimeMs()),
		};
		this.#loop.reset();
		this.#cpuMicros = cpuMicros;
		this.#at = now;
		return sample;
	}
}

function round(value: number, digits: number): number {
	return Number(value.toFixed(digits));
}
