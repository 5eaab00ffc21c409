import type { LimitPart, LimitWish } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { SharedTokens } from './shared-tokens.js';
import type { Token } from './token-source.js';

const away: LimitPart = { tokens: null, nodes: 5 };

/** A node among five, of a bot with 50 a second. The test is Redis. */
function node() {
	const clock = fakeClock();
	const asked: (LimitWish & { at: number })[] = [];
	const replies: ((part: LimitPart) => void)[] = [];
	const tokens = new SharedTokens({
		clock,
		perSecond: 50,
		ask: (wish) => {
			asked.push({ ...wish, at: clock.monotonic() });
			return new Promise((resolve) => replies.push(resolve));
		},
	});
	const answer = async (part: LimitPart) => {
		replies.shift()?.(part);
		await clock.advance(0);
	};
	const lend = (count: number) => answer({ tokens: count, lentMs: 900, intervalMs: 300, nodes: 5 });
	/** As many as there are. */
	const takeAll = (waiting = 100): Token[] => {
		const taken: Token[] = [];
		for (;;) {
			const token = tokens.take(clock.monotonic(), waiting);
			if (!token) return taken;
			taken.push(token);
		}
	};
	return { clock, tokens, asked, answer, lend, takeAll };
}

describe('the part of one node', () => {
	it('is asked for at the first request, with a little more than it wants, and then at most once in each interval', async () => {
		const { clock, tokens, asked, lend, takeAll } = node();
		let more = 0;
		tokens.onMore(() => more++);
		expect(tokens.take(0, 2)).toBeUndefined();
		await clock.advance(0);
		expect(asked).toEqual([{ want: 7, keep: 0, at: 0 }]);
		await lend(7);
		expect(more).toBe(1);
		expect(takeAll()).toHaveLength(7);
		await clock.advance(299);
		expect(asked).toHaveLength(1);
		await clock.advance(1);
		expect(asked[1]).toEqual({ want: 50, keep: 7, at: 300 });
	});

	it('is used no further than it said while a call is under way', async () => {
		const { clock, tokens, lend, takeAll, asked } = node();
		tokens.take(0, 40);
		await clock.advance(0);
		await lend(45);
		for (let n = 0; n < 10; n++) tokens.take(0, 1);
		await clock.advance(300);
		expect(asked[1]).toEqual({ want: 15, keep: 15, at: 300 });
		// It may be lent to another node already.
		expect(takeAll()).toHaveLength(5);
		await lend(20);
		expect(takeAll()).toHaveLength(5);
	});

	it('is given back within a second after the last request, also where one that waited was cancelled', async () => {
		const { clock, tokens, asked, lend } = node();
		tokens.take(0, 1);
		await clock.advance(0);
		await lend(6);
		for (let n = 0; n < 10; n++) {
			await clock.advance(300);
			await lend(asked.at(-1)?.want ?? 0);
		}
		expect(asked.map(({ want }) => want)).toEqual([6, 6, 6, 0]);
		expect(asked.at(-1)?.at).toBeLessThanOrEqual(1000);
		expect(clock.pendingTimers()).toBe(0);
	});

	it('ends when it is not lent again: a node then has at most its share, and all of it once nothing is lent to others any more', async () => {
		const { clock, tokens, answer, lend, takeAll } = node();
		tokens.take(0, 4);
		await clock.advance(0);
		await lend(4);
		const takenAt: number[] = [];
		while (clock.monotonic() < 6000) {
			for (const token of takeAll()) {
				takenAt.push(clock.monotonic());
				token.settle(clock.monotonic());
			}
			await clock.advance(100);
			await answer(away);
		}
		const between = (from: number, to: number) => takenAt.filter((at) => at >= from && at < to).length;
		expect([between(0, 1000), between(1000, 2000), between(2000, 3000)]).toEqual([4, 4, 4]);
		// Redis was away from 300 ms on; what others had was lent for 0.9 s, and counts for 2 s more.
		expect(between(3200, 4200)).toBe(10);
	});

	it('is given back at its end', async () => {
		const { clock, tokens, asked, lend, takeAll } = node();
		tokens.take(0, 4);
		await clock.advance(0);
		await lend(9);
		takeAll();
		tokens.stop();
		expect(asked.at(-1)).toMatchObject({ want: 0, keep: 9 });
		await clock.advance(60_000);
		expect(asked).toHaveLength(2);
	});
});
