import { EventEmitter } from 'node:events';
import { ShardctlError, type ShardReport } from '@shardctl/core';
import { describe, expect, it } from 'vitest';
import type { ManagedWorker } from './managed-worker.js';
import { RefusalPolicy } from './refusal-policy.js';

/** The parts of a worker that a refusal concerns. */
class ScriptedChild extends EventEmitter {
	state = 'ready';
	nextTryAt: number | null = null;
	failed: unknown;

	fail(_reason: string, error: unknown): void {
		this.state = 'failed';
		this.failed = error;
		this.emit('failed', {});
	}
}

function makePolicy({ isResident }: { isResident: boolean }) {
	const said: string[] = [];
	const refused: ShardctlError[] = [];
	const onTrial = new Set<ManagedWorker>();
	const workers = [0, 1].map((id) =>
		Object.assign(new EventEmitter(), { id, shardIds: [id], child: new ScriptedChild() }),
	) as unknown as (ManagedWorker & { child: ScriptedChild })[];
	const starts = {
		refusal: undefined as ShardctlError | undefined,
		refuse(error: ShardctlError) {
			this.refusal ??= error;
		},
	};
	const policy = new RefusalPolicy({
		starts,
		workers: { workers, decides: (worker) => !onTrial.has(worker) },
		isResident,
		onRefused: (error) => void refused.push(error),
		onAllFailed: (error) => said.push(`all failed: ${error.message}`),
	});
	for (const worker of workers) policy.watch(worker);
	const close = (id: number, closeCode: number) => {
		const report: ShardReport = { shardId: id, status: 'disconnected', closeCode };
		(workers[id] as unknown as EventEmitter).emit('shard.status', report);
	};
	const states = () => workers.map(({ child }) => child.state as string);
	return { policy, workers, close, states, starts, said, refused, onTrial };
}

describe('a worker whose shard is closed', () => {
	it('for good is stopped, and no IDENTIFY follows', () => {
		const { close, states, starts, refused } = makePolicy({ isResident: false });
		close(0, 4014);
		expect(states()).toEqual(['failed', 'ready']);
		expect(starts.refusal).toMatchObject({ code: 'DISCORD_FATAL', details: { shardId: 0, closeCode: 4014 } });
		expect(refused).toEqual([starts.refusal]);
		expect(refused[0]?.message).toMatch(/^Discord refused shard 0 \(4014\): a privileged intent .*; enable it/);
	});

	it('because of its token stops every worker, when each logs in itself', () => {
		const { close, states, said } = makePolicy({ isResident: false });
		close(1, 4004);
		expect(states()).toEqual(['failed', 'failed']);
		expect(said).toEqual([expect.stringMatching(/^all failed: Discord refused shard 1 \(4004\)/)]);
	});

	it('because of its token stops alone when a gateway process holds the session', () => {
		const { close, states, starts, said } = makePolicy({ isResident: true });
		close(1, 4004);
		expect(states()).toEqual(['ready', 'failed']);
		expect(starts.refusal).toBeUndefined();
		expect(said).toEqual([]);
		close(0, 4004);
		expect(said).toEqual([expect.stringMatching(/^all failed: Discord refused shard 0 \(4004\)/)]);
	});

	it('in a way that a reconnect can fix is left running', () => {
		const { close, states, refused } = makePolicy({ isResident: false });
		close(0, 4000);
		expect([states(), refused]).toEqual([['ready', 'ready'], []]);
	});

	it('is handled by the deploy that watches it', () => {
		const { close, states, starts, workers, onTrial } = makePolicy({ isResident: false });
		onTrial.add(workers[0] as ManagedWorker);
		close(0, 4004);
		expect([states(), starts.refusal]).toEqual([['ready', 'ready'], undefined]);
	});

	it('is no longer refused after another process of it was started', () => {
		const { close, said, workers } = makePolicy({ isResident: true });
		close(0, 4014);
		workers[0]?.child.emit('spawned', {});
		workers[0]?.child.fail('policy', undefined);
		workers[1]?.child.fail('policy', undefined);
		expect(said).toEqual([]);
	});
});

it('a refusal of all sessions applies to the fleet, whatever its workers do', () => {
	const { policy, states, starts, said } = makePolicy({ isResident: true });
	policy.refuseFleet(new ShardctlError('DISCORD_FATAL', 'Discord refused shards 0-1 with 4004'));
	expect(states()).toEqual(['ready', 'ready']);
	expect(said).toEqual(['all failed: Discord refused shards 0-1 with 4004']);
	expect(starts.refusal?.code).toBe('DISCORD_FATAL');
});
