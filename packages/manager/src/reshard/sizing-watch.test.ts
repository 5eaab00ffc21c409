import { deferred, type Layout, type ManagerStats, ShardctlError, type SizingStats } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import type { ResolvedReshardOptions } from '../options/reshard-options.js';
import { SizingWatch } from './sizing-watch.js';

const minute = 60_000;
const healthy = { status: 'healthy', served: 32, shards: 32, causes: [] };

/** A fleet of 8 sessions and 32 shards, which Discord recommends 8 for. */
function watched(reshard: Partial<ResolvedReshardOptions> = {}, windowMs = 5000) {
	const clock = fakeClock(new Date(2026, 4, 10, 12).getTime());
	const world = {
		layout: { generation: 0, totalShards: 32, sessions: 8 } as Layout,
		recommended: 8,
		guildsPerShard: 100,
		decides: true,
		figures: { health: healthy } as object,
		outcome: undefined as Error | undefined,
		startEnds: Promise.resolve(),
		looks: 0,
		/** What a look waits for. */
		figuresAfter: Promise.resolve(),
	};
	const asked: number[] = [];
	const started: number[] = [];
	const changes: SizingStats[] = [];
	let askedAt = Number.NEGATIVE_INFINITY;
	let recommended = world.recommended;
	const watch = new SizingWatch({
		reshard: { mode: 'warn', window: null, ...reshard },
		how: 'resident',
		clock,
		windowMs,
		figures: async () => {
			world.looks++;
			await world.figuresAfter;
			const shards = Array.from({ length: 32 }, (_, shardId) => ({ shardId, guildCount: world.guildsPerShard }));
			return { shards, ...world.figures } as unknown as ManagerStats;
		},
		layout: () => world.layout,
		decides: () => world.decides,
		refresh: async ({ maxAgeMs }) => {
			if (clock.monotonic() - askedAt < maxAgeMs) return;
			askedAt = clock.monotonic();
			recommended = world.recommended;
			asked.push(askedAt);
		},
		recommended: () => recommended,
		answeredAt: () => askedAt,
		start: async (sessions) => {
			started.push(sessions);
			const { figures } = world;
			world.figures = { ...figures, reshard: { state: 'running' } };
			await world.startEnds.finally(() => {
				world.figures = figures;
			});
			if (world.outcome) throw world.outcome;
			world.layout = { ...world.layout, sessions };
		},
		onChange: (stats) => changes.push(stats),
	});
	watch.start();
	return { clock, watch, world, asked, started, changes };
}

it('asks Discord every 10 minutes, and a minute after the last time when many guilds join', async () => {
	const { clock, asked, world, watch } = watched();
	await clock.advance(25 * minute);
	expect(asked.map((at) => at / minute)).toEqual([0, 10, 20]);
	world.guildsPerShard = 102;
	await clock.advance(minute);
	expect(asked).toHaveLength(4);
	await clock.advance(9 * minute);
	expect(asked).toHaveLength(4);
	watch.stop();
	expect(clock.pendingTimers()).toBe(0);
});

it('looks no more often than twice a second, however short the window of a simulator is', async () => {
	const { clock, world } = watched({}, 1);
	await clock.advance(10_000);
	expect(world.looks).toBe(21);
});

it('asks about many joins as soon as its last question is a minute old', async () => {
	const { clock, asked, world } = watched();
	await clock.advance(0.5 * minute);
	world.guildsPerShard = 102;
	await clock.advance(0.75 * minute);
	expect(asked.map((at) => at / minute)).toEqual([0, 1]);
	world.guildsPerShard = 103;
	await clock.advance(minute);
	expect(asked).toHaveLength(2);
});

it('has no effect any more once it is stopped, also in the middle of a look', async () => {
	const { clock, world, asked, started, changes, watch } = watched({ mode: 'auto' });
	await clock.advance(9.9 * minute);
	const figures = deferred();
	world.figuresAfter = figures.promise;
	world.guildsPerShard = 600;
	await clock.advance(minute);
	watch.stop();
	figures.resolve();
	await clock.advance(minute);
	expect([asked.length, started, changes, watch.stats()?.outgrown]).toEqual([1, [], [], false]);
});

it('leaves the decision to another node of the cluster, and takes it over when that is gone', async () => {
	const { clock, world, started, watch } = watched({ mode: 'auto' });
	world.decides = false;
	world.recommended = 16;
	await clock.advance(30 * minute);
	expect(started).toEqual([]);
	expect(watch.stats()).toMatchObject({ outgrown: true, waitsFor: null });
	world.decides = true;
	await clock.advance(2 * minute);
	expect(started).toEqual([16]);
});

it('leaves alone for a day what a person did, as far as that is not over', async () => {
	const { clock, world, started, watch } = watched({ mode: 'auto' });
	// It was seen in the table of the cluster by a node that started later.
	watch.notePerson(clock.now() - 23 * 60 * minute);
	world.recommended = 16;
	await clock.advance(59 * minute);
	expect(started).toEqual([]);
	await clock.advance(2 * minute);
	expect(started).toEqual([16]);
});

it('never shortens a wait by a later reason', async () => {
	const { clock, world, started, watch } = watched({ mode: 'auto' });
	world.recommended = 16;
	const failure = deferred();
	world.startEnds = failure.promise;
	await clock.advance(20 * minute);
	expect(started).toEqual([16]);
	// They call it off.
	watch.notePerson();
	failure.reject(new Error('it was called off'));
	await clock.advance(23 * 60 * minute);
	expect([started, watch.stats()?.waitsFor]).toEqual([[16], 'a person has resharded the fleet less than a day ago']);
});

it('warns once, changes nothing, and says when it is over', async () => {
	const { clock, world, changes, started, watch } = watched();
	await clock.advance(minute);
	expect(changes).toEqual([]);
	expect(watch.stats()).toMatchObject({ outgrown: false, sessions: 8, recommended: 8, guilds: 400, message: null });
	world.recommended = 16;
	await clock.advance(20 * minute);
	expect(changes).toMatchObject([
		{ outgrown: true, advised: 16, automatic: false, remedy: '"shardctl reshard 16"', waitsFor: null },
	]);
	world.layout = { ...world.layout, sessions: 16 };
	await clock.advance(minute);
	expect(changes).toMatchObject([{ outgrown: true }, { outgrown: false, message: null }]);
	expect(started).toEqual([]);
});

it('warns before a session is full', async () => {
	const { clock, world, changes } = watched();
	world.guildsPerShard = 500;
	await clock.advance(minute);
	expect(changes).toMatchObject([{ guilds: 2000, advised: 16, message: expect.stringContaining('2000 guilds of the 2500') }]);
});

it('reshards the fleet by itself when it has been whole and quiet for a minute', async () => {
	const { clock, world, started, watch } = watched({ mode: 'auto' });
	world.recommended = 16;
	world.figures = { health: { ...healthy, causes: [{ message: 'worker 0 is restarting' }] } };
	await clock.advance(30 * minute);
	expect(watch.stats()?.waitsFor).toBe('the fleet is not whole: worker 0 is restarting');
	world.figures = { health: healthy, deploy: { state: 'replacing' } };
	await clock.advance(minute);
	expect([watch.stats()?.waitsFor, started]).toEqual(['a deploy runs', []]);
	world.figures = { health: healthy };
	await clock.advance(minute);
	expect(started).toEqual([]);
	await clock.advance(minute);
	expect(started).toEqual([16]);
	await clock.advance(minute);
	expect(watch.stats()).toMatchObject({ outgrown: false, sessions: 16 });
	expect(started).toEqual([16]);
});

it('waits for the window', async () => {
	const { clock, world, started, watch } = watched({ mode: 'auto', window: { fromMin: 14 * 60, toMin: 15 * 60 } });
	world.recommended = 16;
	await clock.advance(119 * minute);
	expect(watch.stats()).toMatchObject({
		waitsFor: 'the resharding window opens at 14:00',
		nextTryAt: new Date(2026, 4, 10, 14).getTime(),
	});
	expect(started).toEqual([]);
	await clock.advance(2 * minute);
	expect(started).toEqual([16]);
});

it('says until when the session starts do not suffice, and tries again then', async () => {
	const { clock, world, started, watch, changes } = watched({ mode: 'auto' });
	const resetAt = clock.now() + 300 * minute;
	world.recommended = 16;
	world.outcome = new ShardctlError('IDENTIFY_BUDGET', 'resharding needs 16 session starts', { details: { resetAt } });
	await clock.advance(299 * minute);
	expect(started).toEqual([16]);
	expect(watch.stats()).toMatchObject({ outgrown: true, waitsFor: 'resharding needs 16 session starts', nextTryAt: resetAt });
	expect(changes).toMatchObject([{ outgrown: true }, { waitsFor: 'resharding needs 16 session starts', nextTryAt: resetAt }]);
	world.outcome = undefined;
	await clock.advance(2 * minute);
	expect(started).toEqual([16, 16]);
});

it('tries again an hour after a failure, and a day after a person has resharded the fleet', async () => {
	const { clock, world, started, watch } = watched({ mode: 'auto' });
	world.recommended = 16;
	world.outcome = new Error('a worker is not connected');
	await clock.advance(60 * minute);
	expect([started.length, watch.stats()?.waitsFor]).toEqual([1, 'a worker is not connected']);
	await clock.advance(30 * minute);
	expect(started).toHaveLength(2);
	watch.notePerson();
	await clock.advance(23 * 60 * minute);
	expect(started).toHaveLength(2);
	await clock.advance(2 * 60 * minute);
	expect(started.length).toBeGreaterThan(2);
});

it('does nothing at all when it is off', async () => {
	const { clock, world, asked, watch } = watched({ mode: 'off' });
	world.recommended = 16;
	await clock.advance(60 * minute);
	expect([asked, watch.stats(), clock.pendingTimers()]).toEqual([[], undefined, 0]);
});
