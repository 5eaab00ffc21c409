// Processes that send their manager what the contract does not allow: one link ends or one request is rejected, with a code, and the
// manager and all other processes stay as they are. `FUZZ_INPUTS` is the number of random messages (default 10,000).
import { type ErrorCode, type IdentifySlot, WorkerPaths, workerConfigVariable } from '@shardctl/core';
import { gatewaySchemas, workerSchemas } from '@shardctl/core/schemas';
import type { ExitReport } from '@shardctl/supervisor';
import { fakeClock, hostileIpc, seededRandom, waitFor } from '@shardctl/test-support';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ManagedGateway } from '../src/gateways/managed-gateway.js';
import { BotVersion } from '../src/workers/bot-version.js';
import { ManagedWorker } from '../src/workers/managed-worker.js';
import { startFleet } from './fleet.js';
import { obedientGateway, type ScriptedGateway, type ScriptedProcess, scriptedHost } from './scripted-host.js';

const child = {
	policy: null,
	readyTimeoutMs: 60_000,
	shutdownGraceMs: 10_000,
	heartbeat: { intervalMs: 0, timeoutMs: 0 },
};

interface Warnings {
	lines: { msg: string; code?: string }[];
	logger: ReturnType<typeof pino>;
}

function warnings(): Warnings {
	const lines: Warnings['lines'] = [];
	return { lines, logger: pino({ level: 'warn' }, { write: (line: string) => lines.push(JSON.parse(line)) }) };
}

const slot = (shardId: number): IdentifySlot => ({ id: shardId, shardId, sent() {}, confirmed() {}, release() {}, abandon() {} });

/** A worker whose process is played by the test. */
async function startWorker() {
	const { lines, logger } = warnings();
	const processes: ScriptedProcess[] = [];
	const worker = new ManagedWorker({
		workerId: 0,
		version: new BotVersion({ file: 'bot.js' }),
		shardIds: [0, 1],
		totalShards: 8,
		logger,
		child: { ...child, clock: fakeClock(), host: scriptedHost((process) => void processes.push(process)) },
		prepare: async () => ({ gateway: {} as never, startsSessions: true }),
		spec: (epoch) => ({
			id: 'worker 0',
			file: 'bot.js',
			execArgv: [],
			env: { [workerConfigVariable]: JSON.stringify({ epoch, shardIds: [0, 1] }) },
		}),
		identifyWindowMs: 5000,
		acquireIdentify: async (_, shardId) => slot(shardId),
		serve(peer) {
			peer.handle('broadcastEval', () => null);
			peer.handle('fetchClientValues', () => null);
			peer.handle('call', () => null);
			peer.handle('respawnShard', () => true);
			peer.handle('respawnAll', () => null);
			peer.handle('getShardStats', () => []);
		},
	});
	const exits: ExitReport[] = [];
	worker.child.on('exited', (report) => exits.push(report));
	worker.child.start();
	await settled();
	return { worker, process: processes[0] as ScriptedProcess, exits, lines };
}

async function startGateway() {
	const { lines, logger } = warnings();
	const processes: ScriptedGateway[] = [];
	const host = scriptedHost(
		() => {},
		(process) => {
			processes.push(process);
			obedientGateway(process);
		},
	);
	const gateway = new ManagedGateway({
		gatewayId: 0,
		shardIds: [0, 1],
		token: 'secret',
		paths: new WorkerPaths('secret'),
		logger,
		child: { ...child, clock: fakeClock(), host },
		config: () => ({ layout: { generation: 0, totalShards: 2, sessions: 2 } }) as never,
		identifyWindowMs: 5000,
		acquireIdentify: async (session) => slot(session),
	});
	const exits: ExitReport[] = [];
	gateway.child.on('exited', (report) => exits.push(report));
	gateway.child.start();
	await settled();
	return { gateway, process: processes[0] as ScriptedGateway, exits, lines };
}

async function settled(): Promise<void> {
	for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Invalid for every event, as each has an object with at least one required field. */
const wrongForAll = [null, [], 'x', 7, true, {}, { library: 5, slotId: '1', shardId: -1, session: 1.5, id: null, port: 'x' }];
const wrongFor: Record<string, unknown[]> = {
	'shard.status': [
		{ shardId: 0, status: 'toString' },
		{ shardId: 0, status: '\u001b]0;PWN\u0007evil' },
		{ shardId: '0', status: 'ready' },
		{ shardId: 0, status: 'disconnected', closeCode: 'x' },
	],
	sample: [
		{ rssBytes: 1, cpuSeconds: 1 },
		{ shards: [null], rssBytes: 1, heapUsedBytes: 1, cpuPercent: 1, cpuSeconds: 1, loopDelayP99Ms: 1, uptimeMs: 1 },
		{ shards: {}, rssBytes: 1, heapUsedBytes: 1, cpuPercent: 1, cpuSeconds: 1, loopDelayP99Ms: 1, uptimeMs: 1 },
	],
	problem: [{ code: 'toString', message: 'x', fatal: true }],
	notice: [
		{ shardIds: [0], kind: '__proto__', message: 'x' },
		{ shardIds: 'all', kind: 'worker:slow', message: 'x' },
	],
	'session.started': [{ session: 0, terms: null }],
};

function casesOf(events: object): [string, unknown][] {
	return Object.keys(events).flatMap((event) =>
		[...wrongForAll, ...(wrongFor[event] ?? [])].map((payload): [string, unknown] => [event, payload]),
	);
}

describe('an event of the wrong shape', () => {
	test.each(casesOf(workerSchemas.events))('finding 4: "%s" with %j ends the link of that worker', async (event, payload) => {
		const { worker, process, exits } = await startWorker();
		process.sendRaw(['@shardctl', 1, [4, event, payload]]);
		await settled();
		expect(exits).toMatchObject([{ reason: 'protocol-error', message: expect.stringContaining(`the payload of "${event}"`) }]);
		expect(exits[0]?.message).toContain('PROTOCOL_ERROR');
		expect([worker.sample, worker.library]).toEqual([undefined, undefined]);
	});

	test.each(casesOf(gatewaySchemas.events))(
		'finding 4: "%s" with %j ends the link of that gateway process',
		async (event, payload) => {
			const { process, exits } = await startGateway();
			process.sendRaw(['@shardctl', 1, [4, event, payload]]);
			await settled();
			expect(exits).toMatchObject([{ reason: 'protocol-error', message: expect.stringContaining(`the payload of "${event}"`) }]);
		},
	);

	test('finding 4: figures that a gateway process invents are not shown, and end its link', async () => {
		const { gateway, process, exits } = await startGateway();
		process.peer.handle('stats', () => ({ rssBytes: 'x' }) as never);
		expect(await gateway.stats()).toMatchObject({ rssBytes: null });
		await settled();
		expect(exits).toMatchObject([{ reason: 'protocol-error' }]);
	});

	test('fields that a later version adds to an event are dropped, and an unknown event is ignored', async () => {
		const { worker, process, exits } = await startWorker();
		process.sendRaw(['@shardctl', 1, [4, 'attached', { library: 'a 1', more: 1 }], [4, 'teleported', { to: 1 }]]);
		await settled();
		expect([worker.library, exits]).toEqual(['a 1', []]);
	});
});

describe('a request with invalid params', () => {
	test.each(Object.keys(workerSchemas.params))(
		'finding 4: "%s" is refused with a code and reported, and its process runs on',
		async (method) => {
			const { process, exits, lines } = await startWorker();
			const refused = await process.peer.request(method as 'call', 5 as never, { timeoutMs: 0 }).catch((error: unknown) => error);
			expect((refused as { code: ErrorCode }).code).toBe('PROTOCOL_ERROR');
			expect(lines).toMatchObject([{ code: 'PROTOCOL_ERROR', msg: expect.stringContaining(`the params of "${method}"`) }]);
			expect(exits).toEqual([]);
		},
	);

	test('a process that sends 101 of them is ended, with one line in the log', async () => {
		const { process, exits, lines } = await startWorker();
		const asked = Array.from({ length: 101 }, () =>
			process.peer.request('respawnShard', null as never, { timeoutMs: 0 }).catch((error: unknown) => error),
		);
		await settled();
		expect(exits).toMatchObject([{ reason: 'protocol-error' }]);
		expect(lines).toHaveLength(1);
		process.peer.close();
		await Promise.all(asked);
	});
});

describe('random messages', () => {
	const inputs = Number(process.env.FUZZ_INPUTS ?? 10_000);

	test.each([['worker', startWorker, workerSchemas] as const, ['gateway process', startGateway, gatewaySchemas] as const])(
		'of a %s end only its process, and never throw in the manager',
		async (_, start, { events, params }) => {
			const { message } = hostileIpc({ random: seededRandom(16), events: Object.keys(events), methods: Object.keys(params) });
			let ended = 0;
			let rig = await start();
			for (let sent = 0; sent < inputs; sent++) {
				rig.process.sendRaw(message(1));
				if (sent % 8 !== 0) continue;
				await settled();
				if (rig.exits.length === 0) continue;
				expect(rig.exits[0]?.reason).toBe('protocol-error');
				expect(rig.exits[0]?.message.length).toBeLessThan(1000);
				ended++;
				rig = await start();
			}
			expect(ended).toBeGreaterThan(inputs / 100);
		},
	);
});

describe('a bot that sends raw frames to a real manager', () => {
	test.each(['direct', 'resident'] as const)('finding 4: loses only its own worker in %s mode', async (gateway) => {
		const { manager } = await startFleet('evil-bot.mjs', { gateway, respawn: { initialDelayMs: 10, maxDelayMs: 20 } });
		const exits: string[] = [];
		manager.on('worker:exited', ({ workerId, report }) => exits.push(`${workerId} ${report.reason}`));
		const neighbour = manager.workers[1]?.child.pid;
		const frames = [
			[4, 'attached', null],
			[4, 'sample', { rssBytes: 1, cpuSeconds: 1 }],
			[4, 'shard.status', { shardId: 0, status: 'toString' }],
			[4, 'identify.sent', null],
		];
		for (const [round, frame] of frames.entries()) {
			const epoch = manager.workers[0]?.epoch as number;
			// The call may lose its reply with the process.
			await manager.call('send', [epoch, frame], { shard: 0, settle: true });
			await waitFor('the end of the worker', () => exits.length === round + 1);
			await waitFor('its successor', () => manager.status === 'running');
		}
		expect(exits).toEqual(frames.map(() => '0 protocol-error'));
		expect(manager.workers[1]?.child.pid).toBe(neighbour);
		const [stats] = (await manager.getStats()).shards;
		expect(stats).toMatchObject({ status: 'ready', lastExit: { reason: 'protocol-error' } });
	});
});

test('an error of the manager on an event of a worker ends the link of that worker', async () => {
	const { worker, process, exits, lines } = await startWorker();
	worker.on('attached', () => {
		throw new TypeError('a bug');
	});
	process.peer.notify('attached', { library: 'x' });
	await settled();
	expect(exits).toMatchObject([{ reason: 'protocol-error', message: expect.stringContaining('a bug (INTERNAL)') }]);
	expect(lines[0]?.msg).toBe('the manager failed to handle "attached" of worker 0 (shards 0-1); please report this');
	onTestFinished(() => worker.child.stop({ graceMs: 0 }));
});
