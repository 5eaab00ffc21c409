// One output of a thread at its owner: a stream that stops its source while its reader does not keep up.
import { Readable } from 'node:stream';

export class ThreadOutput extends Readable {
	readonly #setPaused: (paused: boolean) => void;
	#isPaused = false;
	#isOver = false;

	/** @param setPaused Stops the source, or lets it continue. */
	constructor(setPaused: (paused: boolean) => void) {
		super();
		this.#setPaused = setPaused;
	}

	add(chunk: string | Buffer): void {
		if (this.#isOver || this.destroyed) return;
		if (this.push(chunk) || this.#isPaused) return;
		this.#isPaused = true;
		this.#setPaused(true);
	}

	/** Nothing follows; what is there can still be read. */
	finish(): void {
		if (this.#isOver) return;
		this.#isOver = true;
		this.push(null);
	}

	override _read(): void {
		if (!this.#isPaused) return;
		this.#isPaused = false;
		this.#setPaused(false);
	}
}
