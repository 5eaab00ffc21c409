// Polls the machine's processes while a test runs: it detects two concurrent processes of one worker
// independently of the fleet's own reports.

import { isAlive } from '@shardctl/test-support';
import type { Fleet } from './fleet.js';

const everyMs = 250;

export class ProcessWatch implements Disposable {
	/** Each time that two processes of one worker were alive at once. */
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
