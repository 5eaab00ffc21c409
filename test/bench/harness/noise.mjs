// How noisy a run was: a loop of always the same work, on all cores at once, between the turns of the contenders, when nothing of the
// benchmark runs. On a quiet machine it takes as long as ever; beside another program it is stopped, and takes longer.
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { quantile } from './statistics.mjs';

/** Some 2 ms. */
const steps = 2_000_000;
const warmUps = 10;
/** Times the fastest, in the median and in one of ten, from which on a run counts as noisy. With one core of two busy both are about 1.5. */
const limits = { median: 1.1, tenth: 1.5 };

const loop = `
const { parentPort } = require('node:worker_threads');
parentPort.on('message', () => {
	const startedAt = performance.now();
	let sum = 0;
	for (let step = 0; step < ${steps}; step++) sum = (sum * 31 + step) | 0;
	parentPort.postMessage([performance.now() - startedAt, sum]);
});`;

export class Noise {
	#loops = [];
	/** Of the slowest core, in ms. */
	#samples = [];

	/** Takes some ms. */
	async sample() {
		if (this.#loops.length === 0) await this.#start();
		this.#samples.push(await this.#runAll());
	}

	/** Since the last call; undefined without a sample. */
	take() {
		const samples = this.#samples.splice(0);
		if (samples.length === 0) return undefined;
		const fastest = Math.min(...samples);
		const [typical, tenth] = [0.5, 0.9].map((share) => quantile(samples, share) / fastest);
		return { samples: samples.length, median: typical, tenth, noisy: typical > limits.median || tenth > limits.tenth };
	}

	close() {
		return Promise.all(this.#loops.splice(0).map((worker) => worker.terminate()));
	}

	async #start() {
		this.#loops = Array.from({ length: availableParallelism() }, () => new Worker(loop, { eval: true }));
		for (let run = 0; run < warmUps; run++) await this.#runAll();
	}

	async #runAll() {
		const times = await Promise.all(
			this.#loops.map((worker) => {
				const done = new Promise((resolve) => worker.once('message', resolve));
				worker.postMessage(null);
				return done;
			}),
		);
		return Math.max(...times.map(([ms]) => ms));
	}
}

/** For people. */
export function describeNoise({ samples, median, tenth, noisy }) {
	const figures = `a fixed loop on each core took ${median.toFixed(2)} times its fastest in the median, and ${tenth.toFixed(2)} times or more in one of ten (${samples} samples)`;
	return noisy ? `NOISY RUN: ${figures}; only large ratios mean something` : `quiet run: ${figures}`;
}
