// Work that may overlap, and work that may not overlap with any other.

export class TurnTaking {
	#sharing = new Set<Promise<unknown>>();
	#alone: Promise<unknown> = Promise.resolve();

	/** Runs beside others of its kind, but not while exclusive work runs. */
	async share(work: () => Promise<void>): Promise<void> {
		for (let before: unknown; before !== this.#alone; ) {
			before = this.#alone;
			await before;
		}
		const done = work();
		this.#sharing.add(done);
		await done.finally(() => this.#sharing.delete(done));
	}

	/** Runs when everything else is done; later work waits. */
	async alone(work: () => Promise<void>): Promise<void> {
		const before = [...this.#sharing, this.#alone];
		this.#alone = Promise.allSettled(before).then(work);
		await this.#alone;
	}
}
