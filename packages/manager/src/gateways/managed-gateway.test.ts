import { WorkerPaths } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { obedientGateway, type ScriptedGateway, scriptedHost } from '../../test/scripted-host.js';
import { ManagedGateway } from './managed-gateway.js';

const forever = new AbortController().signal;

/** A slot that records its outcome. */
function slotOf(shardId: number, fate: string[]) {
	const note = (what: string) => () => void fate.push(`${what} ${shardId}`);
	return {
		id: 7,
		shardId,
		sent: note('sent'),
		confirmed: note('confirmed'),
		release: note('released'),
		abandon: note('abandoned'),
	};
}

async function startGateway(script: (gateway: ScriptedGateway) => void = obedientGateway) {
	const clock = fakeClock();
	const processes: ScriptedGateway[] = [];
	const fate: string[] = [];
	const host = scriptedHost(
		() => {},
		(process) => {
			processes.push(process);
			script(process);
		},
	);
	const gateway = new ManagedGateway({
		gatewayId: 3,
		shardIds: [6, 7],
		token: 'secret',
		logger: pino({ level: 'silent' }),
		paths: new WorkerPaths('secret'),
		child: {
			policy: null,
			clock,
			host,
			readyTimeoutMs: 60_000,
			shutdownGraceMs: 10_000,
			heartbeat: { intervalMs: 0, timeoutMs: 0 },
		},
		config: () => ({ layout: { generation: 0, totalShards: 8, sessions: 8 } }) as never,
		identifyWindowMs: 5000,
		acquireIdentify: async (session) => slotOf(session, fate),
	});
	onTestFinished(() => gateway.stop({ graceMs: 0 }));
	await gateway.open();
	gateway.child.start();
	await gateway.whenReady(forever);
	return { gateway, processes, fate, clock };
}

describe('ManagedGateway', () => {
	it('gives its process the shards it holds, and workers an address with their own path', async () => {
		const { gateway, processes } = await startGateway();
		expect(processes[0]?.config).toMatchObject({ gatewayId: 3, epoch: 1, shardIds: [6, 7] });
		expect(gateway.label).toBe('gateway process 3 (shards 6-7)');
		const info = gateway.infoFor(12, 8);
		expect(info.url).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/worker\/12\/[\w-]{22}$/);
		expect(info).toMatchObject({ shards: 8, session_start_limit: { max_concurrency: 8 } });
	});

	it('keeps its address and the Discord sessions through a restart', async () => {
		const shutdowns: unknown[] = [];
		const { gateway, processes } = await startGateway((process) => {
			obedientGateway(process);
			process.peer.handle('shutdown', (params) => {
				shutdowns.push(params);
				queueMicrotask(() => process.exit(0));
				return null;
			});
		});
		const { url } = gateway.infoFor(1, 8);
		expect(await gateway.restart()).toBe(true);
		expect(gateway.infoFor(1, 8).url).toBe(url);
		expect(processes.map(({ config }) => config.epoch)).toEqual([1, 2]);
		await gateway.stop({});
		expect(shutdowns).toEqual([
			expect.objectContaining({ keepSessions: true }),
			expect.objectContaining({ keepSessions: false }),
		]);
	});

	it('follows an identify slot from the grant to READY, and marks the process as one that spent a session start', async () => {
		const { gateway, processes, fate } = await startGateway();
		const [process] = processes as [ScriptedGateway];
		const slot = await process.peer.request('identify.acquire', { session: 6 }, { timeoutMs: 0 });
		process.peer.notify('identify.sent', slot);
		process.peer.notify('identify.confirmed', slot);
		await expect.poll(() => fate).toEqual(['sent 6', 'confirmed 6']);
		const exited = new Promise<{ spent: boolean }>((resolve) => gateway.child.once('exited', resolve));
		process.exit(1);
		expect(await exited).toMatchObject({ spent: true });
	});

	it('abandons the slot of a process that exits, because it may have sent IDENTIFY', async () => {
		const { processes, fate } = await startGateway();
		const [process] = processes as [ScriptedGateway];
		await process.peer.request('identify.acquire', { session: 7 }, { timeoutMs: 0 });
		process.exit(1);
		await expect.poll(() => fate).toEqual(['abandoned 7']);
	});

	it('forwards notices, and has no figures while its process is gone', async () => {
		const { gateway, processes } = await startGateway();
		const notices: unknown[] = [];
		gateway.on('notice', (notice) => notices.push(notice));
		const notice = { shardIds: [6], kind: 'upstream:ready', message: 'connected' } as const;
		processes[0]?.peer.notify('notice', notice);
		await expect.poll(() => notices).toEqual([notice]);
		expect(await gateway.stats()).toMatchObject({ rssBytes: 1 });
		const exited = new Promise((resolve) => gateway.child.once('exited', resolve));
		processes[0]?.exit(1);
		await exited;
		expect(await gateway.stats()).toEqual({ rssBytes: null, cpuSeconds: null, sessions: [], shards: [] });
		await expect(gateway.request('ping', null, { timeoutMs: 0 })).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
	});
});
