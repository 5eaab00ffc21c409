// A host whose children are threads: it keeps processes of ours, each with a number of threads, and starts each child as a thread of one.
// To a supervisor a thread is a child like a process: it exits, is killed, has a channel and output of its own.
import { ShardctlError } from '@shardctl/core';
import type { ProcessHost } from '../child-handle.js';
import { defaultProcessHost } from '../process-host.js';
import { choosePlace } from './placement.js';
import { ThreadProcess } from './thread-process.js';

export interface ThreadHostOptions {
	/** How many threads a process has at most (from 1). While one thread takes over from another, both are there. */
	threadsPerProcess: number;
	/** Whether a message to a child is for the runtime in the thread and not for the code that the thread runs. */
	isPrivate(message: unknown): boolean;
	/** Starts the processes (default: the real system). */
	host?: ProcessHost;
}

/** Each child's `ordinal` is its owner: a child with the same number is its next process, or is about to take over from it. */
export function createThreadHost({ threadsPerProcess, isPrivate, host = defaultProcessHost }: ThreadHostOptions): ProcessHost {
	/** In the order of their start. */
	let processes: ThreadProcess[] = [];
	const lastOf = new Map<number, ThreadProcess>();
	let started = 0;
	return {
		start(spec) {
			if (spec.command !== undefined) {
				throw new ShardctlError('OPTIONS_INVALID', `"${spec.command}" is a program of its own, which cannot run in a thread`);
			}
			const owner = spec.ordinal ?? 0;
			processes = processes.filter(({ isGone }) => !isGone);
			const places = processes.filter(({ cwd }) => cwd === spec.cwd);
			let place = choosePlace(places, { owner, last: lastOf.get(owner), threadsPerProcess });
			if (!place) {
				place = new ThreadProcess({ host, isPrivate, spec: { ...spec, ordinal: started++ } });
				processes.push(place);
			}
			lastOf.set(owner, place);
			return place.start(spec);
		},
		// A process reports it with the exit of each of its threads.
		claimOomKill: () => false,
	};
}
