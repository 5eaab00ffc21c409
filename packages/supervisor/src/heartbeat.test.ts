import { fakeClock } from '@shardctl/test-support';
import { describe, expect, it } from 'vitest';
import { Heartbeat } from './heartbeat.js';

function monitored() {
	const clock = fakeClock();
	const said: string[] = [];
	const excuse = { holds: false };
	const questions: { answer: () => void; refuse: () => void; signal: AbortSignal; at: number }[] = [];
	const heartbeat = new Heartbeat({
		clock,
		intervalMs: 100,
		timeoutMs: 1000,
		ping: (signal) =>
			new Promise((resolve, reject) => {
				questions.push({ answer: resolve, refuse: () => reject(new Error('closed')), signal, at: clock.monotonic() });
			}),
		isExcused: () => excuse.holds,
		onSilent: () => said.push(`silent at ${clock.monotonic()}`),
		onAnswer: () => said.push(`answer at ${clock.monotonic()}`),
	});
	return { clock, said, questions, excuse, heartbeat, last: () => questions.at(-1) as (typeof questions)[number] };
}

describe('Heartbeat', () => {
	it('sends one ping at a time, the next one an interval after the response', async () => {
		const { clock, said, questions, heartbeat, last } = monitored();
		heartbeat.start();
		await clock.advance(300);
		expect(questions).toHaveLength(1);
		last().answer();
		await clock.advance(99);
		expect(questions).toHaveLength(1);
		await clock.advance(1);
		expect(questions.map(({ at }) => at)).toEqual([0, 400]);
		expect(said).toEqual([]);
		heartbeat.stop();
	});

	it('reports silence once per ping, after the timeout', async () => {
		const { clock, said, heartbeat, last } = monitored();
		heartbeat.start();
		last().answer();
		await clock.advance(100);
		await clock.advance(999);
		expect(said).toEqual([]);
		await clock.advance(10_000);
		expect(said).toEqual(['silent at 1101']);
		heartbeat.stop();
	});

	it('reports a late response, and continues', async () => {
		const { clock, said, heartbeat, last } = monitored();
		heartbeat.start();
		last().answer();
		await clock.advance(1600);
		last().answer();
		await clock.advance(100);
		last().answer();
		await clock.advance(0);
		expect(said).toEqual(['silent at 1101', 'answer at 1600']);
		heartbeat.stop();
	});

	it('reports no silence for a process that never responded: it is still loading', async () => {
		const { clock, said, heartbeat, last } = monitored();
		heartbeat.start();
		await clock.advance(50_000);
		expect(said).toEqual([]);
		last().answer();
		await clock.advance(1101);
		expect(said).toEqual(['silent at 51101']);
		heartbeat.stop();
	});

	it('treats a ping that cannot be sent as unanswered, and retries at the normal interval', async () => {
		const { clock, said, questions, heartbeat, last } = monitored();
		heartbeat.start();
		last().answer();
		await clock.advance(100);
		last().refuse();
		await clock.advance(999);
		expect({ said, asked: questions.length }).toEqual({ said: [], asked: 2 });
		await clock.advance(102);
		expect({ said, asked: questions.length }).toEqual({ said: ['silent at 1101'], asked: 3 });
		heartbeat.stop();
	});

	it('sends another ping when a ping is rejected after its timeout', async () => {
		const { clock, questions, heartbeat, last } = monitored();
		heartbeat.start();
		await clock.advance(2000);
		last().refuse();
		await clock.advance(100);
		expect(questions).toHaveLength(2);
		heartbeat.stop();
	});

	it('tolerates silence while it is excused, and starts the timeout again after that', async () => {
		const { clock, said, excuse, heartbeat, last } = monitored();
		heartbeat.start();
		last().answer();
		excuse.holds = true;
		await clock.advance(100 + 3 * 1001 + 500);
		excuse.holds = false;
		expect(said).toEqual([]);
		await clock.advance(501);
		expect(said).toEqual([`silent at ${100 + 4 * 1001}`]);
		heartbeat.stop();
	});

	it('cancels its ping and leaves no timer when it is stopped, and ignores a late response', async () => {
		const { clock, said, heartbeat, last } = monitored();
		heartbeat.start();
		last().answer();
		await clock.advance(1200);
		heartbeat.stop();
		expect(last().signal.aborted).toBe(true);
		last().answer();
		await clock.advance(5000);
		expect({ said, timers: clock.pendingTimers() }).toEqual({ said: ['silent at 1101'], timers: 0 });
	});
});
