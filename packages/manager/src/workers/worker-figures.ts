// The figures that the processes of a worker send: the last ones, and what is summed over all of its processes.
import type { WorkerSample } from '@shardctl/core';

export class WorkerFigures {
	#last: WorkerSample | undefined;
	#cpuSecondsBefore = 0;

	/** Of the present process; undefined before its first. */
	get last(): WorkerSample | undefined {
		return this.#last;
	}

	/** Processor time of all processes so far, in s; undefined before the first figures. */
	get cpuSeconds(): number | undefined {
		return this.#last ? this.#cpuSecondsBefore + this.#last.cpuSeconds : this.#cpuSecondsBefore || undefined;
	}

	/** Another process is the present one. */
	beginProcess(): void {
		this.#cpuSecondsBefore = this.cpuSeconds ?? 0;
		this.#last = undefined;
	}

	note(sample: WorkerSample): void {
		this.#last = sample;
	}
}
