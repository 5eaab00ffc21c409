// A fleet without processes: the test sets what the control API reads of it, and it records the requested actions.
import type { DeployOutcome, DeployStats, ManagerStats, ReshardOutcome } from '@shardctl/core';
import type { Fleet, LogEntry, WorkerView } from '../src/fleet/fleet.js';
import type { FleetEventBody } from '../src/fleet/fleet-events.js';

export class FakeFleet implements Fleet {
	readonly name = 'fleet';
	readonly version = '1.2.3';
	totalShards = 4;
	/** Thrown if it is an error. */
	stats: ManagerStats | Error = {
		manager: {
			name: 'fleet',
			pid: 7,
			version: '1.2.3',
			totalShards: 4,
			shardIds: [0, 1, 2, 3],
			workers: 2,
			startedAt: 1000,
			uptimeMs: 5000,
			status: 'running',
			identify: { total: 1000, remaining: 996, resetAt: 9000, maxConcurrency: 1, granted: 4 },
		},
		health: { status: 'healthy', served: 4, shards: 4, causes: [] },
		shards: [],
		workers: [],
	};
	workers: WorkerView[] = [fakeWorker(0, [0, 1]), fakeWorker(1, [2, 3])];
	logs: LogEntry[] = [];
	/** What every call resolves with. */
	outcomes: unknown = [];
	/** What `replaceWorker` resolves with. */
	replaced = true;
	/** The requested actions, in order. */
	readonly actions: unknown[][] = [];
	/** How often its figures were read. */
	timesAsked = 0;
	readonly #onEvent: ((event: FleetEventBody) => void)[] = [];
	readonly #onLog: ((entry: LogEntry) => void)[] = [];

	emit(event: FleetEventBody): void {
		for (const listener of this.#onEvent) listener(event);
	}

	/** A worker writes a line. */
	write(entry: LogEntry): void {
		for (const listener of this.#onLog) listener(entry);
	}

	async getStats(): Promise<ManagerStats> {
		this.timesAsked++;
		if (this.stats instanceof Error) throw this.stats;
		return this.stats;
	}

	async getWorkers(): Promise<readonly WorkerView[]> {
		return this.workers;
	}

	async recentLogs({ shard }: { shard?: number | undefined }): Promise<LogEntry[]> {
		return this.logs.filter(({ shardIds }) => shard === undefined || shardIds.includes(shard));
	}

	onEvent(listener: (event: FleetEventBody) => void): void {
		this.#onEvent.push(listener);
	}

	onLog(listener: (entry: LogEntry) => void): void {
		this.#onLog.push(listener);
	}

	broadcastEval = this.#call('broadcastEval');
	fetchClientValues = this.#call('fetchClientValues');
	call = this.#call('call');

	async replaceWorker(workerId: number, reason: string): Promise<boolean> {
		this.actions.push(['replaceWorker', workerId, reason]);
		return this.replaced;
	}

	respawnAll = this.#act('respawnAll');
	/** The end of each deploy; it rejects or is pending as the test sets it. */
	deployOutcome: Promise<DeployOutcome> = Promise.resolve({ id: 1, tookMs: 5 });

	waits = 0;

	async startDeploy(options: object): Promise<DeployStats> {
		this.actions.push(['startDeploy', options]);
		return deployStats;
	}

	waitForDeploy(): Promise<DeployOutcome> {
		this.waits++;
		return this.deployOutcome;
	}

	async cancelDeploy(...args: unknown[]): Promise<DeployStats> {
		this.actions.push(['cancelDeploy', ...args]);
		return deployStats;
	}

	async reshard(request: object): Promise<ReshardOutcome> {
		this.actions.push(['reshard', request]);
		return { from: 2, to: 4, identifies: 4, estimatedMs: 5000, tookMs: 6000, longestPauseMs: 20 };
	}

	async scale(workers: number): Promise<{ from: number; to: number }> {
		this.actions.push(['scale', workers]);
		return { from: 2, to: workers };
	}

	restartGateways = this.#act('restartGateways');
	restartRest = this.#act('restartRest');
	stop = this.#act('stop');

	#call(name: string): (...args: unknown[]) => Promise<unknown> {
		return async (...args) => {
			this.actions.push([name, ...args]);
			return this.outcomes;
		};
	}

	#act(name: string): (...args: unknown[]) => Promise<void> {
		return async (...args) => {
			this.actions.push([name, ...args]);
		};
	}
}

const deployStats: DeployStats = {
	id: 1,
	state: 'queued',
	stage: 'waiting',
	workerId: null,
	shardIds: [],
	stageMs: 0,
	startedAt: 0,
	tookMs: 0,
	done: 0,
	total: 0,
	error: null,
};

export function fakeWorker(id: number, shardIds: readonly number[]): WorkerView {
	return {
		id,
		label: `worker ${id}`,
		shardIds,
		statuses: shardIds.map(() => 'ready'),
		state: 'ready',
		pid: 100 + id,
		startedAt: 1000,
		restarts: 0,
		leftOutLines: 0,
		lastExit: null,
		sample: undefined,
		cpuSeconds: undefined,
		pendingCalls: 0,
	};
}
