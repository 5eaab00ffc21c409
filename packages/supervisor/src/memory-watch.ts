// Judges samples of one process's memory against a limit, so that a warning comes before the limit does, and comes once.
import { isOn } from './timer-delay.js';

/** At this share of the limit a process is warned about; under {@link calmShare} the warning is armed again. */
const warnShare = 0.9;
const calmShare = 0.8;

export class MemoryWatch {
	readonly limitBytes: number;
	#warned = false;

	/** 0 and `Infinity` mean no limit. */
	constructor(limitBytes: number) {
		this.limitBytes = limitBytes;
	}

	judge(rssBytes: number): 'fine' | 'near' | 'over' {
		if (!isOn(this.limitBytes)) return 'fine';
		if (rssBytes > this.limitBytes) return 'over';
		if (rssBytes < this.limitBytes * calmShare) this.#warned = false;
		if (this.#warned || rssBytes < this.limitBytes * warnShare) return 'fine';
		this.#warned = true;
		return 'near';
	}
}
