import { deferred } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { RenewalLoop } from './renewal-loop.js';

const timings = { renewMs: 1500, retryMs: 500 };

function setUp() {
	const clock = fakeClock();
	const started = clock.monotonic();
	const sent: { at: number; answer: (error?: Error) => void }[] = [];
	const unanswered: unknown[] = [];
	const loop = new RenewalLoop({
		clock,
		timings,
		send: () => {
			const answer = deferred<void>();
			sent.push({
				at: clock.monotonic() - started,
				answer: (error) => (error ? answer.reject(error) : answer.resolve()),
			});
			return answer.promise;
		},
		onUnanswered: (error) => unanswered.push(error),
	});
	return { clock, loop, sent, unanswered, times: () => sent.map(({ at }) => at) };
}

it('renews at its interval while each renewal has an answer, also one that arrives just in time', async () => {
	const { clock, loop, sent, unanswered, times } = setUp();
	loop.start();
	sent[0]?.answer();
	await clock.advance(1500);
	expect(times()).toEqual([0, 1500]);
	await clock.advance(499);
	sent[1]?.answer();
	await clock.advance(1001);
	expect(times()).toEqual([0, 1500, 3000]);
	expect(unanswered).toEqual([]);
});

it('sends the next renewal soon while there is no answer, reports each such time, and never has more than 16 open', async () => {
	const { clock, loop, sent, unanswered, times } = setUp();
	loop.start();
	await clock.advance(1000);
	expect(times()).toEqual([0, 500, 1000]);
	expect(unanswered).toEqual([undefined, undefined]);
	await clock.advance(20_000);
	expect(sent).toHaveLength(16);
	expect(unanswered).toHaveLength(42);
	sent[0]?.answer();
	await clock.advance(500);
	expect(sent).toHaveLength(17);
});

it('reports why a renewal failed, and repeats it', async () => {
	const { clock, loop, sent, unanswered, times } = setUp();
	loop.start();
	const failure = new Error('no connection');
	sent[0]?.answer(failure);
	await clock.advance(500);
	expect(unanswered).toEqual([failure, undefined]);
	expect(times()).toEqual([0, 500]);
});

it('renews at once when asked, once for several requests, and never after it has stopped', async () => {
	const { clock, loop, sent, times } = setUp();
	loop.soon();
	await clock.advance(100);
	expect(times()).toEqual([]);
	loop.start();
	sent[0]?.answer();
	await clock.advance(200);
	loop.soon();
	loop.soon();
	await clock.advance(0);
	expect(times()).toEqual([100, 300]);
	loop.stop();
	loop.soon();
	await clock.advance(60_000);
	expect(times()).toEqual([100, 300]);
});
