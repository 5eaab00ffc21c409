import type { ClusterView, TableChange } from '@shardctl/cluster';
import { type ReshardedGroup, type ReshardGroup, ShardctlError } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { ClusterReshards } from './cluster-reshards.js';
import { layoutNow, type ReshardEntry, reshardEntry, unsureOf } from './reshard-entry.js';

const layout = { generation: 0, totalShards: 8, sessions: 4 };
const done: ReshardedGroup = { identifies: 2, pausedMs: 30, repeated: 0 };

/** Nodes that share a table; sessions 0 and 2 are on the first, 1 and 3 on the second. */
function setup({ capacity = 100 } = {}) {
	const clock = fakeClock();
	const names = ['a', 'b'] as const;
	let table: ClusterView = {
		identity: 'e',
		version: 1,
		quietMs: 0,
		layout: '',
		reshard: undefined,
		nodes: names.map((node) => ({
			node,
			member: { name: node, version: '1', pid: 1, startedAt: 0, capacity, draining: false, reachesDiscord: true },
			leaseMs: 5000,
			renewals: 1,
		})),
		sessions: [0, 1, 2, 3].map((session) => ({
			session,
			owner: names[session % 2],
			epoch: 1,
			phase: 'held',
			target: undefined,
			unsure: false,
		})),
		records: new Map(),
	};
	const world = {
		isAway: false,
		/** Refuses a write, with this error. */
		refuses: undefined as ((written: ReshardEntry) => ShardctlError | undefined) | undefined,
		/** The answer to the first such write is lost. */
		losesAnswer: undefined as ((written: ReshardEntry) => boolean) | undefined,
		/** What a node waits for before it replaces a group. */
		turn: Promise.resolve(),
		replaced: [] as string[],
		reported: [] as string[],
	};
	const nodes = names.map((node) => {
		const stopped = new AbortController();
		/** What a group's replacement waits for, and how it ends. */
		const endings = new Map<number, { resolve(): void; reject(error: Error): void }>();
		const reshards: ClusterReshards = new ClusterReshards({
			clock,
			windowMs: 5000,
			slicing: { shardsPerWorker: 1, cores: 2 },
			starts: {
				refresh: async () => {},
				budget: () => ({ maxConcurrency: 4 }) as never,
				checkReshard: async () => {},
			},
			door: () => ({
				node: {
					node,
					read: async () => table,
					change: async (changes: (view: ClusterView) => readonly TableChange[]) => {
						if (world.isAway) throw new ShardctlError('REDIS_UNAVAILABLE', 'away');
						const wanted = changes(table);
						for (const change of wanted) {
							if (change.op !== 'reshard') continue;
							const refusal = world.refuses?.(JSON.parse(change.entry) as ReshardEntry);
							if (refusal) throw refusal;
							write({ reshard: change.entry });
						}
						if (wanted.length > 0 && world.losesAnswer?.(JSON.parse(table.reshard ?? '{}') as ReshardEntry)) {
							world.losesAnswer = undefined;
							throw new ShardctlError('REDIS_UNAVAILABLE', 'no answer');
						}
						return wanted.map(() => 'done');
					},
					state: {
						holding: (session: number) =>
							table.sessions[session]?.owner === node ? { session, epoch: 1, hold: 'acting' } : undefined,
					} as never,
				},
				layout,
			}),
			requireReshardable: async () => {},
			replace: ({ group, to }: ReshardGroup, signal) =>
				new Promise((resolve, reject) => {
					endings.set(group, {
						resolve() {
							world.replaced.push(`${node}: ${group} to ${to}`);
							resolve(done);
						},
						reject,
					});
					signal.addEventListener('abort', () => reject(signal.reason), { once: true });
				}),
			inTurn: (work) => world.turn.then(work),
			isReady: (session) => table.sessions[session]?.owner === node,
			onLayout: () => {},
			onPerson: (atMs) => world.reported.push(`${node}: person at ${atMs}`),
			onProgress: ({ state, done }) => world.reported.push(`${node}: ${state} ${done}`),
			onFailed: (error) => world.reported.push(`${node}: ${(error as Error).message}`),
			signal: stopped.signal,
		});
		return { node, reshards, endings, stopped };
	}) as [Node, Node];
	interface Node {
		node: string;
		reshards: ClusterReshards;
		endings: Map<number, { resolve(): void; reject(error: Error): void }>;
		stopped: AbortController;
	}
	function write(changes: Partial<ClusterView>): void {
		table = { ...table, ...changes, version: table.version + 1 };
		for (const { reshards, stopped } of nodes) if (!stopped.signal.aborted) reshards.note(table);
	}
	/** Everything that can happen now does. */
	const settle = async () => {
		for (let step = 0; step < 4; step++) await clock.advance(250);
	};
	return { nodes, world, write, settle, table: () => table, clock };
}

it('is done by every node for what it owns, at the request of any', async () => {
	const { nodes, world, settle, table } = setup();
	const [a, b] = nodes;
	const outcome = b.reshards.reshard({ sessions: 8 }, { byPerson: true });
	await settle();
	expect([[...a.endings.keys()], [...b.endings.keys()]]).toEqual([[0], [1]]);
	await expect(a.reshards.reshard({ sessions: 16 }, { byPerson: true })).rejects.toMatchObject({ code: 'RESHARD_RUNNING' });
	for (const [group, node] of [a, b, a, b].entries()) {
		node.endings.get(group)?.resolve();
		await settle();
	}
	expect(await outcome).toMatchObject({ from: 4, to: 8, identifies: 8, longestPauseMs: 30 });
	expect(world.replaced).toEqual(['a: 0 to 8', 'b: 1 to 8', 'a: 2 to 8', 'b: 3 to 8']);
	expect(layoutNow(table(), layout).sessions).toBe(8);
	expect(a.reshards.stats()).toMatchObject({ state: 'done', done: 4 });
	// Each step is reported by the node that has made it; that a person wants it, by all.
	expect(world.reported.filter((line) => line === 'a: running 1')).toHaveLength(1);
	expect(world.reported).toContain('b: done 4');
	expect(world.reported.filter((line) => line.includes('person'))).toHaveLength(2);
});

it('is continued by the next owner of what a node had when it died', async () => {
	const { nodes, world, write, settle, table } = setup();
	const [a, b] = nodes;
	const outcome = b.reshards.reshard({ sessions: 8 }, { byPerson: false });
	await settle();
	a.stopped.abort();
	write({ nodes: table().nodes.map((row) => (row.node === 'a' ? { ...row, leaseMs: -1 } : row)) });
	b.endings.get(1)?.resolve();
	await settle();
	b.endings.get(3)?.resolve();
	await settle();
	// What it had marked holds up nothing, and is nobody's yet.
	expect(world.replaced).toEqual(['b: 1 to 8', 'b: 3 to 8']);
	write({ sessions: table().sessions.map((row) => ({ ...row, owner: 'b' })) });
	for (const group of [0, 2]) {
		await settle();
		b.endings.get(group)?.resolve();
	}
	await settle();
	expect(await outcome).toMatchObject({ to: 8 });
	expect(world.replaced).toEqual(['b: 1 to 8', 'b: 3 to 8', 'b: 0 to 8', 'b: 2 to 8']);
});

it('does not fail where a group moves meanwhile, and does where its sessions cannot be replaced', async () => {
	const { nodes, world, write, settle, table } = setup();
	const [a, b] = nodes;
	const outcome = a.reshards.reshard({ sessions: 8 }, { byPerson: true });
	outcome.catch(() => {});
	await settle();
	write({ sessions: table().sessions.map((row) => (row.session === 0 ? { ...row, phase: 'prepared', target: 'b' } : row)) });
	a.endings.get(0)?.reject(new ShardctlError('RESHARD_FAILED', 'the gateway process is stopping'));
	await settle();
	write({
		sessions: table().sessions.map((row) => (row.session === 0 ? { ...row, phase: 'held', target: undefined, owner: 'b' } : row)),
	});
	b.endings.get(1)?.resolve();
	await settle();
	b.endings.get(0)?.resolve();
	await settle();
	expect(world.replaced).toEqual(['b: 1 to 8', 'b: 0 to 8']);
	a.endings.get(2)?.reject(new ShardctlError('RESHARD_FAILED', 'Discord refused session 2 of 8 (4010)'));
	b.endings.get(3)?.resolve();
	await settle();
	await expect(outcome).rejects.toMatchObject({
		code: 'RESHARD_FAILED',
		message: expect.stringMatching(/^3 of 4 groups of sessions were replaced: Discord refused session 2 of 8/),
	});
	expect(b.reshards.stats()).toMatchObject({ state: 'failed', done: 3 });
});

it('returns to the sessions of before, from the middle and from another node', async () => {
	const { nodes, world, settle, table } = setup();
	const [a, b] = nodes;
	const outcome = a.reshards.reshard({ sessions: 8 }, { byPerson: true });
	outcome.catch(() => {});
	await settle();
	a.endings.get(0)?.resolve();
	await settle();
	const undone = b.reshards.reshard({ undo: true }, { byPerson: true });
	await settle();
	// What is under way is ended, not broken off.
	a.endings.get(2)?.resolve();
	b.endings.get(1)?.resolve();
	await settle();
	await expect(outcome).rejects.toThrow(/3 of 4 groups of sessions were replaced: it was called off/);
	for (const [group, node] of [
		[0, a],
		[1, b],
		[2, a],
	] as const) {
		await settle();
		node.endings.get(group)?.resolve();
	}
	await settle();
	expect(await undone).toMatchObject({ from: 8, to: 4 });
	expect(world.replaced.slice(3)).toEqual(expect.arrayContaining(['a: 0 to 4', 'b: 1 to 4', 'a: 2 to 4']));
	expect(layoutNow(table(), layout)).toEqual(layout);
});

it('is written down again by a node that knows of it when Redis has lost its data', async () => {
	const { nodes, write, settle, table } = setup();
	nodes[0].reshards.reshard({ sessions: 8 }, { byPerson: false }).catch(() => {});
	await settle();
	const before = table().reshard;
	write({ reshard: undefined });
	await settle();
	expect(table().reshard).toBe(before);
});

it('is written down again where Redis has an earlier one, so that the caller is not kept for ever', async () => {
	const { nodes, write, settle, table } = setup();
	const [a, b] = nodes;
	const finish = async () => {
		for (const [group, node] of [a, b, a, b].entries()) {
			await settle();
			node.endings.get(group)?.resolve();
		}
		await settle();
	};
	const first = a.reshards.reshard({ sessions: 8 }, { byPerson: false });
	await finish();
	await first;
	const before = table().reshard;
	const second = a.reshards.reshard({ undo: true }, { byPerson: false });
	await settle();
	// A failover to a replica that had not received it.
	write({ reshard: before });
	await finish();
	expect(await second).toMatchObject({ from: 8, to: 4 });
	expect(JSON.parse(table().reshard ?? '{}')).toMatchObject({ id: 2, state: 'done' });
	expect(layoutNow(table(), layout)).toEqual(layout);
});

it('continues where the answer to what a node wrote was lost: to its claim, and to what it replaced', async () => {
	const { nodes, world, settle } = setup();
	const [a, b] = nodes;
	world.losesAnswer = ({ active }) => active[0] === 'a';
	const outcome = b.reshards.reshard({ sessions: 8 }, { byPerson: false });
	await settle();
	expect(world.losesAnswer).toBeUndefined();
	expect([...a.endings.keys()]).toEqual([0]);
	world.losesAnswer = ({ left }) => !left.includes(0);
	for (const [group, node] of [a, b, a, b].entries()) {
		node.endings.get(group)?.resolve();
		await settle();
	}
	expect(world.losesAnswer).toBeUndefined();
	expect(await outcome).toMatchObject({ to: 8 });
	expect(world.replaced).toHaveLength(4);
});

it('is followed to its end by the node that was asked where the answer to its begin was lost', async () => {
	const { nodes, world, settle } = setup();
	const [a, b] = nodes;
	world.losesAnswer = ({ id }) => id === 1;
	const outcome = a.reshards.reshard({ sessions: 8 }, { byPerson: false });
	for (const [group, node] of [a, b, a, b].entries()) {
		await settle();
		node.endings.get(group)?.resolve();
	}
	await settle();
	expect(world.losesAnswer).toBeUndefined();
	expect(await outcome).toMatchObject({ to: 8 });
});

it('ends where the answer to a claim was lost and it is called off', async () => {
	const { nodes, world, settle, table } = setup();
	const [a] = nodes;
	const lost = new Promise<void>((resolve) => {
		world.losesAnswer = ({ active }) => {
			const isClaim = active[0] === 'a';
			if (isClaim) resolve();
			return isClaim;
		};
	});
	a.reshards.reshard({ sessions: 8 }, { byPerson: false }).catch(() => {});
	await lost;
	// Before the node looks again.
	const undone = a.reshards.reshard({ undo: true }, { byPerson: true });
	await settle();
	nodes[1].endings.get(1)?.resolve();
	for (const group of [0, 1]) {
		await settle();
		nodes[group as 0 | 1].endings.get(group)?.resolve();
	}
	await settle();
	expect(await undone).toMatchObject({ to: 4 });
	expect(layoutNow(table(), layout)).toEqual(layout);
});

it('replaces nothing that was called off while it waited in turn, and says that nothing is to be undone', async () => {
	const { nodes, world, settle, table } = setup();
	const [a, b] = nodes;
	let go = () => {};
	world.turn = new Promise<void>((resolve) => {
		go = resolve;
	});
	const outcome = a.reshards.reshard({ sessions: 8 }, { byPerson: false });
	outcome.catch(() => {});
	await settle();
	const undone = b.reshards.reshard({ undo: true }, { byPerson: true });
	await settle();
	go();
	await settle();
	await expect(outcome).rejects.toThrow(/0 of 4 groups .* it was called off/);
	expect(await undone).toMatchObject({ from: 4, to: 4, identifies: 0 });
	expect([a.endings.size, b.endings.size]).toEqual([0, 0]);
	expect(layoutNow(table(), layout)).toEqual(layout);
	await expect(a.reshards.reshard({ undo: true }, { byPerson: true })).rejects.toThrow(/nothing to undo/);
});

it('is tried again where Redis is away when a group was replaced', async () => {
	const { nodes, world, settle } = setup();
	const [a] = nodes;
	a.reshards.reshard({ sessions: 8 }, { byPerson: false }).catch(() => {});
	await settle();
	world.isAway = true;
	a.endings.get(0)?.resolve();
	await settle();
	expect(a.reshards.stats()).toMatchObject({ done: 0 });
	world.isAway = false;
	await settle();
	expect(a.reshards.stats()).toMatchObject({ done: 1, identifies: 2 });
});

const refused = (reply: string) => new ShardctlError('REDIS_REFUSED', `refused: ${reply}`, { details: { reply } });

it('ends with the error where what was replaced cannot be written down although Redis is there', async () => {
	const { nodes, world, settle, table } = setup();
	const [a, b] = nodes;
	const outcome = b.reshards.reshard({ sessions: 8 }, { byPerson: false });
	outcome.catch(() => {});
	await settle();
	world.refuses = ({ left }) => (left.includes(0) ? undefined : refused('WRONGTYPE'));
	a.endings.get(0)?.resolve();
	await settle();
	b.endings.get(1)?.resolve();
	await settle();
	await expect(outcome).rejects.toThrow('1 of 4 groups of sessions were replaced: refused: WRONGTYPE');
	expect(world.reported.filter((line) => line.includes('refused'))).toEqual(['a: refused: WRONGTYPE']);
	// It may have the new sessions, so the next resharding does it in any case.
	expect(unsureOf(reshardEntry(table(), layout))?.groups).toEqual([0]);
});

it('reports a refusal once, and tries again where nothing at all can be written', async () => {
	const { nodes, world, settle } = setup();
	const [a] = nodes;
	a.reshards.reshard({ sessions: 8 }, { byPerson: false }).catch(() => {});
	await settle();
	world.refuses = () => refused('OOM');
	await expect(a.reshards.reshard({ undo: true }, { byPerson: true })).rejects.toThrow('refused: OOM');
	a.endings.get(0)?.resolve();
	await settle();
	await settle();
	expect(world.reported.filter((line) => line === 'a: refused: OOM')).toHaveLength(1);
	world.refuses = undefined;
	await settle();
	a.endings.get(0)?.resolve();
	await settle();
	expect(a.reshards.stats()).toMatchObject({ state: 'running', done: 1 });
});

it.each(['READONLY', 'NOREPLICAS'])('waits for a master, or its replica, that is being replaced: %s', async (reply) => {
	const { nodes, world, settle } = setup();
	const [a] = nodes;
	a.reshards.reshard({ sessions: 8 }, { byPerson: false }).catch(() => {});
	await settle();
	world.refuses = () => refused(reply);
	a.endings.get(0)?.resolve();
	await settle();
	world.refuses = undefined;
	await settle();
	expect(a.reshards.stats()).toMatchObject({ state: 'running', done: 1 });
	expect(world.reported.filter((line) => line.includes('refused'))).toEqual([]);
});

it('is refused where it cannot be', async () => {
	const { nodes } = setup({ capacity: 3 });
	const [a] = nodes;
	const refusal = (sessions: number) => a.reshards.reshard({ sessions, dryRun: true }, { byPerson: true });
	await expect(refusal(8)).rejects.toThrow('node "a" takes 3 sessions at most, and would have 4 of the 8');
	await expect(refusal(6)).rejects.toThrow(/started with 4 sessions, .* whole multiples of them, not 6/);
	await expect(refusal(2)).rejects.toMatchObject({ code: 'RESHARD_COUNT' });
	await expect(refusal(16)).rejects.toThrow(/the workers see 8 shards/);
	await expect(a.reshards.reshard({ shards: 16 }, { byPerson: true })).rejects.toMatchObject({ code: 'RESHARD_UNSUPPORTED' });
	await expect(a.reshards.reshard({ undo: true }, { byPerson: true })).rejects.toThrow(/nothing to undo/);
});

it('is decided by one of the nodes with --reshard auto, whichever node is the first', () => {
	const { nodes, write, table } = setup();
	const deciding = (...names: string[]) => {
		write({
			nodes: table().nodes.map((row) => ({
				...row,
				member: row.member && { ...row.member, autoReshard: names.includes(row.node) },
			})),
		});
		return nodes.filter(({ reshards }) => reshards.decides).map(({ node }) => node);
	};
	expect([deciding(), deciding('b'), deciding('a', 'b')]).toEqual([[], ['b'], ['a']]);
});
