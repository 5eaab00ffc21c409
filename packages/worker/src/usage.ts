// What a worker uses of the machine: a process of its own, or one thread of a process that it shares with other workers.
import { getHeapStatistics } from 'node:v8';
import type { ThreadEnd } from '@shardctl/core';

export interface Usage {
	/** Resident memory, and what of the heap is in use. */
	memory(): { rss: number; heapUsed: number };
	cpuMicros(): number;
	uptimeMs(): number;
}

export const processUsage: Usage = {
	memory: () => process.memoryUsage(),
	cpuMicros: () => sum(process.cpuUsage()),
	uptimeMs: () => process.uptime() * 1000,
};

/**
 * Of a thread. Its resident memory is its part of the process's, in the proportion of what the threads have by themselves, so that the
 * figures of all threads add up to the process. Node before 23.9 does not know the processor time of one thread: there it is the time in
 * which the event loop was busy.
 */
export function threadUsage({ memory, slot }: Pick<ThreadEnd, 'memory' | 'slot'>): Usage {
	const sizes = new Float64Array(memory);
	const measure = () => {
		const heap = getHeapStatistics();
		sizes[slot] = heap.total_physical_size + heap.external_memory + heap.malloced_memory;
		return heap.used_heap_size;
	};
	measure();
	return {
		memory() {
			const heapUsed = measure();
			const all = sizes.reduce((total, size) => total + size, 0);
			return { rss: Math.round((process.memoryUsage.rss() * (sizes[slot] as number)) / all), heapUsed };
		},
		cpuMicros: threadCpuMicros,
		uptimeMs: () => performance.now(),
	};
}

interface WithThreadUsage {
	threadCpuUsage?(): { user: number; system: number };
}

function threadCpuMicros(): number {
	const { threadCpuUsage } = process as WithThreadUsage;
	return threadCpuUsage ? sum(threadCpuUsage()) : performance.eventLoopUtilization().active * 1000;
}

function sum({ user, system }: { user: number; system: number }): number {
	return user + system;
}
