import { type Deferred, deferred, ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { IdentifyAdmission } from './identify-admission.js';

const terms = { intents: 1, largeThreshold: null, presence: null };
const never = new AbortController().signal;

interface Asked {
	shardId: number;
	terms: typeof terms | null;
	answer: Deferred<{ answerable: boolean }>;
}

function setup() {
	const clock = fakeClock();
	const asked: Asked[] = [];
	const gateway = {
		whenReady: async () => {},
		request: (_method: string, params: Omit<Asked, 'answer'>) => {
			const answer = deferred<{ answerable: boolean }>();
			asked.push({ ...params, answer });
			return answer.promise;
		},
	};
	const admission = new IdentifyAdmission(clock);
	const passed: number[] = [];
	const wait = (shardId: number, signal = never) =>
		admission.wait(gateway as never, { shardId }, signal).then(() => void passed.push(shardId));
	/** The gateway process's response to the last request for a shard. */
	const answer = async (shardId: number, answerable: boolean) => {
		asked.findLast((question) => question.shardId === shardId)?.answer.resolve({ answerable });
		await clock.advance(0);
	};
	return { clock, admission, asked, passed, wait, answer };
}

it('passes an IDENTIFY once the gateway process can answer it', async () => {
	const { clock, asked, passed, wait, answer } = setup();
	void wait(3);
	await clock.advance(60_000);
	expect([asked.map(({ shardId }) => shardId), passed]).toEqual([[3], []]);
	await answer(3, true);
	expect(passed).toEqual([3]);
});

it('lets one shard identify first while the intents are unknown, and starts the sessions of all others with its intents', async () => {
	const { clock, admission, asked, passed, wait, answer } = setup();
	for (const shardId of [0, 1, 2]) {
		void wait(shardId);
		await clock.advance(0);
		await answer(shardId, false);
	}
	await clock.advance(1000);
	expect([passed, asked.length]).toEqual([[0], 3]);
	admission.noteTerms(terms);
	await clock.advance(0);
	expect([passed, asked.slice(3).map((question) => [question.shardId, question.terms])]).toEqual([
		[0],
		[
			[1, terms],
			[2, terms],
		],
	]);
	await answer(2, true);
	await answer(1, true);
	expect(passed).toEqual([0, 2, 1]);
});

it('lets another shard go first when the first one led to no session', async () => {
	const { clock, passed, wait, answer } = setup();
	for (const shardId of [0, 1, 2]) {
		void wait(shardId);
		await clock.advance(0);
		await answer(shardId, false);
	}
	await clock.advance(5000);
	expect(passed).toEqual([0, 1]);
	await clock.advance(5000);
	expect(passed).toEqual([0, 1, 2]);
});

it('asks the next gateway process after one exited, and lets any other failure show at the IDENTIFY', async () => {
	const { clock, asked, passed, wait, answer } = setup();
	void wait(0);
	await clock.advance(0);
	asked[0]?.answer.reject(new ShardctlError('CHANNEL_CLOSED', 'it died'));
	await clock.advance(0);
	expect(asked).toHaveLength(2);
	await answer(0, true);
	void wait(1);
	await clock.advance(0);
	asked.at(-1)?.answer.reject(new ShardctlError('SHARD_NOT_OWNED', 'not here'));
	await clock.advance(0);
	expect(passed).toEqual([0, 1]);
});

it('rejects with the reason of the signal, also while it waits to go first', async () => {
	const { clock, asked, wait, answer } = setup();
	const abort = new AbortController();
	void wait(0);
	await clock.advance(0);
	await answer(0, false);
	const waiting = wait(1, abort.signal);
	await clock.advance(0);
	await answer(1, false);
	abort.abort(new Error('closed'));
	await expect(waiting).rejects.toThrow('closed');
	expect(asked).toHaveLength(2);
	await clock.advance(0);
	expect(clock.pendingTimers()).toBe(0);
});
