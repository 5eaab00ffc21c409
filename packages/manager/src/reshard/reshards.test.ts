import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
	deferred,
	type Layout,
	type ReshardGroup,
	type ReshardStats,
	ShardctlError,
	systemClock,
	withGroup,
} from '@shardctl/core';
import { tempDir } from '@shardctl/test-support';
import { describe, expect, it, vi } from 'vitest';
import type { ChangeShardsOptions } from '../modes/session-mode.js';
import type { Plan } from '../plan/plan.js';
import type { ShardPlan } from '../plan/plan-shards.js';
import { ReshardRecord } from './reshard-record.js';
import { Reshards, type ReshardsOptions } from './reshards.js';

const shardIds = [0, 1, 2, 3, 4, 5, 6, 7];
const planOf = (layout: Layout): Plan => ({
	layout,
	shardIds,
	sessionIds: [],
	slices: [shardIds.slice(0, 4), shardIds.slice(4)],
	gateways: [shardIds],
});
const two: Layout = { generation: 0, totalShards: 8, sessions: 2 };

/** A mode that replaces a group when `replace` resolves. One group at a time, because Discord starts two sessions at once. */
function setup({
	layout = two,
	replace = async () => {},
	changeWorkers = async () => {},
	free = 5000,
	file = join(tempDir('shardctl-reshard-'), 'record'),
	inTurn = (work) => work(),
}: {
	layout?: Layout;
	replace?: (group: ReshardGroup) => Promise<void>;
	/** Before the decision. */
	changeWorkers?: (signal: AbortSignal) => Promise<void>;
	/** Memory. */
	free?: number;
	file?: string;
	inTurn?: ReshardsOptions['inTurn'];
} = {}) {
	const asked: ReshardGroup[] = [];
	const progress: ReshardStats[] = [];
	const needed: number[] = [];
	const mode = {
		plan: planOf(layout),
		async reshard(group: ReshardGroup) {
			asked.push(group);
			await replace(group);
			mode.plan = { ...mode.plan, layout: withGroup(mode.plan.layout, group.group, group.to) };
			return { layout: mode.plan.layout, done: { identifies: 2, pausedMs: 10 * asked.length, repeated: 0 } };
		},
		async changeShards(next: ShardPlan, { signal, onDecided }: ChangeShardsOptions) {
			await changeWorkers(signal);
			signal.throwIfAborted();
			const plan = { ...mode.plan, ...next, shardIds: next.gateways.flat() };
			onDecided(plan);
			mode.plan = plan;
			return { pausedMs: 300, held: 5 };
		},
	};
	const starts = {
		allowed: true,
		refresh: async () => {},
		budget: () => ({ total: 1000, remaining: 900, resetAt: 0, maxConcurrency: 2, granted: 0 }),
		async checkReshard(sessions: number) {
			needed.push(sessions);
			if (!starts.allowed) throw new ShardctlError('IDENTIFY_BUDGET', 'try again later');
		},
	};
	const manager = new AbortController();
	const reshards = new Reshards({
		mode,
		starts,
		record: new ReshardRecord(file),
		token: 'token',
		clock: systemClock,
		windowMs: 5000,
		shardsPerWorker: 4,
		cores: 2,
		memory: () => ({ used: 1000, free }),
		signal: manager.signal,
		inTurn,
		onProgress: (stats) => progress.push(stats),
	});
	return { reshards, mode, starts, asked, progress, needed, file, manager };
}

it('replaces group by group, and reports each step', async () => {
	const { reshards, asked, progress, mode, needed } = setup();
	expect(await reshards.reshard({ sessions: 4 })).toMatchObject({ from: 2, to: 4, identifies: 4, longestPauseMs: 20 });
	expect(asked).toEqual([0, 1].map((group) => ({ group, from: 2, to: 4 })));
	expect(needed).toEqual([4]);
	expect(progress.map(({ state, done, total }) => [state, done, total])).toEqual([
		['running', 0, 2],
		['running', 1, 2],
		['running', 2, 2],
		['done', 2, 2],
	]);
	expect(mode.plan.layout).toEqual({ ...two, sessions: 4 });
});

it('only plans with dryRun, and refuses what the budget does not allow', async () => {
	const { reshards, asked, starts, file } = setup();
	expect(await reshards.reshard({ sessions: 4, dryRun: true })).toMatchObject({ identifies: 4, estimatedMs: 10_000, tookMs: 0 });
	starts.allowed = false;
	await expect(reshards.reshard({ sessions: 4 })).rejects.toMatchObject({ code: 'IDENTIFY_BUDGET' });
	expect([asked, existsSync(file), reshards.stats()]).toEqual([[], false, undefined]);
});

it('keeps what was replaced before a failure; another call continues, undo returns', async () => {
	let fails = true;
	const { reshards, mode, asked } = setup({
		replace: async ({ group }) => {
			if (fails && group === 1) throw new ShardctlError('RESHARD_FAILED', 'a worker is not connected');
		},
	});
	await expect(reshards.reshard({ sessions: 4 })).rejects.toMatchObject({
		code: 'RESHARD_FAILED',
		message: expect.stringMatching(/^1 of 2 groups of sessions were replaced: a worker is not connected; no event was lost/),
	});
	expect(mode.plan.layout.resharded).toEqual({ sessions: 4, groups: [0] });
	await expect(reshards.reshard({ sessions: 8 })).rejects.toMatchObject({ code: 'RESHARD_COUNT' });
	fails = false;
	await reshards.reshard({ undo: true });
	expect(mode.plan.layout).toEqual(two);
	expect(asked.at(-1)).toEqual({ group: 0, from: 4, to: 2 });
	await expect(reshards.reshard({ sessions: 4 })).resolves.toMatchObject({ to: 4 });
	await expect(reshards.reshard({ undo: true })).resolves.toMatchObject({ from: 4, to: 2 });
});

it('runs one at a time; undo ends it after the group that is being replaced', async () => {
	const gate = deferred();
	const { reshards, mode } = setup({ replace: ({ to }) => (to === 4 ? gate.promise : Promise.resolve()) });
	const running = reshards.reshard({ sessions: 4 });
	await expect(reshards.reshard({ sessions: 4 })).rejects.toMatchObject({ code: 'RESHARD_RUNNING' });
	const undone = reshards.reshard({ undo: true });
	gate.resolve();
	await expect(running).rejects.toMatchObject({ code: 'RESHARD_FAILED', message: expect.stringContaining('it was called off') });
	expect(await undone).toMatchObject({ from: 4, to: 2 });
	expect(mode.plan.layout).toEqual(two);
});

it('calls back where it begins a resharding or ends one, and not where it refuses or only plans', async () => {
	const gate = deferred();
	const { reshards, starts } = setup({ replace: ({ to }) => (to === 4 ? gate.promise : Promise.resolve()) });
	let effects = 0;
	const onEffect = () => void effects++;
	await expect(reshards.reshard({ undo: true }, { onEffect })).rejects.toMatchObject({ code: 'RESHARD_COUNT' });
	await expect(reshards.reshard({ sessions: 5 }, { onEffect })).rejects.toMatchObject({ code: 'RESHARD_COUNT' });
	starts.allowed = false;
	await expect(reshards.reshard({ sessions: 4 }, { onEffect })).rejects.toMatchObject({ code: 'IDENTIFY_BUDGET' });
	starts.allowed = true;
	await reshards.reshard({ sessions: 4, dryRun: true }, { onEffect });
	const running = reshards.reshard({ sessions: 4 });
	await expect(reshards.reshard({ sessions: 4 }, { onEffect })).rejects.toMatchObject({ code: 'RESHARD_RUNNING' });
	await expect(reshards.reshard({ undo: true, dryRun: true }, { onEffect })).rejects.toMatchObject({ code: 'RESHARD_RUNNING' });
	expect(effects).toBe(0);
	const undone = reshards.reshard({ undo: true }, { onEffect });
	expect(effects).toBe(1);
	gate.resolve();
	await expect(running).rejects.toMatchObject({ code: 'RESHARD_FAILED' });
	await undone;
	expect(effects).toBe(2);
});

it.each([
	['before its turn', (work: () => Promise<void>, turn: Promise<void>) => turn.then(work)],
	['after its turn', (work: () => Promise<void>, turn: Promise<void>) => work().then(() => turn)],
])('leaves no record behind when the fleet ends %s', async (_, order) => {
	const turn = deferred();
	const { reshards, file, manager, asked, progress } = setup({ inTurn: (work) => order(work, turn.promise) });
	const running = reshards.reshard({ sessions: 4 });
	await vi.waitFor(() => expect(progress.length).toBeGreaterThan(0));
	const begun = asked.length;
	manager.abort(new Error('the manager was stopped'));
	reshards.forget();
	turn.resolve();
	await running.catch(() => {});
	expect([existsSync(file), asked.length]).toEqual([false, begun]);
});

it('has nothing to undo before the first', async () => {
	await expect(setup().reshards.reshard({ undo: true })).rejects.toMatchObject({ code: 'RESHARD_COUNT' });
	await expect(setup().reshards.reshard({})).rejects.toMatchObject({ code: 'OPTIONS_INVALID' });
});

it('continues in the next manager with the sessions of the former, and then with the rest', async () => {
	const never = new Promise<void>(() => {});
	const before = setup({ replace: ({ group }) => (group === 1 ? never : Promise.resolve()) });
	const firstGroup = () => before.progress.some(({ done }) => done === 1);
	void before.reshards.reshard({ sessions: 4 }).catch(() => {});
	while (!firstGroup()) await new Promise((resolve) => setImmediate(resolve));

	// The manager was killed; the next one has the options of the first.
	const after = setup({ file: before.file });
	const continued = after.reshards.continued(planOf(two));
	expect(continued.layout).toEqual({ ...two, resharded: { sessions: 4, groups: [0] } });
	// Workers of a queue have no shards, before and after.
	expect(setup({ file: before.file }).reshards.continued({ ...planOf(two), slices: [[], []] })).toMatchObject({
		layout: continued.layout,
		slices: [[], []],
	});
	after.mode.plan = continued;
	after.reshards.resume();
	while (after.reshards.stats()?.state !== 'done') await new Promise((resolve) => setImmediate(resolve));
	expect(after.asked).toEqual([{ group: 1, from: 2, to: 4 }]);
	expect(setup({ file: before.file }).reshards.continued(planOf(two)).layout).toEqual({ ...two, sessions: 4 });
	// A fleet that was stopped begins with its options.
	after.reshards.forget();
	expect(setup({ file: before.file }).reshards.continued(planOf(two)).layout).toEqual(two);
});

it('continues nothing of another shard count', () => {
	const { reshards, file } = setup();
	new ReshardRecord(file).write({ bot: 'another', layout: { ...two, sessions: 4 }, gateways: [shardIds], target: null });
	expect(reshards.continued(planOf(two)).layout).toEqual(two);
});

describe('another shard count of the workers', () => {
	const counts = ({ mode }: ReturnType<typeof setup>) => [mode.plan.layout.sessions, mode.plan.layout.totalShards];

	it('replaces the workers, and needs no session start', async () => {
		const fleet = setup();
		fleet.starts.allowed = false;
		const planned = {
			from: 2,
			to: 2,
			identifies: 0,
			shards: { from: 8, to: 16, workers: 4, memoryBytes: 2000, freeBytes: 5000 },
		};
		expect(await fleet.reshards.reshard({ shards: 16, dryRun: true })).toMatchObject(planned);
		expect([fleet.reshards.stats(), counts(fleet)]).toEqual([undefined, [2, 8]]);
		expect(await fleet.reshards.reshard({ shards: 16 })).toMatchObject({ ...planned, longestPauseMs: 300 });
		expect(fleet.progress.map(({ state, done, total, shards }) => [state, done, total, shards])).toEqual(
			(
				[
					['running', 0],
					['running', 1],
					['done', 1],
				] as const
			).map(([state, done]) => [state, done, 1, { from: 8, to: 16 }]),
		);
		expect([counts(fleet), fleet.needed]).toEqual([[2, 16], []]);
		await fleet.reshards.reshard({ undo: true });
		expect([counts(fleet), fleet.mode.plan.layout.generation]).toEqual([[2, 8], 2]);
	});

	it('gives the workers more shards before sessions that need them, and undoes both the other way round', async () => {
		const fleet = setup();
		const story: unknown[] = [];
		const reshard = fleet.mode.reshard;
		fleet.mode.reshard = async (group) => {
			story.push(['sessions', ...counts(fleet)]);
			return reshard(group);
		};
		await expect(fleet.reshards.reshard({ sessions: 16 })).rejects.toMatchObject({
			code: 'RESHARD_COUNT',
			message: expect.stringContaining('"shardctl reshard 16 --shards 16"'),
		});
		expect(await fleet.reshards.reshard({ sessions: 16, shards: 16 })).toMatchObject({ from: 2, to: 16, shards: { to: 16 } });
		expect(fleet.reshards.stats()).toMatchObject({ done: 3, total: 3, state: 'done' });
		expect(story[0]).toEqual(['sessions', 2, 16]);
		await fleet.reshards.reshard({ undo: true });
		expect(counts(fleet)).toEqual([2, 8]);
	});

	it('is refused where there is no memory for a second set of workers', async () => {
		const fleet = setup({ free: 1999 });
		const outcome = await fleet.reshards.reshard({ shards: 16, dryRun: true });
		expect(outcome.shards).toMatchObject({ memoryBytes: 2000, freeBytes: 1999 });
		await expect(fleet.reshards.reshard({ shards: 16 })).rejects.toMatchObject({
			code: 'RESHARD_FAILED',
			message: expect.stringContaining('4 workers of the new shards would need about 0 MB'),
		});
		expect([counts(fleet), fleet.reshards.stats()]).toEqual([[2, 8], undefined]);
	});

	it('is called off by undo before the decision, and then there is nothing to return to', async () => {
		const fleet = setup({
			changeWorkers: (signal) => new Promise((resolve) => signal.addEventListener('abort', () => resolve())),
		});
		const running = fleet.reshards.reshard({ shards: 16 });
		await vi.waitFor(() => expect(fleet.progress).toHaveLength(1));
		await expect(fleet.reshards.reshard({ shards: 4 })).rejects.toMatchObject({
			code: 'RESHARD_RUNNING',
			message: 'the fleet is being resharded from 8 to 16 shards; "shardctl reshard --undo" ends that',
		});
		expect(await fleet.reshards.reshard({ undo: true })).toMatchObject({ from: 2, to: 2, identifies: 0, tookMs: 0 });
		await expect(running).rejects.toMatchObject({ message: 'it was called off' });
		expect([counts(fleet), fleet.reshards.stats()?.state]).toEqual([[2, 8], 'failed']);
		await expect(fleet.reshards.reshard({ undo: true })).rejects.toMatchObject({ code: 'RESHARD_COUNT' });
	});

	it('leaves the one before it to undo when it replaced nothing', async () => {
		let fails = false;
		const gate = deferred();
		const fleet = setup({
			changeWorkers: async (signal) => {
				if (!fails) return;
				gate.resolve();
				await new Promise((resolve) => signal.addEventListener('abort', resolve));
			},
		});
		await fleet.reshards.reshard({ shards: 16 });
		fails = true;
		const running = fleet.reshards.reshard({ shards: 32 });
		await gate.promise;
		// Ends what runs, and no more.
		await fleet.reshards.reshard({ undo: true });
		await expect(running).rejects.toMatchObject({ message: 'it was called off' });
		expect(counts(fleet)).toEqual([2, 16]);
		fails = false;
		await fleet.reshards.reshard({ undo: true });
		expect(counts(fleet)).toEqual([2, 8]);
	});

	it('is continued with shards that were to follow the sessions', async () => {
		const never = new Promise<void>(() => {});
		const before = setup({ replace: ({ group }) => (group === 1 ? never : Promise.resolve()), layout: { ...two, sessions: 4 } });
		before.reshards.continued(planOf({ ...two, sessions: 4 }));
		void before.reshards.reshard({ sessions: 2, shards: 4 }).catch(() => {});
		await vi.waitFor(() => expect(before.progress.some(({ done }) => done === 1)).toBe(true));
		const after = setup({ file: before.file });
		after.mode.plan = after.reshards.continued(planOf({ ...two, sessions: 4 }));
		after.reshards.resume();
		await vi.waitFor(() => expect(after.reshards.stats()?.state).toBe('done'));
		expect(counts(after)).toEqual([2, 4]);
	});

	it('is continued by the next manager, with the options of the former or with the new count, and by no other', async () => {
		const before = setup();
		before.reshards.continued(planOf(two));
		await before.reshards.reshard({ shards: 16 });
		const expected = { layout: { generation: 1, totalShards: 16, sessions: 2 }, sessionIds: [0, 1] };
		const after = setup({ file: before.file });
		const continued = after.reshards.continued(planOf(two));
		expect(continued).toMatchObject(expected);
		expect([continued.shardIds.length, continued.slices.length]).toEqual([16, 4]);
		const all = Array.from({ length: 16 }, (_, id) => id);
		const asNow: Plan = { ...planOf({ ...two, totalShards: 16 }), shardIds: all, gateways: [all] };
		expect(setup({ file: before.file }).reshards.continued(asNow)).toMatchObject(expected);
		const other: Plan = { ...planOf({ ...two, totalShards: 4 }), shardIds: [0, 1, 2, 3], gateways: [[0, 1, 2, 3]] };
		expect(setup({ file: before.file }).reshards.continued(other)).toBe(other);
		// The one after it knows the options of the first as well.
		after.mode.plan = continued;
		await after.reshards.reshard({ sessions: 4 });
		expect(setup({ file: before.file }).reshards.continued(planOf(two)).layout).toEqual({ ...expected.layout, sessions: 4 });
	});
});
