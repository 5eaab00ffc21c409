// Replaces the workers of a fleet in resident mode, one replacement of the same worker at a time: by a hand-over without a gap, or, where
// the old process is in the way of the new one, by ending it first while the gateway process keeps the events.
import { messageOf, orAborted, ShardctlError } from '@shardctl/core';
import type { GatewayFleet } from '../gateways/gateway-fleet.js';
import { HandOver } from '../gateways/hand-over.js';
import type { HandOverState } from '../gateways/hand-over-state.js';
import type { ResolvedManagerOptions } from '../options/manager-options.js';
import type { RestartOptions } from '../workers/bot-version.js';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { addressInUse, holdsAddress } from '../workers/port-holder.js';
import type { WorkerFleet } from '../workers/worker-fleet.js';
import { hasCrashed } from './crashed.js';
import { Replacement } from './replacement.js';
import { restartOrReject } from './restart-or-reject.js';
import type { DeployReplaceOptions, ReplaceOptions } from './session-mode.js';
import type { ModeContext } from './start-request.js';
import { WorkerTurns } from './worker-turns.js';

/** Above what the gateway process itself allows. */
const drainTimeoutMs = 15_000;

/** How long an old process that does not acknowledge its events may take to answer a question. */
const answerTimeoutMs = 5000;

/** An old process that has to end before the new one is started. */
interface Obstacle {
	worker: ManagedWorker;
	/** Its event loop is blocked. */
	hangs: boolean;
	/** For people; absent where that was asked for. */
	reason?: string;
}

/** What the error of a hand-over has in its details. */
interface HandOverFailure {
	stderrTail?: string[];
	unacknowledged?: boolean;
}

export interface WorkerReplacerOptions extends Pick<ModeContext, 'emit'> {
	options: ResolvedManagerOptions;
	workers: WorkerFleet;
	gateways: GatewayFleet;
	/** Aborts when the manager stops. */
	signal: AbortSignal;
	/** The number of the process that a worker has. */
	incarnationOf(worker: ManagedWorker): number;
	/** Gives the next process of a worker its number. */
	assignIncarnation(worker: ManagedWorker): number;
	/** What Discord refused may be tried again for the sessions of these shards. */
	allowSessions(shardIds: readonly number[]): void;
	/** Why Discord does not serve these shards; undefined once it does. */
	whyNotServed(shardIds: readonly number[]): Promise<string | undefined>;
}

export class WorkerReplacer {
	readonly #options: WorkerReplacerOptions;
	readonly #turns = new WorkerTurns();

	constructor(options: WorkerReplacerOptions) {
		this.#options = options;
	}

	/**
	 * One replacement at a time of the same worker. Resolves without one where all workers were replaced by those of another shard count
	 * meanwhile, whose ids begin at 0 again.
	 */
	replace({ id, totalShards }: ManagedWorker, { reason }: ReplaceOptions): Promise<void> {
		return this.#turns.take(id, this.#options.signal, async () => {
			if (this.#options.workers.byId(id)?.totalShards !== totalShards) return;
			const obstacle = await this.#handOver(id, {});
			if (!obstacle) return;
			await this.#end(obstacle);
			await this.#restart(obstacle.worker, reason);
			await this.#needServed(obstacle.worker);
		});
	}

	/** Meanwhile none of these workers is replaced. */
	whileNoneIsReplaced(workerIds: readonly number[], work: () => Promise<void>): Promise<void> {
		return this.#turns.takeAll(workerIds, this.#options.signal, work);
	}

	/** Until the replacement is over nothing else replaces the worker. */
	deploy({ id }: ManagedWorker, options: DeployReplaceOptions): Promise<Replacement> {
		return this.#turns.hold(id, this.#options.signal, () => this.#deploy(id, options));
	}

	async #deploy(workerId: number, options: DeployReplaceOptions): Promise<Replacement> {
		const { first, signal, onStage } = options;
		if (first === 'stop') return this.#stopFirst({ worker: this.#workerOf(workerId), hangs: false }, options);
		let replacement: Replacement | undefined;
		let obstacle: Obstacle | undefined;
		try {
			obstacle = await this.#handOver(workerId, {
				signal,
				onState: (state) => {
					const stage = handOverStages[state];
					if (stage !== undefined) onStage(stage);
				},
				onTakeOver: (successor, old) => {
					replacement = this.#replacement(successor, old);
				},
			});
		} catch (error) {
			// It took over, and Discord does not serve its shards.
			await replacement?.undo();
			throw error;
		}
		if (obstacle) return this.#stopFirst(obstacle, options);
		if (replacement) return replacement;
		throw new ShardctlError('INTERNAL', 'a hand-over ended without a take-over');
	}

	#replacement(successor: ManagedWorker, old: ManagedWorker | null, { hasToStart = false } = {}): Replacement {
		const { workers } = this.#options;
		return new Replacement({
			successor,
			old,
			hasToStart,
			bringBack: (kept) => this.#bringBack(kept, successor),
			startAgain: () => this.#startAgain(successor),
			beginTrial: () => workers.beginTrial(successor),
			onOver: () => {
				if (old) workers.dismiss(old);
			},
		});
	}

	/**
	 * Ends the old process, then starts the new one, while the gateway process keeps the events. Resolves when that is ready, has failed,
	 * or is called off: from the end of the old process on only the replacement leads back.
	 */
	async #stopFirst(obstacle: Obstacle, { signal, onStage }: DeployReplaceOptions): Promise<Replacement> {
		const { worker, reason } = obstacle;
		signal.throwIfAborted();
		const why = reason === undefined ? '' : `${reason}: `;
		onStage(`${why}waiting for the old process to end and the new one to be ready; events wait meanwhile`);
		const replacement = this.#replacement(worker, null, { hasToStart: true });
		await this.#end(obstacle);
		const ready = this.#restart(worker, 'deploy')
			.then(() => this.#needServed(worker))
			.catch((error: unknown) => replacement.fail(messageOf(error)));
		await orAborted(ready, signal).catch(() => {});
		return replacement;
	}

	/** Ends the new process, if there is one, and starts the version before. */
	async #startAgain(worker: ManagedWorker): Promise<void> {
		const { child } = worker;
		await this.#drain(worker);
		if (child.state === 'draining' || child.state === 'exited' || child.state === 'stopped') {
			// It may be ending for good, because an old process was to be the worker again, and has ended as well.
			await child.stop();
			child.start();
		}
		await this.#restart(worker, 'the deploy was rolled back', { version: 'previous' });
		const { id: workerId, shardIds } = worker;
		this.#options.emit('worker:rolled-back', {
			workerId,
			shardIds,
			reason: 'it was started again from the files of the old version, or from the same path',
		});
	}

	#restart(worker: ManagedWorker, reason: string, options: RestartOptions = {}): Promise<void> {
		return restartOrReject(worker, reason, { giveUpAfterExits: 1, ...options });
	}

	/** Stops the stream to a worker that is about to end, so that it has no event in flight then. Events wait for the next process. */
	async #drain({ child, shardIds }: ManagedWorker): Promise<void> {
		if (child.state !== 'ready') return;
		const { signal } = this.#options;
		const gateways = this.#options.gateways;
		// Without a gateway process that answers, nothing is sent anyway.
		await gateways
			.of(shardIds)
			.request('worker.drain', { shardIds }, { timeoutMs: drainTimeoutMs, signal })
			.catch(() => {});
	}

	/** What about the old process has kept the new one from taking over, where ending it first helps; undefined otherwise. */
	async #obstacleOf(
		worker: ManagedWorker,
		error: unknown,
		answered: Promise<boolean> | undefined,
	): Promise<Obstacle | undefined> {
		const { stderrTail = [], unacknowledged } = ShardctlError.is(error) ? (error.details as HandOverFailure) : {};
		const address = addressInUse(stderrTail);
		const { pid } = worker.child;
		const isHeld = address !== undefined && pid !== null && holdsAddress(pid, address);
		const hangs = !isHeld && unacknowledged === true && ((await answered) === false || !(await this.#answers(worker)));
		if (!isHeld && !hangs) return undefined;
		const reason = isHeld
			? `the new process cannot listen on ${address} while the old one does (EADDRINUSE)`
			: 'the old process neither acknowledges its events nor answers';
		this.#options.emit('worker:stop-first', { workerId: worker.id, shardIds: worker.shardIds, reason });
		return { worker, hangs, reason };
	}

	/** False where the event loop of a process is blocked. */
	async #answers(worker: ManagedWorker): Promise<boolean> {
		try {
			await worker.request('ping', null, { timeoutMs: answerTimeoutMs, signal: this.#options.signal });
			return true;
		} catch (error) {
			return !ShardctlError.is(error) || error.code !== 'CALL_TIMEOUT';
		}
	}

	/** Prepares the end of the old process: one that hangs can finish nothing, and is killed. */
	async #end({ worker, hangs }: Obstacle): Promise<void> {
		if (!hangs) return this.#drain(worker);
		await worker.child.stop({ graceMs: 0 });
		worker.child.start();
	}

	#workerOf(workerId: number): ManagedWorker {
		const worker = this.#options.workers.byId(workerId);
		if (worker) return worker;
		throw new ShardctlError(
			'WORKER_UNAVAILABLE',
			`there is no worker ${workerId} any more: the shard count of the workers was changed`,
		);
	}

	/**
	 * Replaces a worker without a gap. `onTakeOver`: the old process is kept where that is possible, and is `old` then. Returns what about
	 * the old process is in the way, if that is what kept the new one from taking over.
	 */
	async #handOver(
		workerId: number,
		{
			signal: callOff,
			onState,
			onTakeOver,
		}: {
			signal?: AbortSignal;
			onState?: (state: HandOverState) => void;
			onTakeOver?: (successor: ManagedWorker, old: ManagedWorker | null) => void;
		},
	): Promise<Obstacle | undefined> {
		const { options, workers, emit } = this.#options;
		const { signal } = this.#options;
		const gateways = this.#options.gateways;
		const old = this.#workerOf(workerId);
		const startedAt = options.clock.monotonic();
		const ref = { workerId: old.id, shardIds: old.shardIds };
		// Only a person asks for a replacement: what Discord refused may be tried again.
		this.#options.allowSessions(old.shardIds);
		const successor = workers.createStandby(old);
		let isKept = false;
		let answered: Promise<boolean> | undefined;
		try {
			const handOver = new HandOver({
				gateway: gateways.of(old.shardIds),
				old,
				successor,
				incarnation: this.#options.assignIncarnation(successor),
				timeoutMs: options.readyTimeoutMs,
				clock: options.clock,
				signal: callOff ? AbortSignal.any([signal, callOff]) : signal,
				keepOld: onTakeOver !== undefined,
				onTakeOver: (kept) => {
					isKept = kept;
					workers.promote(successor);
					onTakeOver?.(successor, kept ? old : null);
				},
				onState: (state) => {
					// Asked while it is to acknowledge its events, so that no time is lost where it does neither.
					if (state === 'pausing') answered = this.#answers(old);
					onState?.(state);
				},
			});
			await handOver.run();
		} catch (error) {
			const obstacle = callOff?.aborted ? undefined : await this.#obstacleOf(old, error, answered);
			if (obstacle) return obstacle;
			emit('worker:rolled-back', { ...ref, reason: messageOf(error) });
			throw error;
		} finally {
			workers.dismiss(successor);
			if (!isKept) workers.dismiss(old);
		}
		await this.#needServed(old);
		emit('worker:deployed', { ...ref, tookMs: Math.round(options.clock.monotonic() - startedAt) });
		return undefined;
	}

	/** A process that is ready is no success over a session that Discord does not serve. */
	async #needServed({ id: workerId, shardIds, label }: ManagedWorker): Promise<void> {
		const reason = await this.#options.whyNotServed(shardIds);
		if (reason === undefined) return;
		throw new ShardctlError(
			'WORKER_NOT_READY',
			`${label} was replaced, but Discord does not serve ${shardIds.length === 1 ? 'its shard' : 'all of its shards'}: ${reason}`,
			{ details: { workerId, shardIds, replaced: true } },
		);
	}

	/** Ends the process that took over, and makes the one that was set aside the worker again. */
	async #bringBack(old: ManagedWorker, successor: ManagedWorker): Promise<void> {
		const { options, workers, emit } = this.#options;
		const { signal } = this.#options;
		const gateways = this.#options.gateways;
		const { id: workerId, shardIds } = old;
		await this.#drain(successor);
		await successor.child.stop();
		workers.promote(old);
		workers.dismiss(successor);
		const { lastExit } = successor.child;
		await gateways.expect({ incarnation: this.#options.incarnationOf(old), shardIds, crashed: hasCrashed(lastExit) }, signal);
		const late = new AbortController();
		const { readyTimeoutMs, clock } = options;
		const timer =
			readyTimeoutMs > 0 && Number.isFinite(readyTimeoutMs)
				? clock.setTimeout(() => late.abort(new ShardctlError('CALL_TIMEOUT', 'it did not log in again')), readyTimeoutMs)
				: undefined;
		try {
			await old.takeBack(AbortSignal.any([signal, late.signal]));
		} catch (error) {
			// Whatever is on disk now is better than a process that does not log in.
			if (!signal.aborted) old.restart('it could not be brought back', {}).catch(() => {});
			throw error;
		} finally {
			clock.clearTimeout(timer);
		}
		emit('worker:rolled-back', { workerId, shardIds, reason: lastExit?.message ?? 'the deploy was called off' });
	}
}

/** What each state of a hand-over waits for, for people. */
const handOverStages: Partial<Record<HandOverState, string>> = {
	booting: 'waiting for the new process to log in',
	pausing: 'waiting for the old process to finish its events',
	presenting: 'waiting for the new process to be ready',
	committing: 'passing the events to the new process',
	aborting: 'ending the new process',
};
