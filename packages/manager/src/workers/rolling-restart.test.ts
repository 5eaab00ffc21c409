import type { RestartProgress } from '@shardctl/control';
import { type FakeClock, fakeClock } from '@shardctl/test-support';
import { beforeEach, describe, expect, it } from 'vitest';
import { restartInTurn } from './rolling-restart.js';

let clock: FakeClock;
let steps: string[];
let away: Set<number>;
let mostAway: number;
beforeEach(() => {
	clock = fakeClock();
	steps = [];
	away = new Set();
	mostAway = 0;
});

/** Workers that take a second to restart, except those that fail. */
const fleet = (count: number, broken: readonly number[] = []) =>
	Array.from({ length: count }, (_, id) => ({
		id,
		shardIds: [id],
		async restart() {
			away.add(id);
			mostAway = Math.max(mostAway, away.size);
			await new Promise<void>((resolve) => clock.setTimeout(resolve, 1000));
			away.delete(id);
			if (broken.includes(id)) throw new Error(`worker ${id} did not become ready again: exit code 1`);
		},
	}));

const run = async (
	workers: ReturnType<typeof fleet>,
	{ parallel = 1, delayMs = 0, signal = new AbortController().signal } = {},
) => {
	const onProgress = ({ workerId, step, done, total }: RestartProgress) => steps.push(`${workerId} ${step} ${done}/${total}`);
	const outcome = restartInTurn(workers, { parallel, delayMs, clock, signal, onProgress }).then(
		() => 'done',
		(error: Error) => error.message,
	);
	await clock.advance(60_000);
	return outcome;
};

describe('restartInTurn', () => {
	it('restarts the next worker only when the last is ready again, and reports each step', async () => {
		expect(await run(fleet(3))).toBe('done');
		expect(mostAway).toBe(1);
		expect(steps).toEqual([
			'0 restarting 0/3',
			'0 ready 1/3',
			'1 restarting 1/3',
			'1 ready 2/3',
			'2 restarting 2/3',
			'2 ready 3/3',
		]);
	});

	it('restarts at most as many at once as requested', async () => {
		expect(await run(fleet(7), { parallel: 3 })).toBe('done');
		expect(mostAway).toBe(3);
		expect(steps.at(-1)).toBe('6 ready 7/7');
	});

	it('leaves the rest untouched when one fails to restart', async () => {
		expect(await run(fleet(5, [1]))).toBe('worker 1 did not become ready again: exit code 1. 3 of 5 workers were left unchanged');
		expect(steps.at(-1)).toBe('1 failed 1/5');
	});

	it('lets running restarts finish when one fails', async () => {
		expect(await run(fleet(6, [0]), { parallel: 2 })).toMatch(/^worker 0 did not .* 4 of 6 workers were left unchanged$/);
		expect(steps.slice(-2)).toEqual(['0 failed 0/6', '1 ready 1/6']);
	});

	it('pauses between workers, and rejects with the reason of an abort, without restarting another', async () => {
		const abort = new AbortController();
		clock.setTimeout(() => abort.abort(new Error('stopped')), 5000);
		expect(await run(fleet(3), { delayMs: 10_000, signal: abort.signal })).toBe('stopped');
		expect(steps).toEqual(['0 restarting 0/3', '0 ready 1/3']);
	});
});
