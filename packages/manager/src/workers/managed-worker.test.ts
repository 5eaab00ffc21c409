import { type IdentifySlot, workerConfigVariable } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { pino } from 'pino';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type ScriptedProcess, scriptedHost } from '../../test/scripted-host.js';
import { BotVersion } from './bot-version.js';
import { ManagedWorker } from './managed-worker.js';

function startWorker({ startsSessions = true } = {}) {
	const clock = fakeClock();
	const processes: ScriptedProcess[] = [];
	const fate: string[] = [];
	const host = scriptedHost((process) => void processes.push(process));
	const worker = new ManagedWorker({
		workerId: 2,
		shardIds: [4, 5],
		totalShards: 8,
		logger: pino({ level: 'silent' }),
		child: {
			policy: null,
			clock,
			host,
			readyTimeoutMs: 60_000,
			shutdownGraceMs: 10_000,
			heartbeat: { intervalMs: 0, timeoutMs: 0 },
		},
		prepare: async () => ({ gateway: {} as never, startsSessions }),
		spec: (epoch) => ({
			id: 'worker 2',
			file: 'bot.js',
			execArgv: [],
			env: { [workerConfigVariable]: JSON.stringify({ epoch, shardIds: [4, 5] }) },
		}),
		identifyWindowMs: 5000,
		acquireIdentify: async (_, shardId): Promise<IdentifySlot> => ({
			id: shardId,
			shardId,
			sent: () => fate.push(`sent ${shardId}`),
			confirmed: () => fate.push(`confirmed ${shardId}`),
			release: () => fate.push(`released ${shardId}`),
			abandon: () => fate.push(`abandoned ${shardId}`),
		}),
		serve() {},
		version: new BotVersion({ file: 'bot.js' }),
	});
	onTestFinished(() => worker.child.stop({ graceMs: 0 }));
	worker.child.start();
	const process = async () => {
		await expect.poll(() => processes.length).toBeGreaterThan(0);
		return processes.at(-1) as ScriptedProcess;
	};
	return { worker, process, fate, clock };
}

async function logIn({ peer }: ScriptedProcess, shardId: number): Promise<void> {
	const slot = await peer.request('identify.acquire', { shardId }, { timeoutMs: 0 });
	peer.notify('identify.sent', slot);
	peer.notify('identify.confirmed', slot);
	peer.notify('shard.status', { shardId, status: 'ready' });
}

describe('ManagedWorker', () => {
	it('is ready when all of its shards are, and reports each one in the meantime', async () => {
		const { worker, process, fate } = startWorker();
		expect(worker.label).toBe('worker 2 (shards 4-5)');
		const running = await process();
		expect([4, 5].map((id) => worker.status(id))).toEqual(['booting', 'booting']);
		await logIn(running, 4);
		await expect.poll(() => worker.status(4)).toBe('ready');
		expect(worker.child.state).toBe('starting');
		await logIn(running, 5);
		await expect.poll(() => worker.child.state).toBe('ready');
		expect(fate).toEqual(['sent 4', 'confirmed 4', 'sent 5', 'confirmed 5']);
	});

	it.each([true, false])('counts an IDENTIFY as a session start if the ticket does: %s', async (startsSessions) => {
		const { worker, process } = startWorker({ startsSessions });
		const running = await process();
		await logIn(running, 4);
		await expect.poll(() => worker.status(4)).toBe('ready');
		const exited = new Promise<{ spent: boolean }>((resolve) => worker.child.once('exited', resolve));
		running.exit(1);
		expect(await exited).toMatchObject({ spent: startsSessions });
	});

	it('rejects a slot for a shard that is not its own, and abandons the slot of a process that exits', async () => {
		const { process, fate } = startWorker();
		const running = await process();
		await expect(running.peer.request('identify.acquire', { shardId: 9 }, { timeoutMs: 0 })).rejects.toMatchObject({
			code: 'SHARD_NOT_OWNED',
		});
		await running.peer.request('identify.acquire', { shardId: 4 }, { timeoutMs: 0 });
		running.exit(1);
		await expect.poll(() => fate).toEqual(['abandoned 4']);
	});

	it('ignores a report about a shard of another worker', async () => {
		const { worker, process } = startWorker();
		const running = await process();
		const seen: number[] = [];
		worker.on('shard.status', ({ shardId }) => seen.push(shardId));
		running.peer.notify('shard.status', { shardId: 0, status: 'ready' });
		running.peer.notify('shard.status', { shardId: 4, status: 'ready' });
		await expect.poll(() => seen).toEqual([4]);
		expect(worker.status(0)).toBe('booting');
	});

	it('settles a call at once when there is no process to answer, and when the called one exits', async () => {
		const { worker, process } = startWorker();
		await expect(worker.request('sample', null, { timeoutMs: 0 })).rejects.toMatchObject({
			code: 'WORKER_UNAVAILABLE',
			details: { workerId: 2 },
		});
		const running = await process();
		running.peer.handle('sample', () => new Promise(() => {}));
		await logIn(running, 4);
		await logIn(running, 5);
		await expect.poll(() => worker.child.state).toBe('ready');
		const asked = worker.request('sample', null, { timeoutMs: 0 });
		await expect.poll(() => worker.pendingCalls).toBe(1);
		running.exit(1);
		await expect(asked).rejects.toMatchObject({ code: 'CHANNEL_CLOSED' });
		await expect(worker.send('hello')).rejects.toMatchObject({ code: 'WORKER_UNAVAILABLE' });
	});
});
