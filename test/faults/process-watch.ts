// Looks at the machine's processes again and again, for as long as a test runs: two processes of one slice at the same time are
// seen also when the fleet would never tell.

import { isAlive } from '@shardctl/test-support';
import type { Fleet } from './fleet.js';

const everyMs = 250;

export class ProcessWatch implements Disposable {
	/** Each time that two processes of one slice were alive at once. */
	readonly sightings: string[] = [];
	looks = 0;
	readonly #timer: NodeJS.Timeout;

	constructor(fleets: readonly Fleet[]) {
		this.#timer = setInterval(() => {
			for (const fleet of fleets) this.look(fleet);
		}, everyMs);
	}

	look(fleet: Fleet): void {
		this.looks++;
		for (const [workerId, pids] of fleet.incarnations()) {
			// A listing takes a moment: the first of two may have ended before the second began.
			const together = pids.length > 1 ? pids.filter(isAlive) : [];
			if (together.length > 1) this.sightings.push(`worker ${workerId} as processes ${together.join(' and ')}`);
		}
	}

	[Symbol.dispose](): void {
		clearInterval(this.#timer);
	}
}
