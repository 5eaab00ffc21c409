// Direct mode: each worker holds the sessions of its shards itself, so every start of a process costs one IDENTIFY a shard.
import { type IdentifySlot, type IdentifyWait, ShardctlError } from '@shardctl/core';
import type { StartRequest } from '../identify/session-starts.js';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { StartTicket } from '../workers/start-ticket.js';
import type { Replacement } from './replacement.js';
import type { ReplaceOptions, SessionMode } from './session-mode.js';
import { type ModeContext, startRequest } from './start-request.js';

export class DirectMode implements SessionMode {
	readonly seamless = false;
	readonly #context: ModeContext;
	/** Shards whose IDENTIFY waits until the day's session starts reset. */
	readonly #waitingForBudget = new Set<number>();

	constructor(context: ModeContext) {
		this.#context = context;
	}

	async start(): Promise<void> {}

	/** The first start is covered by the check of the whole fleet's budget; a restart needs Discord's permission and the budget. */
	async prepare(worker: ManagedWorker, signal: AbortSignal): Promise<StartTicket> {
		const { starts } = this.#context;
		if (worker.child.epoch > 0) {
			const request = startRequest(this.#context, worker, { restart: true });
			await this.#noteWait(worker.shardIds, request, (noted) => starts.beforeRestart(worker.shardIds.length, noted, signal));
		}
		return { gateway: starts.lastGateway, startsSessions: true };
	}

	acquireIdentify(worker: ManagedWorker, shardId: number, signal: AbortSignal): Promise<IdentifySlot> {
		const request = startRequest(this.#context, worker, { restart: worker.child.epoch > 1 });
		return this.#noteWait([shardId], request, (noted) => this.#context.starts.acquireIdentify(shardId, noted, signal));
	}

	waitsForBudget(shardId: number): boolean {
		return this.#waitingForBudget.has(shardId);
	}

	async #noteWait<T>(shardIds: readonly number[], request: StartRequest, start: (noted: StartRequest) => Promise<T>): Promise<T> {
		try {
			return await start({
				...request,
				onDeferred: (state) => {
					for (const id of shardIds) this.#waitingForBudget.add(id);
					request.onDeferred(state);
				},
			});
		} finally {
			for (const id of shardIds) this.#waitingForBudget.delete(id);
		}
	}

	async replace(worker: ManagedWorker, { reason, ...limits }: ReplaceOptions): Promise<void> {
		if (await worker.restart(reason, limits)) return;
		const { id: workerId, shardIds, label, child } = worker;
		throw new ShardctlError(
			'WORKER_NOT_READY',
			`${label} did not become ready again: ${child.lastExit?.message ?? `it is ${child.state}`}`,
			{ details: { workerId, shardIds } },
		);
	}

	async deploy(): Promise<Replacement> {
		throw new ShardctlError('OPTIONS_INVALID', 'a deploy needs gateway processes; start the fleet with gateway "resident"');
	}

	onReady(): void {}

	identifyWaits(): IdentifyWait[] {
		return this.#context.starts.waits();
	}

	health(): 'up' {
		return 'up';
	}

	async stats(): Promise<undefined> {}

	async restartGateways(): Promise<void> {
		throw new ShardctlError(
			'OPTIONS_INVALID',
			'this fleet has no gateway processes; start it with gateway "resident" to have them',
		);
	}

	async stop(): Promise<void> {}
}
