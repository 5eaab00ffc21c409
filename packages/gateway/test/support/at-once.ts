/** All steps of something that is encoded in steps, and its pieces as one. */
export function atOnce(steps: Generator<void, Uint8Array[]>): Buffer {
	for (;;) {
		const { done, value } = steps.next();
		if (done) return Buffer.concat(value);
	}
}
