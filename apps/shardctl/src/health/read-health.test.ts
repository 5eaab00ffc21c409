import { ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { type HealthAnswer, readHealth } from './read-health.js';

const answer = (status: 'healthy' | 'degraded' | 'down') => ({ health: { status } }) as HealthAnswer;
const notRunning = new ShardctlError('MANAGER_NOT_RUNNING', 'no');

/** A fleet that returns these responses in order, and keeps returning the last one. */
function fleet(...answers: (HealthAnswer | Error)[]) {
	let looks = 0;
	return {
		looks: () => looks,
		connect: async () => ({
			health: async () => {
				const next = answers[Math.min(looks++, answers.length - 1)] as HealthAnswer | Error;
				if (next instanceof Error) throw next;
				return next;
			},
		}),
	};
}

it('asks once without a wait', async () => {
	const { connect, looks } = fleet(answer('down'));
	expect(await readHealth({ connect, waitMs: 0, clock: fakeClock() })).toEqual(answer('down'));
	expect(looks()).toBe(1);
	await expect(readHealth({ connect: fleet(notRunning).connect, waitMs: 0, clock: fakeClock() })).rejects.toBe(notRunning);
});

it('waits for a fleet that is not running yet, and until it is healthy', async () => {
	const clock = fakeClock();
	const read = readHealth({
		connect: fleet(notRunning, answer('down'), answer('degraded'), answer('healthy')).connect,
		waitMs: 10_000,
		clock,
	});
	await clock.advance(1500);
	expect(await read).toEqual(answer('healthy'));
});

it('ends with the last response when the wait is over', async () => {
	const clock = fakeClock();
	const degraded = readHealth({ connect: fleet(answer('degraded')).connect, waitMs: 1200, clock });
	const gone = readHealth({ connect: fleet(answer('healthy'), notRunning).connect, waitMs: 0, clock });
	await clock.advance(1200);
	expect(await degraded).toEqual(answer('degraded'));
	expect(await gone).toEqual(answer('healthy'));
});

it('does not wait when the options are wrong', async () => {
	const wrong = new ShardctlError('OPTIONS_INVALID', 'several fleets');
	const connect = async () => {
		throw wrong;
	};
	await expect(readHealth({ connect, waitMs: 60_000, clock: fakeClock() })).rejects.toBe(wrong);
});
