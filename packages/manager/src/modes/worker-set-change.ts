// Replaces all workers of a fleet by those of another shard count, without a gap: the new ones boot beside the present ones, receive READY
// while no event flows, and are the workers once all of them are ready and everything is saved. Until the decision nothing has happened
// but that events waited for a moment. The gateway processes have the other half of the machine (`ShardChange` of packages/gateway).
//
//   announcing ─▶ booting ─▶ cutting ─▶ presenting ─▶ sealing ──decided──▶ releasing ─▶ committing ─▶ done
//       └───────────┴───────────┴───────────┴───────────┴──a failure, or called off──▶ dropping ─▶ dropped
//
//   announcing   each gateway process makes the new shards
//   booting      the new workers boot until they wait for READY
//   cutting      each gateway process keeps events back until the present workers have confirmed those before
//   presenting   the new workers receive READY and their guilds; every shard of them has to become ready
//   sealing      each gateway process saves the new shards
//   releasing    the new workers are the workers: from here on there is no way back. The present ones log out
//   committing   each gateway process continues its streams to the new workers as soon as its present ones have logged out
//
// A gateway process that dies before the decision ends the change. One that dies after it starts again with the new shards.
import {
	type Clock,
	deferred,
	describeFatalClose,
	type GatewayMethods,
	type Layout,
	messageOf,
	orAborted,
	ShardctlError,
	type ShardReport,
} from '@shardctl/core';
import type { ExitReport, SupervisedChild } from '@shardctl/supervisor';
import type { ManagedGateway } from '../gateways/managed-gateway.js';
import type { ManagedWorker } from '../workers/managed-worker.js';

export type WorkerSetChangeState =
	| 'announcing'
	| 'booting'
	| 'cutting'
	| 'presenting'
	| 'sealing'
	| 'releasing'
	| 'committing'
	| 'done'
	| 'dropping'
	| 'dropped';

/** A worker, as far as the change is concerned. */
export type ChangingWorker = Pick<ManagedWorker, 'label' | 'shardIds' | 'on' | 'off'> & {
	readonly child: Pick<SupervisedChild, 'state' | 'lastExit' | 'start' | 'stop' | 'on' | 'off'>;
};

/** One gateway process, with the workers of its shards. */
export interface ChangingGateway<Worker extends ChangingWorker> {
	gateway: Pick<ManagedGateway, 'request' | 'label' | 'restart'> & { readonly child: Pick<SupervisedChild, 'on' | 'off'> };
	/** Of the new shard count. */
	shardIds: readonly number[];
	present: readonly Worker[];
	/** Not started. */
	next: readonly { worker: Worker; incarnation: number }[];
}

export interface WorkerSetChangeOptions<Worker extends ChangingWorker> {
	gateways: readonly ChangingGateway<Worker>[];
	/** With the new shard count. */
	layout: Layout;
	clock: Clock;
	/** Calls it off until the decision; afterwards only the end of the manager does. */
	signal: AbortSignal;
	/** Aborts when the manager stops. */
	stopped: AbortSignal;
	/** Writes the decision down; the new workers are the workers from here on. What it throws ends the change, and nothing has happened. */
	onDecided(): void;
	onState?(state: WorkerSetChangeState): void;
}

export interface WorkerSetChanged {
	/** The longest time for which a gateway process kept events back. */
	pausedMs: number;
	/** Events that were kept back. */
	held: number;
}

const forever = Number.POSITIVE_INFINITY;

export class WorkerSetChange<Worker extends ChangingWorker = ManagedWorker> {
	readonly #options: WorkerSetChangeOptions<Worker>;
	#state: WorkerSetChangeState = 'announcing';
	/** Aborts with the first failure before the decision. */
	readonly #failure = new AbortController();
	/** Why a gateway process had dropped the new shards before it was asked to: what happened to their workers came after it. */
	#dropped: string | undefined;
	#stepMs = stepLimitMs(0);

	constructor(options: WorkerSetChangeOptions<Worker>) {
		this.#options = options;
	}

	get state(): WorkerSetChangeState {
		return this.#state;
	}

	/** Resolves in `done`; rejects with `RESHARD_FAILED` in `dropped`. Called once. */
	async run(): Promise<WorkerSetChanged> {
		const unwatch = this.#watch();
		try {
			await this.#prepare();
			this.#failure.signal.throwIfAborted();
			this.#options.onDecided();
		} catch (error) {
			unwatch();
			await this.#drop();
			throw this.#failed(error);
		}
		unwatch();
		return this.#finish();
	}

	async #prepare(): Promise<void> {
		const { gateways, layout, clock } = this.#options;
		const workers = this.#next;
		const booted = workers.map((worker) => happened(worker, 'booted'));
		const unready = new Set(workers);
		const ready = workers.map(async (worker) => {
			await happened(worker.child, 'ready');
			unready.delete(worker);
		});
		this.#enter('announcing');
		const begun = await this.#all(
			gateways.map(({ gateway, shardIds, next }) => {
				const incarnations = next.map(({ worker, incarnation }) => ({ incarnation, shardIds: worker.shardIds }));
				return gateway.request('shards.begin', { layout, shardIds, workers: incarnations }, this.#asked);
			}),
		);
		this.#stepMs = stepLimitMs(begun.reduce((sum, { guilds }) => sum + guilds, 0));
		this.#enter('booting');
		for (const { child } of workers) child.start();
		await this.#all(booted);
		this.#enter('cutting');
		await this.#askAll('shards.cut', { ...this.#which, sealedWithinMs: stepsWhileEventsWait * this.#stepMs + marginMs });
		this.#enter('presenting');
		const late = clock.setTimeout(
			() => this.#fail(this.#notInTime(`the new ${[...unready].map(({ label }) => label).join(', ')}`)),
			this.#stepMs,
		);
		await this.#all(ready).finally(() => clock.clearTimeout(late));
		this.#enter('sealing');
		await this.#askAll('shards.seal', this.#which);
	}

	async #finish(): Promise<WorkerSetChanged> {
		const { gateways, stopped } = this.#options;
		this.#enter('releasing');
		const left = new Set(gateways);
		const done = gateways.map(async (place) => {
			const { gateway, present } = place;
			const asked = { timeoutMs: forever, signal: stopped };
			// A process that logs out does so after its last handlers; the streams need not wait for its end.
			const released = gateway.request('shards.released', this.#which, asked);
			const gone = Promise.all(present.map(({ child }) => child.stop()));
			await orAborted(Promise.race([released.catch(() => gone), gone]), stopped);
			left.delete(place);
			if (left.size === 0) this.#enter('committing');
			const outcome = await gateway.request('shards.commit', this.#which, asked).catch((error: unknown) => error);
			await gone;
			if (!(outcome instanceof Error)) return outcome as WorkerSetChanged;
			stopped.throwIfAborted();
			// One that has died is followed by another, which starts with the new shards; so does one that cannot continue.
			if (!hasDied(outcome)) await gateway.restart();
			return { pausedMs: 0, held: 0 };
		});
		const outcomes = await Promise.all(done);
		this.#enter('done');
		return {
			pausedMs: Math.max(0, ...outcomes.map(({ pausedMs }) => pausedMs)),
			held: outcomes.reduce((sum, { held }) => sum + held, 0),
		};
	}

	/** The present workers continue; nothing is left of the new ones. */
	async #drop(): Promise<void> {
		this.#enter('dropping');
		const { gateways } = this.#options;
		const asked = { timeoutMs: dropTimeoutMs };
		// A gateway process that does not answer has died, and the next one knows nothing of the new shards.
		const dropped = gateways.map(async ({ gateway }) => {
			const before = await gateway.request('shards.drop', this.#which, asked).catch(() => null);
			if (before?.reason) this.#dropped ??= `${gateway.label}: ${before.reason}`;
		});
		await Promise.all([...dropped, ...this.#next.map(({ child }) => child.stop({ graceMs: 0 }))]);
		this.#enter('dropped');
	}

	get #next(): readonly Worker[] {
		return this.#options.gateways.flatMap(({ next }) => next.map(({ worker }) => worker));
	}

	get #which(): { generation: number } {
		return { generation: this.#options.layout.generation };
	}

	/** For a request before the decision. Each state ends by the limits of who is asked, and of the processes that boot. */
	get #asked(): { timeoutMs: number; signal: AbortSignal } {
		return { timeoutMs: forever, signal: this.#failure.signal };
	}

	/** Asks all gateway processes for a step, while the events of those that have answered wait. */
	async #askAll<Step extends 'shards.cut' | 'shards.seal'>(step: Step, params: GatewayMethods[Step]['params']): Promise<void> {
		await this.#all(
			this.#options.gateways.map(async ({ gateway }) => {
				const answer = gateway.request(step, params, { ...this.#asked, timeoutMs: this.#stepMs });
				await answer.catch((error: unknown) => {
					if (!ShardctlError.is(error) || error.code !== 'CALL_TIMEOUT') throw error;
					throw this.#notInTime(gateway.label);
				});
			}),
		);
	}

	/** Rejects with the first failure. */
	#all<Result>(work: readonly Promise<Result>[]): Promise<Result[]> {
		return orAborted(Promise.all(work), this.#failure.signal);
	}

	#notInTime(who: string): ShardctlError {
		const { totalShards } = this.#options.layout;
		return notReady(
			`events would have waited too long for ${who}, which took more than ${this.#stepMs / 1000} s; repeat it when the machine has less to do, or stop the fleet and start it with --shards ${totalShards}`,
		);
	}

	#fail(error: unknown): void {
		if (!this.#failure.signal.aborted) this.#failure.abort(error);
	}

	/** Follows what can end the change before its decision. */
	#watch(): () => void {
		const { signal, gateways } = this.#options;
		const undo: (() => void)[] = [];
		const onAbort = () => this.#fail(signal.reason);
		signal.addEventListener('abort', onAbort, { once: true });
		undo.push(() => signal.removeEventListener('abort', onAbort));
		if (signal.aborted) onAbort();
		for (const worker of this.#next) {
			const { child, label } = worker;
			const onExited = ({ message }: ExitReport) => this.#fail(notReady(`the new ${label} ended: ${message}`));
			const onGivenUp = ({ reason }: { reason: string }) => this.#fail(notReady(`the new ${label} was given up: ${reason}`));
			const onStatus = ({ shardId, status, closeCode }: ShardReport) => {
				if (status === 'disconnected') this.#fail(refused(`shard ${shardId} of the new ${label}`, closeCode));
			};
			child.on('exited', onExited);
			child.on('failed', onGivenUp);
			worker.on('shard.status', onStatus);
			undo.push(() => {
				child.off('exited', onExited);
				child.off('failed', onGivenUp);
				worker.off('shard.status', onStatus);
			});
		}
		for (const { gateway } of gateways) {
			const onExited = ({ message }: ExitReport) => this.#fail(notReady(`${gateway.label} ended: ${message}`));
			gateway.child.on('exited', onExited);
			undo.push(() => gateway.child.off('exited', onExited));
		}
		return () => {
			for (const each of undo) each();
		};
	}

	#failed(error: unknown): ShardctlError {
		const { signal } = this.#options;
		const cause = this.#failure.signal.aborted ? this.#failure.signal.reason : error;
		// A gateway process has said the rest already.
		const first = (ShardctlError.is(cause) && (cause.details.reason as string | undefined)) || messageOf(cause);
		const reason = signal.aborted ? first : (this.#dropped ?? first);
		return new ShardctlError(
			'RESHARD_FAILED',
			`the workers were not replaced, and the present ones keep running: ${reason}; no event was lost`,
			{ details: { reason }, cause: error },
		);
	}

	#enter(state: WorkerSetChangeState): void {
		this.#state = state;
		this.#options.onState?.(state);
	}
}

const dropTimeoutMs = 15_000;
/** From the cut of the first gateway process on: the cut of the others, until the new workers are ready, and saving. */
const stepsWhileEventsWait = 3;
/** By how much a gateway process waits longer for a word from the manager than that takes, whose error names who was slow. */
const marginMs = 10_000;
const perThousandGuildsMs = 2000;
const maxStepMs = 120_000;

/**
 * How long each step may take for which events wait. All workers read their guilds at the same time, on the processors that there are, so it
 * follows from the guilds of the fleet.
 */
function stepLimitMs(guilds: number): number {
	return Math.min(10_000 + Math.ceil(guilds / 1000) * perThousandGuildsMs, maxStepMs);
}

function happened(source: { on(event: never, listener: () => void): unknown }, event: string): Promise<void> {
	const happening = deferred();
	source.on(event as never, () => happening.resolve());
	return happening.promise;
}

function hasDied(error: Error): boolean {
	return ShardctlError.is(error) && (error.code === 'CHANNEL_CLOSED' || error.code === 'WORKER_UNAVAILABLE');
}

function refused(shard: string, closeCode: number | undefined): ShardctlError {
	const why = `${shard} was closed with ${describeFatalClose(closeCode)}`;
	return notReady(
		closeCode === 4014 ? `${why}; deploy a version that requests more intents before the shard count changes` : why,
	);
}

function notReady(message: string): ShardctlError {
	return new ShardctlError('WORKER_NOT_READY', message);
}
