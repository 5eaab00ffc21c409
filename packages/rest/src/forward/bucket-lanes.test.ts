import { deferred } from '@shardctl/core';
import { expect, it } from 'vitest';
import { BucketLanes } from './bucket-lanes.js';

const never = new AbortController().signal;

function lanes() {
	const lane = new BucketLanes();
	const started: string[] = [];
	const running: { resolve(): void }[] = [];
	const run = (name: string, source: number, { in: key = 'a', signal = never } = {}) =>
		lane.run(key, source, signal, () => {
			started.push(name);
			const work = deferred();
			running.push(work);
			return work.promise;
		});
	const turn = () => new Promise((resolve) => setImmediate(resolve));
	/** Ends the one that runs. */
	const next = async () => {
		await turn();
		running.shift()?.resolve();
		await turn();
	};
	return { run, started, next };
}

it('lets one request of a lane through at a time, in turns between the workers', async () => {
	const { run, started, next } = lanes();
	const all = ['a1', 'a2', 'a3'].map((name) => run(name, 1)).concat(['b1', 'b2'].map((name) => run(name, 2)));
	await next();
	expect(started).toEqual(['a1', 'a2']);
	for (let n = 0; n < 5; n++) await next();
	await Promise.all(all);
	expect(started).toEqual(['a1', 'a2', 'b1', 'a3', 'b2']);
});

it('lets lanes run beside each other', async () => {
	const { run, started } = lanes();
	void run('a1', 1);
	void run('b1', 1, { in: 'b' });
	await new Promise((resolve) => setImmediate(resolve));
	expect(started).toEqual(['a1', 'b1']);
});

it('leaves out what is cancelled while it waits, and continues after work that fails', async () => {
	const { run, started, next } = lanes();
	const caller = new AbortController();
	const first = run('a1', 1);
	const cancelled = run('a2', 1, { signal: caller.signal });
	const last = run('a3', 1);
	caller.abort(new Error('gone'));
	await expect(cancelled).rejects.toThrow('gone');
	await next();
	await next();
	await Promise.all([first, last]);
	expect(started).toEqual(['a1', 'a3']);

	const failing = new BucketLanes();
	await expect(failing.run('a', 1, never, () => Promise.reject(new Error('failed')))).rejects.toThrow('failed');
	await failing.run('a', 1, never, async () => {});
});
