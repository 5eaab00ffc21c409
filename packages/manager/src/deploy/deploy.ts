// One deploy: replaces the workers in turn, watches each new process, and ends with the new version everywhere or, where something fails,
// with the old one. How a worker is replaced is the session mode's affair; which deploy runs when, that of deploys.ts.
//
// queued        Another restart or deploy of this fleet runs.
// replacing     A new process of some worker boots, takes over, or is watched for its first `observeMs`. Those before it are watched too.
// baking        The first `canary` workers are replaced; they run for `bakeMs` before the others follow.
// finishing     Every worker is replaced and has proven itself. The old processes end.
// rolling-back  Something failed or the deploy was called off: new processes end, old ones are the workers again.
// deployed      The end: every worker runs the new version.
// failed        The end: what could be brought back was.
// called-off    The end, by request; as `failed`.
import { type Clock, type DeployOutcome, type DeployStats, deferred, messageOf, ShardctlError, sleep } from '@shardctl/core';
import type { Replacement, Undone } from '../modes/replacement.js';
import type { DeployReplaceOptions } from '../modes/session-mode.js';
import type { ManagedWorker } from '../workers/managed-worker.js';
import type { ResolvedDeployOptions } from './deploy-options.js';
import { ErrorRate } from './error-rate.js';

/** How often a new process has to show that its event loop runs. */
const proofIntervalMs = 1000;

export type DeployState = DeployStats['state'];

export const deployTransitions: Record<DeployState, readonly DeployState[]> = {
	queued: ['replacing', 'called-off', 'failed'],
	replacing: ['baking', 'finishing', 'rolling-back'],
	baking: ['replacing', 'finishing', 'rolling-back'],
	finishing: ['deployed'],
	'rolling-back': ['failed', 'called-off'],
	deployed: [],
	failed: [],
	'called-off': [],
};

/** As far as a deploy is concerned. */
export type DeployedReplacement = Pick<Replacement, 'worker' | 'wasReady' | 'watch' | 'prove' | 'release' | 'undo'>;

export interface DeployContext {
	id: number;
	options: ResolvedDeployOptions;
	clock: Clock;
	/** Aborts when the manager stops. */
	signal: AbortSignal;
	workers(): readonly ManagedWorker[];
	/** Replaces one worker. `signal` calls it off until the new process has taken over. */
	replace(worker: ManagedWorker, options: DeployReplaceOptions): Promise<DeployedReplacement>;
	/** How long a new process may leave a question without an answer while it is watched. */
	silenceMs: number;
	/** Whether there is memory for old processes beside the new ones. */
	hasMemory(): boolean;
	/** Something about it has changed. */
	onChange(deploy: Deploy): void;
}

/** One step of it, for people. */
export interface DeployStage {
	text: string;
	/** Null where it concerns the whole fleet. */
	worker: ManagedWorker | null;
	/** Monotonic. */
	sinceMs: number;
}

export class Deploy {
	readonly #context: DeployContext;
	readonly #startedAt: number;
	readonly #since: number;
	/** Aborts when it is called off, with that as the reason, when a worker fails, and when the manager stops. */
	readonly #halt = new AbortController();
	readonly #ended = deferred<DeployOutcome>();
	#state: DeployState = 'queued';
	#stage: DeployStage;
	#total = 0;
	#done = 0;
	#calledOff = false;
	/** Whether the workers that are replaced now are the canary, which is watched in any case. */
	#bakesNext = false;
	#error: unknown;
	/** Replacements whose old process is kept, oldest first. */
	readonly #kept = new Map<DeployedReplacement, { proven: boolean }>();
	/** Workers that run the new version and whose old process has ended. */
	#settled = 0;

	constructor(context: DeployContext) {
		this.#context = context;
		this.#startedAt = context.clock.now();
		this.#since = context.clock.monotonic();
		this.#stage = { text: 'waiting for another restart or deploy of this fleet to end', worker: null, sinceMs: this.#since };
		// It is the caller's to handle, if it is still there.
		this.#ended.promise.catch(() => {});
		const { signal } = context;
		if (signal.aborted) this.#halt.abort(signal.reason);
		else signal.addEventListener('abort', this.#onManagerStop, { once: true });
	}

	get id(): number {
		return this.#context.id;
	}

	get state(): DeployState {
		return this.#state;
	}

	get stage(): DeployStage {
		return this.#stage;
	}

	/** Resolves when every worker runs the new version; rejects with `WORKER_NOT_READY`, `CALL_CANCELLED` or `MANAGER_STOPPED`. */
	get outcome(): Promise<DeployOutcome> {
		return this.#ended.promise;
	}

	get isOver(): boolean {
		return deployTransitions[this.#state].length === 0;
	}

	stats(): DeployStats {
		const now = this.#context.clock.monotonic();
		const { worker, text, sinceMs } = this.#stage;
		return {
			id: this.id,
			state: this.#state,
			stage: text,
			workerId: worker?.id ?? null,
			shardIds: worker ? [...worker.shardIds] : [],
			stageMs: this.isOver ? 0 : Math.round(now - sinceMs),
			startedAt: this.#startedAt,
			tookMs: Math.round((this.isOver ? sinceMs : now) - this.#since),
			done: this.#done,
			total: this.#total,
			error: this.#error === undefined ? null : messageOf(this.#error),
		};
	}

	/** Calls it off at the next safe point; see `outcome`. No effect when it is finishing, rolling back, or over. */
	callOff(why: string): void {
		if (this.#state === 'finishing' || this.#state === 'rolling-back' || this.isOver) return;
		this.#calledOff = true;
		const error = new ShardctlError('CALL_CANCELLED', why);
		this.#halt.abort(error);
		if (this.#state !== 'queued') return;
		this.#end('called-off', new ShardctlError('CALL_CANCELLED', `${why} before it began; nothing was changed`));
	}

	/** Its turn has come. Never rejects: see {@link outcome}. */
	async run(): Promise<void> {
		const { workers, options } = this.#context;
		if (this.isOver) return;
		const all = [...workers()];
		this.#total = all.length;
		try {
			this.#halt.signal.throwIfAborted();
		} catch (error) {
			this.#end('failed', error);
			return;
		}
		this.#enter('replacing', 'replacing the workers');
		try {
			const canary = options.canary > 0 ? all.slice(0, options.canary) : [];
			this.#bakesNext = canary.length > 0 && options.bakeMs > 0;
			await this.#replaceAll(canary);
			if (this.#bakesNext) await this.#bake(canary.length);
			this.#bakesNext = false;
			await this.#replaceAll(all.slice(canary.length));
			this.#halt.signal.throwIfAborted();
		} catch (error) {
			await this.#rollBack(this.#halt.signal.aborted ? this.#halt.signal.reason : error);
			return;
		}
		this.#enter('finishing', 'ending the old processes');
		await Promise.all([...this.#kept.keys()].map((replacement) => replacement.release()));
		this.#end('deployed');
	}

	async #replaceAll(workers: readonly ManagedWorker[]): Promise<void> {
		const { parallel } = this.#context.options;
		const queue = [...workers];
		const lane = async () => {
			for (let worker = queue.shift(); worker && !this.#halt.signal.aborted; worker = queue.shift()) {
				try {
					await this.#replace(worker);
				} catch (error) {
					this.#halt.abort(error);
				}
			}
		};
		// All of them, so that nothing is being replaced while it is rolled back.
		await Promise.all(Array.from({ length: Math.min(parallel, workers.length) }, lane));
		this.#halt.signal.throwIfAborted();
	}

	async #replace(worker: ManagedWorker): Promise<void> {
		const { replace, options } = this.#context;
		const { signal } = this.#halt;
		const replacement = await replace(worker, { first: options.first, signal, onStage: (stage) => this.#say(stage, worker) });
		const kept = { proven: false };
		this.#kept.set(replacement, kept);
		this.#watch(replacement);
		if (options.observeMs > 0) await this.#observe(replacement, worker);
		signal.throwIfAborted();
		kept.proven = true;
		this.#done++;
		await this.#spareMemory();
		this.#say('replaced', worker);
	}

	/** What happens to the new process before the deploy has ended ends the deploy. */
	#watch(replacement: DeployedReplacement): void {
		const { options, clock } = this.#context;
		const { worker } = replacement;
		const since = clock.monotonic();
		const fail = (reason: string) => {
			const after = ((clock.monotonic() - since) / 1000).toFixed(1);
			const what = replacement.wasReady ? `failed ${after} s after it took over` : 'did not become ready';
			const message = `the new process of ${worker.label} ${what}: ${reason}`;
			this.#halt.abort(
				new ShardctlError('WORKER_NOT_READY', message, { details: { workerId: worker.id, shardIds: worker.shardIds } }),
			);
		};
		const rate = options.maxErrorRate === undefined ? null : new ErrorRate(options.maxErrorRate, clock);
		replacement.watch({
			onFailure: fail,
			onError: (line) => {
				if (rate?.note()) fail(`it logged more than ${options.maxErrorRate} errors a minute, the last one: ${line}`);
			},
		});
	}

	/** Resolves after `observeMs`, when the process still answers then. */
	async #observe(replacement: DeployedReplacement, worker: ManagedWorker): Promise<void> {
		const { options, clock, silenceMs } = this.#context;
		const { signal } = this.#halt;
		const until = clock.monotonic() + options.observeMs;
		signal.throwIfAborted();
		this.#say('watching the new process', worker);
		for (;;) {
			await replacement.prove(silenceMs, signal);
			signal.throwIfAborted();
			const left = until - clock.monotonic();
			if (left <= 0) return;
			await sleep(clock, Math.min(left, proofIntervalMs), signal);
		}
	}

	async #bake(canary: number): Promise<void> {
		const { options, clock } = this.#context;
		this.#enter(
			'baking',
			`watching ${canary === 1 ? 'the first worker' : `the first ${canary} workers`} before the others follow`,
		);
		await sleep(clock, options.bakeMs, this.#halt.signal);
		this.#enter('replacing', 'replacing the other workers');
	}

	/** Old processes that are needed least end where memory is short, or where nothing is watched. */
	async #spareMemory(): Promise<void> {
		const isWatched = this.#context.options.observeMs > 0 || this.#bakesNext;
		for (const [replacement, { proven }] of this.#kept) {
			if (!proven || (isWatched && this.#context.hasMemory())) continue;
			this.#kept.delete(replacement);
			this.#settled++;
			await replacement.release();
		}
	}

	async #rollBack(cause: unknown): Promise<void> {
		if (this.#context.signal.aborted) {
			// Everything ends: nothing is brought back.
			this.#enter('rolling-back', 'the manager stops');
			this.#end('failed', this.#context.signal.reason);
			return;
		}
		this.#enter('rolling-back', 'bringing the old version back');
		const kept = [...this.#kept.keys()];
		const undone = await Promise.allSettled(kept.map((replacement) => replacement.undo()));
		const problems = undone.flatMap((result) => (result.status === 'rejected' ? [messageOf(result.reason)] : []));
		const count = (...ways: Undone[]) =>
			undone.filter((result) => result.status === 'fulfilled' && ways.includes(result.value)).length;
		const back = count('resumed', 'restarted');
		const again = count('same-path');
		const stay = this.#settled + count('new');
		const sentences = [
			messageOf(cause).replace(/\.$/, ''),
			...problems,
			...(back > 0 ? [`the old version runs again in ${plural(back)}`] : []),
			...(again > 0
				? [`${plural(again, 'was', 'were')} started again from the same path, because the old process had to end first`]
				: []),
			...(stay > 0 ? [`${plural(stay, 'keeps', 'keep')} the new version, because the old process had ended`] : []),
			`${this.#total - this.#settled - undone.length} of ${this.#total} workers were left unchanged`,
		];
		const { code, details } = ShardctlError.is(cause) ? cause : { code: 'WORKER_NOT_READY' as const, details: {} };
		const error = new ShardctlError(code, sentences.join('; '), {
			cause,
			details: {
				...details,
				deployId: this.id,
				rolledBack: back,
				startedAgain: again,
				keptNew: stay,
				notBroughtBack: problems.length,
			},
		});
		this.#end(this.#calledOff ? 'called-off' : 'failed', error);
	}

	#say(text: string, worker: ManagedWorker | null): void {
		this.#stage = { text, worker, sinceMs: this.#context.clock.monotonic() };
		this.#context.onChange(this);
	}

	#end(state: 'deployed' | 'failed' | 'called-off', error?: unknown): void {
		this.#context.signal.removeEventListener('abort', this.#onManagerStop);
		this.#error = error;
		this.#enter(state, state === 'called-off' ? 'called off' : state);
		if (error === undefined) this.#ended.resolve({ id: this.id, tookMs: this.stats().tookMs });
		else this.#ended.reject(error);
	}

	/** The one writer of the state. */
	#enter(state: DeployState, text: string): void {
		if (!deployTransitions[this.#state].includes(state)) {
			throw new ShardctlError('INTERNAL', `a deploy cannot change from ${this.#state} to ${state}`);
		}
		this.#state = state;
		this.#say(text, null);
	}

	readonly #onManagerStop = () => this.#halt.abort(this.#context.signal.reason);
}

/** `1 worker was`, `3 workers were`. */
function plural(count: number, one = '', many = ''): string {
	return `${count} ${count === 1 ? 'worker' : 'workers'} ${count === 1 ? one : many}`.trimEnd();
}
