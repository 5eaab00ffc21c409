import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Token } from './token-source.js';
import { TokenWindow } from './token-window.js';

describe('the tokens of the global limit', () => {
	it('are as many as the limit at once, and none more before the first is free again', () => {
		const window = new TokenWindow(2);
		const first = window.take(0);
		expect([first !== undefined, window.take(0) !== undefined, window.take(0)]).toEqual([true, true, undefined]);
		first?.settle(100);
		expect(window.take(1100)).toBeUndefined();
		expect(window.nextAt(1100)).toBe(1102);
		expect(window.take(1102)).toBeDefined();
	});

	it('are free at once where the request was not sent', () => {
		const window = new TokenWindow(1);
		window.take(0)?.giveBack();
		expect(window.nextAt(0)).toBe(0);
		expect(window.take(0)).toBeDefined();
	});

	it('are free a second after a request without an answer was counted', () => {
		const window = new TokenWindow(1);
		window.take(0);
		expect(window.nextAt(10)).toBe(1000);
		expect(window.take(1000)).toBeUndefined();
		expect(window.take(2002)).toBeDefined();
	});

	it('are settled once', () => {
		const window = new TokenWindow(1);
		const token = window.take(0);
		token?.settle(10);
		token?.settle(500);
		token?.giveBack();
		expect(window.nextAt(20)).toBe(1012);
	});

	it('never let a second of Discord have more requests than the limit, wherever it begins and whenever Discord counts', () => {
		const step = fc.record({
			/** Until the next request wants to be sent. */
			pauseMs: fc.integer({ min: 0, max: 60 }),
			/** Until Discord answers. */
			answerMs: fc.integer({ min: 0, max: 900 }),
			/** When Discord counts, as a share of that. */
			countedAt: fc.double({ min: 0, max: 1, noNaN: true }),
		});
		fc.assert(
			fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { minLength: 1, maxLength: 80 }), (limit, steps) => {
				const window = new TokenWindow(limit);
				const running: { token: Token; answeredAt: number }[] = [];
				const counted: number[] = [];
				let nowMs = 0;
				/** Moves on, with the answers that come meanwhile. */
				const moveTo = (at: number) => {
					for (const each of running.filter(({ answeredAt }) => answeredAt <= at).sort((a, b) => a.answeredAt - b.answeredAt)) {
						each.token.settle(each.answeredAt);
						running.splice(running.indexOf(each), 1);
					}
					nowMs = at;
				};
				for (const { pauseMs, answerMs, countedAt } of steps) {
					moveTo(nowMs + pauseMs);
					let token = window.take(nowMs);
					while (!token) {
						const nextAnswer = Math.min(...running.map(({ answeredAt }) => answeredAt), Number.POSITIVE_INFINITY);
						moveTo(Math.max(nowMs, Math.min(nextAnswer, window.nextAt(nowMs))));
						token = window.take(nowMs);
					}
					running.push({ token, answeredAt: nowMs + answerMs });
					counted.push(nowMs + answerMs * countedAt);
				}
				counted.sort((a, b) => a - b);
				for (const [n, at] of counted.entries()) {
					expect(counted.slice(n).filter((other) => other < at + 1000).length).toBeLessThanOrEqual(limit);
				}
			}),
		);
	});
});
