import { fakeClock } from '@shardctl/test-support';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { obedientGateway, type ScriptedGateway, scriptedHost } from '../../test/scripted-host.js';
import { GatewayFleet } from './gateway-fleet.js';

const forever = new AbortController().signal;

function createFleet(script: (gateway: ScriptedGateway) => void = obedientGateway) {
	const clock = fakeClock();
	const processes: ScriptedGateway[] = [];
	const host = scriptedHost(
		() => {},
		(process) => {
			processes.push(process);
			script(process);
		},
	);
	const fleet = new GatewayFleet({
		gateways: [
			[0, 1],
			[2, 3],
		],
		token: 'secret',
		logger: pino({ level: 'silent' }),
		child: {
			policy: null,
			clock,
			host,
			readyTimeoutMs: 60_000,
			shutdownGraceMs: 10_000,
			heartbeat: { intervalMs: 0, timeoutMs: 0 },
		},
		config: () => ({ layout: { generation: 0, totalShards: 4, sessions: 4 } }) as never,
		identifyWindowMs: 5000,
		acquireIdentify: () => new Promise(() => {}),
	});
	onTestFinished(() => fleet.stop({ graceMs: 0 }));
	return { fleet, processes };
}

describe('GatewayFleet', () => {
	it('starts every process, each with its own shards, and knows which one holds a shard', async () => {
		const { fleet, processes } = createFleet();
		expect(fleet.isUp).toBe(false);
		await fleet.start(forever);
		expect(fleet.isUp).toBe(true);
		expect(processes.map(({ config }) => config.shardIds)).toEqual([
			[0, 1],
			[2, 3],
		]);
		expect(fleet.of([3]).id).toBe(1);
		expect(() => fleet.of([9])).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
	});

	it('rejects the start with the reason of the process that failed for good', async () => {
		const { fleet } = createFleet((process) => {
			if (process.config.gatewayId === 1) process.exit(3);
			else obedientGateway(process);
		});
		await expect(fleet.start(forever)).rejects.toMatchObject({
			code: 'WORKERS_FAILED',
			message: expect.stringMatching(/^gateway process 1 \(shards 2-3\) was given up: .*exit code 3/),
		});
	});

	it('rejects the start with the reason of the signal', async () => {
		const { fleet } = createFleet(() => {});
		const stop = new AbortController();
		const started = fleet.start(stop.signal);
		stop.abort(new Error('the manager was stopped'));
		await expect(started).rejects.toThrow('the manager was stopped');
	});

	it('announces a worker to the process of its shards, and again to its successor when that process exits during it', async () => {
		const requests: string[] = [];
		const { fleet, processes } = createFleet((process) => {
			const { gatewayId, epoch } = process.config;
			obedientGateway(process, (method) => requests.push(`${method} ${gatewayId}/${epoch}`));
			if (gatewayId === 1 && epoch === 1) {
				process.peer.handle('worker.expect', () => {
					process.exit(1);
					return new Promise(() => {});
				});
			}
		});
		await fleet.start(forever);
		const announced = fleet.expect({ incarnation: 8, shardIds: [2, 3], crashed: false }, forever);
		await expect.poll(() => fleet.of([2]).child.state).toBe('failed');
		fleet.of([2]).child.start();
		await announced;
		expect(requests).toEqual(['worker.expect 1/2']);
		expect(processes).toHaveLength(3);
		fleet.noteReady({ incarnation: 8, shardIds: [2, 3] }, fleet.of([2]), forever);
		await expect.poll(() => requests).toEqual(['worker.expect 1/2', 'worker.ready 1/2']);
	});

	it('replaces the processes one after the other, and reports which one did not restart', async () => {
		let fails = false;
		const { fleet, processes } = createFleet((process) => {
			if (fails && process.config.gatewayId === 1) process.exit(1);
			else obedientGateway(process);
		});
		await fleet.start(forever);
		await fleet.restart();
		expect(processes.map(({ config }) => `${config.gatewayId}/${config.epoch}`)).toEqual(['0/1', '1/1', '0/2', '1/2']);
		fails = true;
		await expect(fleet.restart()).rejects.toMatchObject({ code: 'WORKER_NOT_READY', details: { gatewayId: 1 } });
	});

	it('returns the figures of each process, with none for one that is gone', async () => {
		const { fleet, processes } = createFleet();
		await fleet.start(forever);
		const exited = new Promise((resolve) => fleet.of([0]).child.once('exited', resolve));
		processes[0]?.exit(1);
		await exited;
		const [gone, there] = await fleet.stats(fleet.of([2]).child.startedAt as number);
		expect(gone).toMatchObject({ id: 0, pid: null, startedAt: null, uptimeMs: 0, rssBytes: null, shardIds: [0, 1] });
		expect(there).toMatchObject({ id: 1, status: 'ready', uptimeMs: 0, rssBytes: 1, restarts: 0 });
	});
});
