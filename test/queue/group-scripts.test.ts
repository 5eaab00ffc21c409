// The scripts of a group of workers on a real Redis, whose clock and identity the tests set: who owns which partition, and that only an owner
// reads and acknowledges. The last test takes random steps: SHARDCTL_QUEUE_RUNS=200 takes more of them.
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { IoredisPort } from '../../packages/cluster/src/redis/ioredis-port.js';
import { connectTo, describeWithRedis, type RedisServer, redisServer } from '../../packages/cluster/test/support/redis-server.js';
import { groupScripts } from '../../packages/queue/src/scripts/group-scripts.js';
import { queueKeys } from '../../packages/queue/src/wire/keys.js';

const keys = queueKeys('1');
const group = 'commands';
const leaseMs = 3000;
const marginMs = 250;
const validMs = 2250;
const gapMs = 1000;
const {
	subscribe,
	turn,
	read,
	claimPending,
	begin: deliverAgain,
	acknowledge,
	bury,
} = groupScripts({
	time: "local now = tonumber(redis.call('GET', 'test:now'))",
	runId: "local runId = redis.call('GET', 'test:run')",
});

type Owned = Map<number, string>;

describeWithRedis('the scripts of a group of workers', () => {
	let server: RedisServer;
	let redis: IoredisPort;
	let now = 0;
	beforeAll(async () => {
		server = await redisServer();
		redis = await connectTo(server);
	});
	afterAll(async () => {
		await redis?.close();
		await server?.close();
	});
	beforeEach(() => begin(4));

	/** A Redis that has had the queue for long. */
	async function begin(partitions: number): Promise<void> {
		now = 1_700_000_000_000;
		await redis.batch([
			['FLUSHALL'],
			['SET', 'test:now', now],
			['SET', 'test:run', 'one'],
			['HSET', keys.meta, 'run', 'one', 'since', 0, 'shards', 1, 'perShard', partitions],
		]);
		const prefixes = [keys.events(0), keys.record(0)].map((key) => key.slice(0, -1)) as [string, string];
		const args = [group, '{}', prefixes[0], keys.groupsChanged, '$', prefixes[1]];
		await redis.script(subscribe, [keys.meta, keys.groups, keys.group(group)], args);
	}

	/** Returns what the group subscribes to afterwards, and since when the member is there. */
	async function subscribeAs(member: string, subscription: string, since = '0'): Promise<[string, string]> {
		const prefixes = [keys.events(0), keys.record(0)].map((key) => key.slice(0, -1)) as [string, string];
		const begins = since === '0' ? '$' : '0';
		const args = [group, subscription, prefixes[0], keys.groupsChanged, begins, prefixes[1], member, since];
		const answer = (await redis.script(subscribe, [keys.meta, keys.groups, keys.group(group)], args)) as string[];
		const [text] = (await redis.batch([['HGET', keys.groups, group]])) as [Buffer];
		return [String(text), answer[3] as string];
	}

	async function pass(ms: number): Promise<void> {
		now += ms;
		await redis.batch([['SET', 'test:now', now]]);
	}

	async function takeTurn(member: string, partitions: number, held: Owned, { mode = 'stay', free = [] as number[] } = {}) {
		const holdings = [...held].flatMap(([partition, epoch]) => [partition, epoch, free.includes(partition) ? 'free' : 'keep']);
		const args = [member, leaseMs, marginMs, gapMs, partitions, mode, keys.groupChanged(group), ...holdings];
		const [, members, surplus, quietMs, own] = (await redis.script(turn, [keys.group(group), keys.meta], args)) as [
			string,
			string,
			string,
			string,
			string[],
		];
		const owned: Owned = new Map(
			Array.from({ length: own.length / 2 }, (_, i) => [Number(own[2 * i]), own[2 * i + 1] as string]),
		);
		return { members: Number(members), surplus: Number(surplus), quietMs: Number(quietMs), owned };
	}

	const none: Owned = new Map();

	const add = async (partition: number, ...numbers: number[]) => {
		for (const n of numbers) {
			await redis.batch([['XADD', keys.events(partition), '*', 'e', `${n} X ${n} a`, 'd', '{}']]);
		}
	};

	async function readFrom(member: string, partition: number, epoch: string) {
		const [answer] = (await redis.script(
			read,
			[keys.group(group), keys.events(partition)],
			[group, member, 10, partition, epoch],
		)) as [['FENCED'] | ['OK', number, [string, string[]][]]];
		return answer[0] === 'FENCED'
			? 'fenced'
			: {
					missed: answer[1],
					numbers: answer[2].map(([, fields]) => Number.parseInt(fields[1] as string, 10)),
					ids: answer[2].map(([id]) => id),
				};
	}

	async function readAfter(member: string, partition: number, epoch: string, last: number | '') {
		const [[, missed]] = (await redis.script(
			read,
			[keys.group(group), keys.events(partition)],
			[group, member, 10, partition, epoch, last],
		)) as [['OK', number]];
		return missed;
	}

	async function claimFrom(member: string, partition: number, epoch: string, from = '-') {
		const answer = (await redis.script(
			claimPending,
			[keys.group(group), keys.events(partition)],
			[group, member, 10, partition, epoch, from],
		)) as ['FENCED'] | ['OK', number, [string, string[]][], (string | number)[]];
		return answer[0] === 'FENCED'
			? 'fenced'
			: {
					missed: answer[1],
					numbers: answer[2].map(([, fields]) => Number.parseInt(fields[1] as string, 10)),
					deliveries: answer[3].filter((_, i) => i % 2 === 1).map(Number),
				};
	}

	const ack = (member: string, partition: number, epoch: string, ids: readonly string[]) =>
		redis.script(acknowledge, [keys.group(group), keys.events(partition)], [group, member, partition, epoch, ids.length, ...ids]);

	it('subscribe a group to what its newest worker wants, and to what an older one wants when that one has gone', async () => {
		const [, oldest] = await subscribeAs('oldest', 'a');
		const [, old] = await subscribeAs('old', 'b');
		await takeTurn('old', 4, none);
		await takeTurn('oldest', 4, none);
		const [wanted, since] = await subscribeAs('new', 'c');
		expect(wanted).toBe('c');
		// Each worker subscribes every few seconds.
		expect(await subscribeAs('old', 'b', old)).toEqual(['c', old]);
		expect(await subscribeAs('oldest', 'a', oldest)).toEqual(['c', oldest]);
		await takeTurn('new', 4, none);
		await pass(20_000);
		expect(await subscribeAs('old', 'b', old)).toEqual(['c', old]);
		await takeTurn('new', 4, none, { mode: 'leave' });
		expect(await subscribeAs('oldest', 'a', oldest)).toEqual(['a', oldest]);
		expect(await subscribeAs('old', 'b', old)).toEqual(['b', old]);
		expect(await subscribeAs('oldest', 'a', oldest)).toEqual(['b', oldest]);
		// A Redis that has lost its data.
		await redis.batch([['DEL', keys.groups, keys.group(group)]]);
		expect(await subscribeAs('old', 'b', old)).toEqual(['b', old]);
		expect(await subscribeAs('new', 'c', since)).toEqual(['c', since]);
		await takeTurn('new', 4, none);
		expect(await subscribeAs('old', 'b', old)).toEqual(['c', old]);
	});

	it('give all partitions to the first worker, and a share to each further one as they become free', async () => {
		const a = await takeTurn('a', 4, none);
		expect([[...a.owned.keys()], a.surplus, a.members]).toEqual([[0, 1, 2, 3], 0, 1]);
		const b = await takeTurn('b', 4, none);
		expect([b.owned.size, b.members]).toEqual([0, 2]);
		const full = await takeTurn('a', 4, a.owned);
		expect([full.owned.size, full.surplus]).toEqual([4, 2]);
		const less = await takeTurn('a', 4, full.owned, { free: [0, 2] });
		expect([[...less.owned.keys()], less.surplus]).toEqual([[1, 3], 0]);
		const more = await takeTurn('b', 4, none);
		expect([...more.owned.keys()]).toEqual([0, 2]);
		// Each owner of a partition has a greater epoch than the one before.
		expect(Number(more.owned.get(0))).toBeGreaterThan(Number(a.owned.get(0)));
	});

	it('give what a worker leaves, or has when its lease ends, to the others', async () => {
		const a = await takeTurn('a', 4, none);
		await takeTurn('a', 4, a.owned, { mode: 'leave' });
		const b = await takeTurn('b', 4, none);
		expect(b.owned.size).toBe(4);
		for (let ms = 0; ms < leaseMs + marginMs - 500; ms += 500) {
			await pass(500);
			expect((await takeTurn('c', 4, none)).owned.size).toBe(0);
		}
		await pass(500);
		const c = await takeTurn('c', 4, none);
		expect([c.owned.size, c.members]).toEqual([4, 1]);
		const back = await takeTurn('b', 4, b.owned);
		expect([back.owned.size, back.members]).toEqual([0, 2]);
	});

	it('give nothing to a worker that drains, and ask it for what it has', async () => {
		const a = await takeTurn('a', 4, none);
		await takeTurn('b', 4, none);
		const draining = await takeTurn('a', 4, a.owned, { mode: 'drain' });
		expect([draining.owned.size, draining.surplus, draining.members]).toEqual([4, 4, 1]);
		await takeTurn('a', 4, draining.owned, { mode: 'drain', free: [0, 1, 2, 3] });
		expect((await takeTurn('b', 4, none)).owned.size).toBe(4);
	});

	it('let no lease end by a step of the clock of Redis', async () => {
		const a = await takeTurn('a', 4, none);
		await pass(60_000);
		expect((await takeTurn('b', 4, none)).owned.size).toBe(0);
		expect((await takeTurn('a', 4, a.owned)).owned.size).toBe(4);
		await pass(-3_600_000);
		expect((await takeTurn('b', 4, none)).owned.size).toBe(0);
		for (let ms = 0; ms <= leaseMs + marginMs; ms += 500) {
			await pass(500);
			await takeTurn('b', 4, none);
		}
		expect((await takeTurn('b', 4, none)).owned.size).toBe(4);
	});

	it('let the lease of a worker that died end where the others are late at each turn', async () => {
		await takeTurn('a', 4, none);
		const owned: number[] = [];
		for (let turns = 0; turns < 4; turns++) {
			await pass(gapMs + 500);
			owned.push((await takeTurn('b', 4, none)).owned.size);
		}
		expect(owned).toEqual([0, 0, 0, 4]);
	});

	it('give nothing for the time of a lease after Redis was replaced, and believe those that had partitions until then', async () => {
		const a = await takeTurn('a', 4, none);
		await redis.batch([['FLUSHALL'], ['SET', 'test:now', now], ['SET', 'test:run', 'two']]);
		const b = await takeTurn('b', 4, none);
		expect([b.owned.size, b.quietMs]).toEqual([0, leaseMs]);
		await pass(500);
		expect((await takeTurn('a', 4, a.owned)).owned).toEqual(a.owned);
		for (let ms = 500; ms <= leaseMs; ms += 500) {
			await pass(500);
			expect((await takeTurn('b', 4, none)).owned.size).toBe(0);
			expect((await takeTurn('a', 4, a.owned)).owned).toEqual(a.owned);
		}
		expect((await takeTurn('a', 4, a.owned)).surplus).toBe(2);
	});

	it('(42) let the owner alone read, claim, acknowledge and give up', async () => {
		const a = await takeTurn('a', 4, none);
		const old = a.owned.get(0) as string;
		await add(0, 1, 2, 3);
		const first = await readFrom('a', 0, old);
		expect(first).toMatchObject({ missed: 0, numbers: [1, 2, 3] });
		const ids = (first as { ids: string[] }).ids;
		expect(await ack('a', 0, old, ids.slice(0, 1))).toEqual([]);
		await takeTurn('a', 4, a.owned, { mode: 'leave' });
		const b = await takeTurn('b', 4, none);
		const epoch = b.owned.get(0) as string;
		await add(0, 4);
		expect(await readFrom('a', 0, old)).toBe('fenced');
		expect(await claimFrom('a', 0, old)).toBe('fenced');
		expect(await ack('a', 0, old, ids)).toEqual(['0']);
		expect(
			await redis.script(
				bury,
				[keys.group(group), keys.events(0), keys.dead],
				[group, 'a', 0, old, ids[1] as string, 10, 'x', 'y'],
			),
		).toBe(0);
		// What was not acknowledged, in order, before what is new.
		expect(await claimFrom('b', 0, epoch)).toEqual({ missed: 0, numbers: [2, 3], deliveries: [1, 1] });
		// Claiming is no delivery.
		expect(await claimFrom('b', 0, epoch, ids[1])).toMatchObject({ numbers: [3], deliveries: [1] });
		const again = (member: string, of: string, id: string) =>
			redis.script(deliverAgain, [keys.group(group), keys.events(0)], [group, member, 0, of, id, 2]);
		expect(await again('a', old, ids[2] as string)).toBe(0);
		expect(await again('b', epoch, ids[2] as string)).toBe(1);
		expect(await claimFrom('b', 0, epoch)).toMatchObject({ numbers: [2, 3], deliveries: [1, 2] });
		expect(await readFrom('b', 0, epoch)).toMatchObject({ numbers: [4] });
		expect(
			await redis.script(
				bury,
				[keys.group(group), keys.events(0), keys.dead],
				[group, 'b', 0, epoch, ids[1] as string, 10, 'x', 'y'],
			),
		).toBe(1);
		expect(await claimFrom('b', 0, epoch)).toMatchObject({ numbers: [3, 4] });
		expect((await redis.batch([['XLEN', keys.dead]]))[0]).toBe(1);
	});

	it('count no more the events that were given up and have made room for later ones', async () => {
		const epoch = (await takeTurn('a', 4, none)).owned.get(0) as string;
		await add(0, 1, 2, 3, 4);
		const { ids } = (await readFrom('a', 0, epoch)) as { ids: string[] };
		const giveUp = (id: string, kept: number) => {
			const fields = ['reason', 'group', 'group', group, 't', 'x'];
			return redis.script(bury, [keys.group(group), keys.events(0), keys.dead], [group, 'a', 0, epoch, id, kept, ...fields]);
		};
		for (const id of ids.slice(0, 3)) await giveUp(id, 2);
		const counts = () =>
			redis.batch([
				['XLEN', keys.dead],
				['HGET', keys.group(group), 'dead'],
			]);
		expect(String(await counts())).toBe('2,2');
		await giveUp(ids[3] as string, 1);
		expect(String(await counts())).toBe('1,1');
	});

	it('(43) count what was removed before a group has read or handled it, and begin again where Redis has lost the group', async () => {
		const a = await takeTurn('a', 4, none);
		const epoch = a.owned.get(0) as string;
		await add(0, 1, 2, 3);
		await readFrom('a', 0, epoch);
		await add(0, 4, 5, 6, 7);
		await redis.batch([['XTRIM', keys.events(0), 'MAXLEN', 2]]);
		expect(await readFrom('a', 0, epoch)).toMatchObject({ missed: 2, numbers: [6, 7] });
		expect(await claimFrom('a', 0, epoch)).toMatchObject({ missed: 3, numbers: [6, 7] });
		await redis.batch([['XGROUP', 'DESTROY', keys.events(0), group]]);
		expect(await readFrom('a', 0, epoch)).toMatchObject({ numbers: [6, 7] });
	});

	it('count what was lost with Redis from what their owner says that it has read', async () => {
		const epoch = (await takeTurn('a', 4, none)).owned.get(0) as string;
		await add(0, 8, 9);
		await redis.batch([['HDEL', keys.group(group), 'n:0']]);
		expect(await readAfter('a', 0, epoch, 5)).toBe(2);
		await add(0, 12);
		// What the group knows is newer.
		expect(await readAfter('a', 0, epoch, 5)).toBe(2);
		for (const last of ['', 20] as const) {
			await redis.batch([['HDEL', keys.group(group), 'n:0']]);
			await add(0, 15);
			expect(await readAfter('a', 0, epoch, last)).toBe(0);
		}
		expect(String((await redis.batch([['HGET', keys.group(group), 'missed']]))[0])).toBe('4');
	});

	it('count as missed only what their owner has not read, where Redis has lost its last writes', async () => {
		const epoch = (await takeTurn('a', 4, none)).owned.get(0) as string;
		await redis.batch([['HSET', keys.group(group), 'n:0', 90]]);
		await add(0, 111);
		expect(await readAfter('a', 0, epoch, 100)).toBe(10);
		expect(String((await redis.batch([['HMGET', keys.group(group), 'missed', 'n:0']]))[0])).toBe('10,111');
	});

	// Workers that live by the rules of the lease, and may be slow, cut off, stopped or killed at any moment: no event is handled by two, none
	// is skipped, the order holds, and what was acknowledged is not delivered again.
	it('hand every event over in order, once after it was acknowledged, in any interleaving', async () => {
		const names = ['a', 'b', 'c'] as const;
		const step = fc.oneof(
			{ weight: 6, arbitrary: fc.record({ op: fc.constant('turn' as const), who: fc.nat(2), freeSome: fc.boolean() }) },
			{ weight: 6, arbitrary: fc.record({ op: fc.constant('read' as const), who: fc.nat(2), partition: fc.nat(2) }) },
			{ weight: 2, arbitrary: fc.record({ op: fc.constant('late read' as const), who: fc.nat(2), partition: fc.nat(2) }) },
			{
				weight: 5,
				arbitrary: fc.record({ op: fc.constant('ack' as const), who: fc.nat(2), most: fc.integer({ min: 1, max: 3 }) }),
			},
			{
				weight: 3,
				arbitrary: fc.record({ op: fc.constant('add' as const), partition: fc.nat(2), count: fc.integer({ min: 1, max: 3 }) }),
			},
			{ weight: 3, arbitrary: fc.record({ op: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 900 }) }) },
			{ weight: 1, arbitrary: fc.record({ op: fc.constant('kill' as const), who: fc.nat(2) }) },
			// One worker alone takes turns, for a random part of the time in which the leases of the others end.
			{
				weight: 2,
				arbitrary: fc.record({ op: fc.constant('outlast' as const), who: fc.nat(2), turns: fc.integer({ min: 3, max: 9 }) }),
			},
		);
		await fc.assert(
			fc.asyncProperty(fc.array(step, { minLength: 100, maxLength: 160, size: 'max' }), async (steps) => {
				await begin(3);
				interface Worker {
					name: string;
					held: Map<number, { epoch: string; isClaimed: boolean }>;
					validUntil: number;
					inHand: { partition: number; epoch: string; number: number; id: string }[];
				}
				let incarnation = 0;
				const fresh = (who: number): Worker => ({
					name: `${names[who]}${++incarnation}`,
					held: new Map(),
					validUntil: 0,
					inHand: [],
				});
				const workers = names.map((_, who) => fresh(who));
				const added = [0, 0, 0];
				const handled = [[], [], []] as number[][];
				const acknowledged = [new Set<number>(), new Set<number>(), new Set<number>()];
				/** Partition → epoch of the newest owner that has handled something. */
				const newest = [0, 0, 0];
				const idOf = async (partition: number, number: number) =>
					((await redis.batch([['XRANGE', keys.events(partition), '-', '+']])) as [[Buffer, Buffer[]][]])[0]
						.find(([, fields]) => Number.parseInt(String(fields[1]), 10) === number)?.[0]
						.toString() as string;
				async function handle(worker: Worker, partition: number, epoch: string, numbers: readonly number[]) {
					for (const number of numbers) {
						// The lease is over in the middle of it: the worker stops.
						if (now >= worker.validUntil) return;
						expect(Number(epoch)).toBeGreaterThanOrEqual(newest[partition] as number);
						newest[partition] = Number(epoch);
						expect(acknowledged[partition]?.has(number)).toBe(false);
						// In order: everything before it was handled before.
						expect(number === 1 || handled[partition]?.includes(number - 1)).toBe(true);
						handled[partition]?.push(number);
						worker.inHand.push({ partition, epoch, number, id: await idOf(partition, number) });
					}
				}
				/** All that was in hand before, a page at a time. Returns false where the partition is another's. */
				async function handlePending(worker: Worker, partition: number, epoch: string) {
					for (let from = '-'; ; ) {
						const pending = await claimFrom(worker.name, partition, epoch, from);
						if (pending === 'fenced') return false;
						if (pending.numbers.length === 0) return true;
						await handle(worker, partition, epoch, pending.numbers);
						from = await idOf(partition, pending.numbers.at(-1) as number);
					}
				}
				async function turnOf(worker: Worker, freeSome: boolean) {
					const isIdle = (partition: number) => !worker.inHand.some((each) => each.partition === partition);
					// It gives back only what it has nothing in hand of.
					const free = freeSome ? [...worker.held.keys()].filter(isIdle).slice(0, 1) : [];
					const held: Owned = new Map([...worker.held].map(([p, { epoch }]) => [p, epoch]));
					const answer = await takeTurn(worker.name, 3, held, { free });
					worker.validUntil = now + validMs;
					for (const [p, { epoch }] of worker.held) if (answer.owned.get(p) !== epoch) worker.held.delete(p);
					for (const [p, epoch] of answer.owned) if (!worker.held.has(p)) worker.held.set(p, { epoch, isClaimed: false });
					worker.inHand = worker.inHand.filter(({ partition, epoch }) => worker.held.get(partition)?.epoch === epoch);
				}
				for (const each of steps) {
					if (each.op === 'pass') await pass(each.ms);
					else if (each.op === 'add')
						for (let n = 0; n < each.count; n++) await add(each.partition, ++(added[each.partition] as number));
					else {
						const worker = workers[each.who] as Worker;
						if (each.op === 'kill') workers[each.who] = fresh(each.who);
						else if (each.op === 'turn') await turnOf(worker, each.freeSome);
						else if (each.op === 'outlast') {
							for (let n = 0; n < each.turns; n++) {
								await pass(500);
								await turnOf(worker, false);
							}
						} else if (each.op === 'late read') {
							// It reaches Redis at any time, and its answer never arrives.
							const holding = worker.held.get(each.partition);
							if (!holding) continue;
							await readFrom(worker.name, each.partition, holding.epoch);
							holding.isClaimed = false;
						} else if (each.op === 'read') {
							const holding = worker.held.get(each.partition);
							if (!holding || now >= worker.validUntil) continue;
							if (!holding.isClaimed) holding.isClaimed = await handlePending(worker, each.partition, holding.epoch);
							if (!holding.isClaimed) continue;
							const news = await readFrom(worker.name, each.partition, holding.epoch);
							if (news !== 'fenced') await handle(worker, each.partition, holding.epoch, news.numbers);
						} else {
							for (const { partition, epoch, number, id } of worker.inHand.splice(0, each.most)) {
								const fenced = (await ack(worker.name, partition, epoch, [id])) as string[];
								if (fenced.length === 0) acknowledged[partition]?.add(number);
							}
						}
					}
				}
				// Everything is handled once the faults are over.
				workers.splice(0, 3, fresh(0));
				const last = workers[0] as Worker;
				for (let ms = 0; ms <= 2 * leaseMs; ms += 500) {
					await pass(500);
					const held: Owned = new Map([...last.held].map(([p, { epoch }]) => [p, epoch]));
					const answer = await takeTurn(last.name, 3, held);
					for (const [p, epoch] of answer.owned) if (!last.held.has(p)) last.held.set(p, { epoch, isClaimed: false });
				}
				last.validUntil = Number.POSITIVE_INFINITY;
				expect(last.held.size).toBe(3);
				for (const [partition, { epoch }] of last.held) {
					await handlePending(last, partition, epoch);
					for (;;) {
						const news = await readFrom(last.name, partition, epoch);
						if (news === 'fenced' || news.numbers.length === 0) break;
						await handle(last, partition, epoch, news.numbers);
					}
					expect(new Set(handled[partition]).size).toBe(added[partition]);
				}
			}),
			{ numRuns: Number(process.env.SHARDCTL_QUEUE_RUNS ?? 25) },
		);
	});
});
