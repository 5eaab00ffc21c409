import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GatewayFacts, HealthFacts, RestFacts, SessionFacts, ShardFacts } from '../contract/health.js';
import type { WorkerFacts } from '../contract/stats.js';
import { intentBits } from '../intents.js';
import { fleetHealth } from './fleet-health.js';

const nowMs = 1_000_000;

const shard = (shardId: number, rest: Partial<ShardFacts> = {}): ShardFacts => ({
	shardId,
	workerId: Math.floor(shardId / 2),
	status: 'ready',
	restarts: 0,
	lastExit: null,
	...rest,
});
const worker = (id: number, rest: Partial<WorkerFacts> = {}): WorkerFacts => ({
	id,
	shardIds: [id * 2, id * 2 + 1],
	state: 'ready',
	since: nowMs - 60_000,
	tries: 0,
	nextTryAt: null,
	lastAnswerAt: nowMs - 1000,
	heartbeat: { intervalMs: 5000, timeoutMs: 30_000 },
	...rest,
});
const session = (id: number, rest: Partial<SessionFacts> = {}): SessionFacts => ({
	id,
	shardIds: [id],
	status: 'ready',
	...rest,
});
const gateway = (sessions: SessionFacts[], rest: Partial<GatewayFacts> = {}): GatewayFacts => ({
	id: 0,
	status: 'ready',
	shardIds: sessions.flatMap(({ shardIds }) => shardIds),
	restarts: 0,
	sessions,
	shards: [],
	...rest,
});
const facts = (
	rest: Omit<Partial<HealthFacts>, 'manager'> & { status?: HealthFacts['manager']['status'] } = {},
): HealthFacts => ({
	nowMs,
	manager: {
		status: rest.status ?? 'running',
		startedAt: nowMs - 90_000,
		identify: { total: 1000, remaining: 900, resetAt: nowMs + 3_600_000 },
	},
	shards: rest.shards ?? [0, 1, 2, 3].map((id) => shard(id)),
	workers: rest.workers ?? [worker(0), worker(1)],
	gateways: rest.gateways,
	rest: rest.rest,
	host: rest.host,
});
const exit = { reason: 'signal', message: 'process 12 was killed by SIGKILL', at: nowMs - 4000 };

describe('fleetHealth', () => {
	it('is healthy without a cause when every shard is served', () => {
		expect(fleetHealth(facts())).toEqual({ status: 'healthy', served: 4, shards: 4, causes: [] });
	});

	it('has nothing to report of a gateway process that was ended as requested: its session is on another node', () => {
		const lastExit = { ...exit, reason: 'requested' };
		for (const status of ['draining', 'stopped']) {
			const left = gateway([], { status, shardIds: [4], restarts: 0, lastExit });
			expect(fleetHealth(facts({ shards: [], workers: [], gateways: [left] }))).toMatchObject({ status: 'healthy', causes: [] });
		}
	});

	it('takes a requested restart of a gateway process, and the first start of a worker beside others, for progress', () => {
		const restarting = gateway([], {
			status: 'starting',
			restarts: 1,
			lastExit: { ...exit, reason: 'requested' },
			shardIds: [0, 1],
		});
		expect(fleetHealth(facts({ gateways: [restarting] })).causes).toMatchObject([
			{ kind: 'starting', effect: 'progress', shardIds: [0, 1], message: expect.stringContaining('is restarting as requested') },
		]);
		const added = worker(2, { state: 'starting', since: nowMs - 700, shardIds: [4], lastAnswerAt: null });
		const booting = shard(4, { workerId: 2, status: 'booting', since: nowMs - 700 });
		const health = fleetHealth(facts({ shards: [shard(0), booting], workers: [worker(0), added] }));
		expect(health).toMatchObject({ status: 'degraded', served: 1 });
		expect(health.causes).toMatchObject([{ kind: 'starting', effect: 'progress', shardIds: [4], since: nowMs - 700 }]);
		// One that has ended by itself is an outage.
		const crashed = { ...added, lastExit: exit };
		expect(fleetHealth(facts({ shards: [booting], workers: [crashed] })).causes).toMatchObject([{ kind: 'worker-down' }]);
	});

	it('names the close code, the reason and the remedy when Discord refuses every session', () => {
		const sessions = [0, 1, 2, 3].map((id) =>
			session(id, {
				status: 'refused',
				since: nowMs - 2000 - id,
				lastClose: { code: 4004, reason: 'Authentication failed.', at: nowMs },
			}),
		);
		const health = fleetHealth(facts({ gateways: [gateway(sessions)] }));
		expect(health).toMatchObject({ status: 'down', served: 0 });
		expect(health.causes).toEqual([
			expect.objectContaining({
				kind: 'discord-refused',
				effect: 'outage',
				shardIds: [0, 1, 2, 3],
				message: 'Discord refused shards 0-3 (4004): the token is not valid',
				since: nowMs - 2003,
				remedy: expect.stringContaining('discord.com/developers'),
			}),
		]);
	});

	it('names the intents that were not granted', () => {
		const refused = session(1, {
			status: 'refused',
			lastClose: { code: 4014, reason: 'Disallowed intent(s).', at: nowMs },
			intents: intentBits.GUILDS | intentBits.MESSAGE_CONTENT,
		});
		const { status, served, causes } = fleetHealth(facts({ gateways: [gateway([session(0), refused, session(2), session(3)])] }));
		expect({ status, served }).toEqual({ status: 'degraded', served: 3 });
		expect(causes[0]?.message).toBe('Discord refused shard 1 (4014): the bot asks for MESSAGE_CONTENT, which it was not granted');
	});

	it('reports the same cause for a final close in direct mode', () => {
		const shards = [
			shard(0, { status: 'failed', closeCode: 4011 }),
			shard(1, { status: 'failed', closeCode: 4011 }),
			shard(2),
			shard(3),
		];
		expect(fleetHealth(facts({ shards })).causes).toEqual([
			expect.objectContaining({ kind: 'discord-refused', shardIds: [0, 1], remedy: expect.stringContaining('--shards auto') }),
		]);
	});

	it('explains shards without a gateway process by that process alone, and reports what was lost', () => {
		const down = gateway([], {
			status: 'backing-off',
			shardIds: [0, 1, 2, 3],
			restarts: 7,
			tries: 2,
			failingSince: nowMs - 60_000,
			since: nowMs - 500,
			nextTryAt: nowMs + 3000,
			lastExit: exit,
			shards: [
				{ shardId: 0, lost: 3, overflowed: 1 },
				{ shardId: 9, lost: 50, overflowed: 0 },
			],
		});
		const shards = [0, 1, 2, 3].map((id) => shard(id, { status: 'reconnecting' }));
		expect(fleetHealth(facts({ shards, gateways: [down] })).causes).toEqual([
			{
				kind: 'gateway-process-down',
				effect: 'outage',
				shardIds: [0, 1, 2, 3],
				message: 'gateway process 0 is restarting: process 12 was killed by SIGKILL',
				since: nowMs - 60_000,
				tries: 2,
				nextTryAt: nowMs + 3000,
				lost: 4,
				remedy: null,
			},
		]);
	});

	it('groups sessions that are disconnected for the same reason, with their attempts and the next one', () => {
		const lastClose = { code: null, reason: 'connect ECONNREFUSED', at: nowMs - 9000 };
		const sessions = [0, 1].map((id) =>
			session(id, {
				status: 'connecting',
				since: nowMs - 9000 + id,
				tries: 3 + id,
				nextTryAt: nowMs + 500 * (id + 1),
				lastClose,
			}),
		);
		expect(fleetHealth(facts({ gateways: [gateway([...sessions, session(2), session(3)])] })).causes).toEqual([
			expect.objectContaining({
				kind: 'session-down',
				message: 'shards 0-1 have no connection to Discord, connecting: connect ECONNREFUSED',
				since: nowMs - 9000,
				tries: 4,
				nextTryAt: nowMs + 500,
			}),
		]);
	});

	it('reports when the used-up budget resets', () => {
		const waiting = session(2, { status: 'connecting', waitsForBudget: true, since: nowMs - 1 });
		const [first] = fleetHealth(facts({ gateways: [gateway([session(0), session(1), waiting, session(3)])] })).causes;
		expect(first).toMatchObject({ kind: 'budget-exhausted', shardIds: [2], nextTryAt: nowMs + 3_600_000 });
	});

	it('reports a worker from its second missed heartbeat on, and when it will be replaced', () => {
		const silent = (silentMs: number) =>
			fleetHealth(facts({ workers: [worker(0, { lastAnswerAt: nowMs - silentMs }), worker(1)] }));
		expect(silent(10_000).status).toBe('healthy');
		expect(silent(10_001)).toMatchObject({ status: 'degraded', served: 2 });
		expect(silent(16_000).causes[0]).toMatchObject({
			kind: 'worker-unresponsive',
			shardIds: [0, 1],
			since: nowMs - 16_000,
			nextTryAt: nowMs - 16_000 + 35_000,
		});
	});

	it('keeps the cause of a worker that is being ended because it did not answer', () => {
		const shards = [0, 1, 2, 3].map((id) => shard(id, id < 2 ? { status: 'stopping' } : {}));
		const ending = (rest: Partial<WorkerFacts>) =>
			fleetHealth(facts({ shards, workers: [worker(0, { state: 'draining', ...rest }), worker(1)] })).causes;
		expect(ending({ since: nowMs - 1000, lastAnswerAt: nowMs - 31_000 })).toMatchObject([
			{ kind: 'worker-unresponsive', shardIds: [0, 1], since: nowMs - 31_000, nextTryAt: null },
		]);
		// It answered until it was asked to end, which takes its time.
		expect(ending({ since: nowMs - 20_000, lastAnswerAt: nowMs - 21_000 })).toMatchObject([{ kind: 'shard-not-ready' }]);
	});

	it('B3: reports a used-up budget in direct mode too', () => {
		const shards = [0, 1, 2, 3].map((id) => shard(id, id === 3 ? { status: 'waiting', waitsForBudget: true } : {}));
		expect(fleetHealth(facts({ shards })).causes).toMatchObject([{ kind: 'budget-exhausted', shardIds: [3] }]);
	});

	it('names the shards that stop because Discord refused another shard of their process', () => {
		const shards = [0, 1, 2, 3].map((id) => shard(id, id > 1 ? { status: 'failed', closeCode: id === 2 ? 4014 : null } : {}));
		const { causes } = fleetHealth(facts({ shards, workers: [worker(0), worker(1, { state: 'failed' })] }));
		expect(causes).toMatchObject([{ kind: 'discord-refused', shardIds: [2, 3] }]);
		expect(causes[0]?.message).toMatch(/refused shard 2 \(4014\): .*; shard 3 is in the same process/);
	});

	it('names a gateway process that runs but does not respond', () => {
		const silent = gateway([], { shardIds: [0, 1, 2, 3], lastAnswerAt: nowMs - 4000 });
		expect(fleetHealth(facts({ gateways: [silent] }))).toMatchObject({
			status: 'down',
			causes: [
				{
					kind: 'gateway-process-down',
					shardIds: [0, 1, 2, 3],
					since: nowMs - 4000,
					message: 'gateway process 0 does not answer',
				},
			],
		});
	});

	it('does not check heartbeats that are turned off', () => {
		const workers = [worker(0, { lastAnswerAt: 0, heartbeat: { intervalMs: 0, timeoutMs: 0 } }), worker(1)];
		expect(fleetHealth(facts({ workers })).status).toBe('healthy');
	});

	it('reports a crash loop once for all shards of the worker', () => {
		const shards = [0, 1].map((id) => shard(id, { status: 'restarting', lastExit: exit, restarts: 4 }));
		const workers = [
			worker(0, { state: 'backing-off', tries: 4, failingSince: nowMs - 90_000, nextTryAt: nowMs + 4600 }),
			worker(1),
		];
		expect(fleetHealth(facts({ shards: [...shards, shard(2), shard(3)], workers })).causes).toEqual([
			expect.objectContaining({
				kind: 'worker-down',
				shardIds: [0, 1],
				message: 'worker 0 (shards 0-1) is restarting: process 12 was killed by SIGKILL',
				since: nowMs - 90_000,
				tries: 4,
				nextTryAt: nowMs + 4600,
			}),
		]);
	});

	it('B8: groups a large outage: one cause for all workers with the same reason', () => {
		const count = 1000;
		const killed = (id: number) => ({
			reason: 'signal',
			message: `process ${1000 + id} was killed by SIGKILL (after ${id}.5 s)`,
			at: nowMs - count + id,
		});
		const shards = Array.from({ length: count }, (_, id) =>
			shard(id, { workerId: id, status: 'restarting', lastExit: killed(id) }),
		);
		const workers = shards.map(({ shardId }) =>
			worker(shardId, {
				shardIds: [shardId],
				state: 'backing-off',
				tries: 1 + (shardId % 3),
				failingSince: nowMs - 60_000 + shardId,
				nextTryAt: nowMs + 1000 + shardId,
			}),
		);
		const { causes, status } = fleetHealth(facts({ shards, workers }));
		expect(status).toBe('down');
		expect(causes).toEqual([
			expect.objectContaining({
				kind: 'worker-down',
				message: '1000 workers (shards 0-999) are restarting; the last: process 1999 was killed by SIGKILL (after 999.5 s)',
				since: nowMs - 60_000,
				tries: 3,
				nextTryAt: nowMs + 1000,
			}),
		]);
		const hanging = workers.map((each) => worker(each.id, { shardIds: each.shardIds, lastAnswerAt: nowMs - 20_000 }));
		expect(fleetHealth(facts({ shards: shards.map(({ shardId }) => shard(shardId)), workers: hanging })).causes).toMatchObject([
			{ message: '1000 workers (shards 0-999) do not answer their heartbeats' },
		]);
	});

	it('bounds the causes of one kind, whatever the reasons are, and loses no shard', () => {
		const failed = (id: number) => ({ reason: 'uncaught-exception', message: `died of ${'x'.repeat(id)}`, at: nowMs - 100 + id });
		const shards = Array.from({ length: 100 }, (_, id) => shard(id, { workerId: id, status: 'failed', lastExit: failed(id) }));
		const workers = shards.map(({ shardId }) => worker(shardId, { shardIds: [shardId], state: 'failed' }));
		const { causes } = fleetHealth(facts({ shards, workers }));
		expect(causes).toHaveLength(8);
		expect(causes.flatMap(({ shardIds }) => shardIds)).toHaveLength(100);
		expect(causes.at(-1)?.message).toMatch(/^93 workers \(shards 7-99\) keep failing for 93 reasons; the last: died of x+$/);
		expect(causes.at(-1)?.remedy).toBe('fix the cause, then "shardctl restart"');
	});

	it('groups gateway processes, shards that reconnect, and snapshots that fail', () => {
		const ids = Array.from({ length: 100 }, (_, id) => id);
		const gateways = ids.map((id) => gateway([], { id, status: 'backing-off', shardIds: [id], lastExit: exit }));
		const shards = ids.map((id) => shard(id, { workerId: id }));
		const workers = ids.map((id) => worker(id, { shardIds: [id] }));
		expect(fleetHealth(facts({ shards, workers, gateways })).causes).toMatchObject([
			{ message: '100 gateway processes (shards 0-99) are restarting; the last: process 12 was killed by SIGKILL' },
		]);
		const reconnecting = ids.map((id) => shard(id, { workerId: id, status: 'reconnecting' }));
		expect(fleetHealth(facts({ shards: reconnecting, workers })).causes).toMatchObject([
			{ kind: 'shard-not-ready', message: 'shards 0-99 reconnecting (100 workers)' },
		]);
		const risky = ids.map((id) =>
			gateway([session(id)], {
				id,
				snapshotFailure: { shardIds: [id], since: nowMs - id, error: 'ENOSPC', folder: `/state/${id}` },
			}),
		);
		expect(fleetHealth(facts({ shards, workers, gateways: risky })).causes).toMatchObject([
			{ message: 'snapshots of shards 0-99 cannot be saved in /state/0 and 99 more folders: ENOSPC', since: nowMs - 99 },
		]);
	});

	it('says to check Redis, not a folder, where that does not take the snapshots', () => {
		const error = 'Redis did not answer in time';
		const risky = gateway([session(0)], { snapshotFailure: { shardIds: [0], since: nowMs - 5, error, folder: '/state' } });
		const found = fleetHealth(facts({ gateways: [risky] })).causes.find(({ kind }) => kind === 'snapshots-failing');
		expect(found?.remedy).toMatch(/^check Redis, and that the gateway processes reach it: /);
	});

	it('lists risks after the outages, and is degraded by a risk alone', () => {
		const failure = { shardIds: [3], since: nowMs - 5, error: 'ENOSPC', folder: '/state' };
		const risky = gateway(
			[0, 1, 2, 3].map((id) => session(id)),
			{ snapshotFailure: failure },
		);
		expect(fleetHealth(facts({ gateways: [risky] }))).toMatchObject({
			status: 'degraded',
			served: 4,
			causes: [{ kind: 'snapshots-failing', effect: 'risk', shardIds: [3] }],
		});
		const full = { stateDir: { folder: '/state', freeBytes: 0, totalBytes: 1 }, openFiles: null, memory: null };
		expect(fleetHealth(facts({ gateways: [risky], host: full })).causes.map(({ kind }) => kind)).toEqual([
			'disk-full',
			'snapshots-failing',
		]);
	});

	it.each([
		[
			'disk-full',
			{ stateDir: { folder: '/state', freeBytes: 2 ** 20, totalBytes: 2 ** 40 } },
			/\/state is almost full \(1 MB free\)/,
		],
		['open-files-low', { openFiles: { used: 950, limit: 1024 } }, /has 950 of 1024 open files/],
		['memory-low', { memory: { availableBytes: 2 ** 20, totalBytes: 2 ** 30 } }, /1 MB of 1024 MB memory available/],
	] as const)('reports a resource that is nearly used up as a risk: %s', (kind, low, message) => {
		const enough = {
			stateDir: { folder: '/state', freeBytes: 2 ** 34, totalBytes: 2 ** 40 },
			openFiles: { used: 100, limit: 1024 },
			memory: { availableBytes: 2 ** 29, totalBytes: 2 ** 30 },
		};
		expect(fleetHealth(facts({ host: enough })).status).toBe('healthy');
		expect(fleetHealth(facts({ host: { ...enough, ...low } }))).toMatchObject({
			status: 'degraded',
			served: 4,
			causes: [{ kind, effect: 'risk', message: expect.stringMatching(message), remedy: expect.any(String) }],
		});
	});

	const rest = (given: Partial<RestFacts> = {}): RestFacts => ({
		status: 'ready',
		restarts: 0,
		rssBytes: 1,
		invalid: 0,
		guarded: false,
		...given,
	});

	it.each([
		[
			'is replaced',
			{ status: 'backing-off', rssBytes: null, tries: 2, failingSince: 5, nextTryAt: 9, lastExit: exit },
			'rest-process-down',
			{ since: 5, tries: 2, nextTryAt: 9, remedy: null },
			/^the REST process is restarting, and requests of bots wait: process 12 was killed by SIGKILL$/,
		],
		[
			'was given up',
			{ status: 'failed', rssBytes: null, lastExit: exit },
			'rest-process-down',
			{ since: exit.at, remedy: expect.stringContaining('shardctl restart --rest') },
			/keeps failing/,
		],
		['is frozen', { rssBytes: null, lastAnswerAt: 7 }, 'rest-process-down', { since: 7 }, /does not answer/],
		[
			'sends few requests',
			{ guarded: true, invalid: 8100 },
			'invalid-requests-high',
			{ remedy: expect.stringContaining('10,000') },
			/^Discord answered 8100 requests .* only reads and interaction responses are sent$/,
		],
	] as const)('reports a REST process that %s as a risk', (_, given, kind, expected, message) => {
		expect(fleetHealth(facts({ rest: rest() })).status).toBe('healthy');
		expect(fleetHealth(facts({ rest: rest(given) }))).toMatchObject({
			status: 'degraded',
			served: 4,
			causes: [{ kind, effect: 'risk', shardIds: [], message: expect.stringMatching(message), ...expected }],
		});
	});

	it('has no cause for a REST process that starts with its fleet', () => {
		const { causes } = fleetHealth(facts({ status: 'starting', rest: rest({ status: 'starting', rssBytes: null }) }));
		expect(causes).toEqual([]);
	});

	it('reports a first start as progress, and a stopped fleet as down', () => {
		const shards = [0, 1, 2, 3].map((id) => shard(id, { status: 'booting' }));
		expect(fleetHealth(facts({ shards, status: 'starting' }))).toMatchObject({
			status: 'down',
			causes: [{ kind: 'starting', effect: 'progress', shardIds: [0, 1, 2, 3] }],
		});
		expect(fleetHealth(facts({ status: 'stopped' }))).toMatchObject({ status: 'down', served: 0 });
	});

	it('counts each shard once, and is healthy only when all are served and nothing is reported', () => {
		const status = fc.constantFrom<ShardFacts['status']>(
			'ready',
			'booting',
			'reconnecting',
			'restarting',
			'failed',
			'unresponsive',
		);
		const sessionStatus = fc.constantFrom<SessionFacts['status']>('idle', 'connecting', 'resuming', 'ready', 'refused');
		const state = fc.constantFrom('ready', 'starting', 'backing-off', 'failed', 'unresponsive');
		fc.assert(
			fc.property(
				fc.array(status, { minLength: 4, maxLength: 4 }),
				fc.array(sessionStatus, { minLength: 4, maxLength: 4 }),
				fc.array(state, { minLength: 2, maxLength: 2 }),
				fc.constantFrom('ready', 'backing-off', 'failed'),
				(shardStatuses, sessionStatuses, states, process) => {
					const input = facts({
						shards: shardStatuses.map((each, id) => shard(id, { status: each })),
						workers: states.map((each, id) => worker(id, { state: each })),
						gateways: [
							gateway(
								sessionStatuses.map((each, id) => session(id, { status: each })),
								{ status: process },
							),
						],
					});
					const health = fleetHealth(input);
					const unserved = health.causes.filter(({ effect }) => effect !== 'risk').flatMap(({ shardIds }) => shardIds);
					expect(new Set(unserved).size).toBe(unserved.length);
					expect(health.served + unserved.length).toBe(4);
					expect(health.status === 'healthy').toBe(unserved.length === 0);
					expect(health.status === 'down').toBe(health.served === 0);
				},
			),
		);
	});
});
