import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	backoffBoundMs,
	cooldownDelayMs,
	decideRestart,
	defaultRestartPolicy,
	emptyHistory,
	type RestartDecision,
	type RestartHistory,
	type RestartPolicy,
} from './restart-policy.js';

const policy: RestartPolicy = {
	initialDelayMs: 100,
	maxDelayMs: 1000,
	factor: 2,
	maxRestarts: 3,
	windowMs: 60_000,
	stableAfterMs: 10_000,
	cooldownMs: 5000,
};

const crash = { reason: 'exit-code', wasReady: false, readyForMs: 0, spent: false } as const;
const crashAfterLongRun = { reason: 'exit-code', wasReady: true, readyForMs: 10_000, spent: true } as const;
const crashThatSpent = { reason: 'exit-code', wasReady: true, readyForMs: 9999, spent: true } as const;

/** The decisions on these exits, each at its time; jitter at its largest. */
function decisions(
	exits: { at: number; exit?: typeof crash | typeof crashAfterLongRun | typeof crashThatSpent }[],
): RestartDecision[] {
	let history: RestartHistory = emptyHistory;
	return exits.map(({ at, exit = crash }) => {
		const decision = decideRestart(history, exit, policy, at, 0.999_999);
		if (decision.kind !== 'never') history = decision.history;
		return decision;
	});
}

const brief = (list: RestartDecision[]) =>
	list.map((decision) => (decision.kind === 'never' ? 'never' : `${decision.kind} ${decision.delayMs}`));

describe('decideRestart', () => {
	it('restarts at once after a single crash, then backs off', () => {
		expect(brief(decisions([{ at: 0 }, { at: 1 }, { at: 2 }]))).toEqual(['restart 0', 'restart 99', 'restart 199']);
	});

	it('gives up when the window is full, and then allows one attempt per cool-down, with growing delays', () => {
		const list = decisions([0, 1, 2, 3, 5004, 20_000, 50_000].map((at) => ({ at })));
		expect(brief(list).slice(3)).toEqual(['cooldown 5499', 'cooldown 10999', 'cooldown 21999', 'cooldown 43999']);
	});

	it('stays in cool-down after the window has emptied, until the child proves itself', () => {
		const list = decisions([
			{ at: 0 },
			{ at: 1 },
			{ at: 2 },
			{ at: 3 },
			{ at: 500_000 },
			{ at: 900_000, exit: crashAfterLongRun },
			{ at: 900_001 },
		]);
		expect(brief(list).slice(3)).toEqual(['cooldown 5499', 'cooldown 10999', 'restart 0', 'restart 99']);
	});

	it('resets the backoff only after a run that was ready for long enough', () => {
		const short = { reason: 'signal', wasReady: true, readyForMs: 9999, spent: false } as const;
		const start = { attempts: 4, restartedAt: [], cooldowns: 0 };
		expect(decideRestart(start, short, policy, 0, 0.5)).toMatchObject({ kind: 'restart', delayMs: 400 });
		expect(decideRestart(start, crashAfterLongRun, policy, 0, 0.5)).toMatchObject({ kind: 'restart', delayMs: 0 });
	});

	it('waits longer, and with little jitter, after runs that had used their start budget', () => {
		const spending = { ...policy, maxDelayMs: 20_000 };
		const waits = (exits: (typeof crash | typeof crashThatSpent)[], random: number) => {
			let history = emptyHistory;
			return exits.map((exit, at) => {
				const decision = decideRestart(history, exit, spending, at, random);
				if (decision.kind !== 'restart') throw new Error('the window is not full yet');
				history = decision.history;
				return decision.delayMs;
			});
		};
		expect(waits([crashThatSpent, crashThatSpent, crashThatSpent], 0)).toEqual([0, 1600, 20_000]);
		expect(waits([crashThatSpent, crashThatSpent, crashThatSpent], 0.999_999)).toEqual([0, 1440, 18_000]);
		// A run that died without using the budget counts as little as before, and one that died after it still waits for less.
		expect(waits([crash, crashThatSpent, crash], 0.5)).toEqual([0, 95, 1600]);
	});

	it('resets after a run that had used the budget and then proved itself', () => {
		const list = decisions([{ at: 0, exit: crashThatSpent }, { at: 1, exit: crashAfterLongRun }, { at: 2 }]);
		expect(brief(list)).toEqual(['restart 0', 'restart 0', 'restart 99']);
	});

	it('counts restarts of stable runs in the window too: a crash every minute is not healthy', () => {
		const list = decisions([0, 1, 2, 3].map((step) => ({ at: step * 15_000, exit: crashAfterLongRun })));
		expect(brief(list)).toEqual(['restart 0', 'restart 0', 'restart 0', 'cooldown 5499']);
	});

	it('restarts after a clean exit as well: a bot must run', () => {
		expect(decideRestart(emptyHistory, { ...crash, reason: 'clean', wasReady: true, readyForMs: 5 }, policy, 0, 0)).toMatchObject(
			{
				kind: 'restart',
			},
		);
	});

	it('never restarts without a policy, nor after a fatal exit', () => {
		expect(decideRestart(emptyHistory, crash, null, 0, 0)).toEqual({ kind: 'never' });
		expect(decideRestart(emptyHistory, { ...crash, reason: 'fatal' }, policy, 0, 0)).toEqual({ kind: 'never' });
	});
});

const anyPolicy = fc.record({
	initialDelayMs: fc.nat(10_000),
	maxDelayMs: fc.nat(100_000),
	factor: fc.double({ min: 1, max: 10, noNaN: true }),
	maxRestarts: fc.nat(20),
	windowMs: fc.nat(1_000_000),
	stableAfterMs: fc.nat(100_000),
	cooldownMs: fc.nat(1_000_000),
});
const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

describe('for every policy', () => {
	it('the longest wait is between zero and its limit, and never decreases from one attempt to the next', () => {
		fc.assert(
			fc.property(anyPolicy, fc.nat(5000), (any, attempts) => {
				const boundMs = backoffBoundMs(attempts, any);
				expect(boundMs).toBeGreaterThanOrEqual(0);
				expect(boundMs).toBeLessThanOrEqual(any.maxDelayMs);
				expect(backoffBoundMs(attempts + 1, any)).toBeGreaterThanOrEqual(boundMs);
			}),
		);
	});

	it('the jitter is full: from zero up to the limit', () => {
		const start = { attempts: 4, restartedAt: [], cooldowns: 0 };
		const delayMs = (random: number) => decideRestart(start, crash, policy, 0, random);
		expect(delayMs(0)).toMatchObject({ delayMs: 0 });
		expect(delayMs(0.5)).toMatchObject({ delayMs: 400 });
		expect(delayMs(0.999_999)).toMatchObject({ delayMs: 799 });
	});

	it('no delay stays no delay in the longest of loops', () => {
		expect(backoffBoundMs(50_000, { ...policy, initialDelayMs: 0 })).toBe(0);
	});

	it('a cool-down is never shorter than configured, nor longer than twelve of them and a tenth', () => {
		fc.assert(
			fc.property(anyPolicy, fc.nat(5000), anyRandom, (any, cooldowns, random) => {
				const delayMs = cooldownDelayMs(cooldowns, any, random);
				expect(delayMs).toBeGreaterThanOrEqual(any.cooldownMs);
				expect(delayMs).toBeLessThanOrEqual(any.cooldownMs * 13.2);
			}),
		);
	});

	it('no window holds more quick restarts than allowed, for any runs', () => {
		const run = fc.record({ upMs: fc.nat(200_000), ready: fc.boolean(), spent: fc.boolean(), random: anyRandom });
		fc.assert(
			fc.property(anyPolicy, fc.array(run, { maxLength: 100 }), (any, runs) => {
				let history: RestartHistory = emptyHistory;
				let now = 0;
				const quick: number[] = [];
				for (const { upMs, ready, spent, random } of runs) {
					now += upMs;
					const exit = { reason: 'exit-code', wasReady: ready, readyForMs: ready ? upMs : 0, spent } as const;
					const decision = decideRestart(history, exit, any, now, random);
					if (decision.kind === 'never') throw new Error('an ordinary exit is never final');
					if (decision.kind === 'restart') quick.push(now);
					expect(decision.history.restartedAt.length).toBeLessThanOrEqual(any.maxRestarts + 1);
					history = decision.history;
					now += decision.delayMs;
				}
				for (const at of quick) {
					const inWindow = quick.filter((other) => other >= at && other < at + any.windowMs);
					expect(inWindow.length).toBeLessThanOrEqual(Math.max(any.maxRestarts, 1));
				}
			}),
		);
	});
});

it('the default policy restarts a worker that was ready at once', () => {
	const exit = { reason: 'signal', wasReady: true, readyForMs: 5000, spent: true } as const;
	expect(decideRestart(emptyHistory, exit, defaultRestartPolicy, 0, 0.999)).toMatchObject({ kind: 'restart', delayMs: 0 });
});
