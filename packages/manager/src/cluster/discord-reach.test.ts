import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { DiscordReach, lostAfterMs, probeEveryMs, probesToReturn } from './discord-reach.js';

function setup() {
	const clock = fakeClock();
	const changes: boolean[] = [];
	const network = { answers: false };
	const reach = new DiscordReach({
		clock,
		probe: () => Promise.resolve(network.answers),
		onChanged: (reaches) => void changes.push(reaches),
	});
	return { clock, changes, network, reach };
}

it('says that Discord is lost when no session has come back for 12 s', async () => {
	const { clock, changes, reach } = setup();
	for (const session of [0, 1]) reach.note(session, 'up');
	reach.note(0, 'down');
	await clock.advance(lostAfterMs);
	reach.note(1, 'down');
	// Tries that fail do not begin the time again.
	await clock.advance(lostAfterMs - 1);
	reach.note(1, 'down');
	expect(changes).toEqual([]);
	await clock.advance(1);
	expect(changes).toEqual([false]);
});

it('says nothing while one session is connected, or none is known', async () => {
	const { clock, changes, reach } = setup();
	reach.note(0, 'up');
	reach.note(1, 'down');
	await clock.advance(10 * lostAfterMs);
	reach.forget(0);
	await clock.advance(lostAfterMs - 1);
	reach.forget(1);
	await clock.advance(10 * lostAfterMs);
	expect(changes).toEqual([]);
});

it('reaches Discord again at once when a session is back', async () => {
	const { clock, changes, reach } = setup();
	reach.note(0, 'down');
	await clock.advance(lostAfterMs);
	reach.note(0, 'up');
	expect(changes).toEqual([false, true]);
});

it('reaches Discord again, without sessions, when several probes in a row were answered', async () => {
	const { clock, changes, network, reach } = setup();
	reach.note(0, 'down');
	await clock.advance(lostAfterMs);
	reach.forget(0);
	network.answers = true;
	await clock.advance(probeEveryMs);
	network.answers = false;
	await clock.advance(probeEveryMs);
	network.answers = true;
	for (let probe = 1; probe < probesToReturn; probe++) await clock.advance(probeEveryMs);
	expect(changes).toEqual([false]);
	await clock.advance(probeEveryMs);
	expect(changes).toEqual([false, true]);
});

it('stays lost while its sessions do not connect, whatever answers probes', async () => {
	const { clock, changes, network, reach } = setup();
	network.answers = true;
	reach.note(0, 'down');
	await clock.advance(lostAfterMs);
	for (let probe = 0; probe < 100; probe++) await clock.advance(probeEveryMs);
	expect(changes).toEqual([false]);
	reach.note(0, 'up');
	expect(changes).toEqual([false, true]);
});

it('asks for twice as many probes each time that the session it got after them did not connect', async () => {
	const { clock, changes, network, reach } = setup();
	network.answers = true;
	/** A session comes and does not connect, and leaves. */
	const lose = async (session: number) => {
		reach.note(session, 'down');
		await clock.advance(lostAfterMs);
		reach.forget(session);
		expect(changes.at(-1)).toBe(false);
	};
	const probesUntilReached = async () => {
		for (let probe = 1; ; probe++) {
			await clock.advance(probeEveryMs);
			if (changes.at(-1)) return probe;
		}
	};
	const needed: number[] = [];
	for (const session of [0, 1, 2]) {
		await lose(session);
		needed.push(await probesUntilReached());
	}
	reach.note(3, 'up');
	reach.forget(3);
	await lose(4);
	needed.push(await probesUntilReached());
	expect(needed).toEqual([3, 6, 12, 3].map((times) => (times / 3) * probesToReturn));
});

it('does not count the time in which the node may not connect', async () => {
	const { clock, changes, reach } = setup();
	reach.note(0, 'down');
	reach.hold();
	await clock.advance(2 * lostAfterMs);
	reach.release();
	await clock.advance(lostAfterMs - 1);
	expect(changes).toEqual([]);
	await clock.advance(1);
	expect(changes).toEqual([false]);
});

it('has no timer left when it is stopped', async () => {
	const { clock, changes, reach } = setup();
	reach.note(0, 'down');
	reach.stop();
	await clock.advance(lostAfterMs);
	expect(changes).toEqual([]);
});
