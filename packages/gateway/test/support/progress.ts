// Counts steps, so that a test can act in the middle of them, however fast they are.

export class Progress {
	#steps = 0;
	#waiting: { steps: number; resolve(): void }[] = [];

	step(): void {
		this.#steps++;
		for (const { steps, resolve } of this.#waiting) if (this.#steps >= steps) resolve();
		this.#waiting = this.#waiting.filter(({ steps }) => this.#steps < steps);
	}

	/** Resolves after that many steps. */
	async reached(steps: number): Promise<void> {
		if (this.#steps < steps) await new Promise<void>((resolve) => this.#waiting.push({ steps, resolve }));
	}
}
