// Keeps one child process running: starts it, judges whether it is well, replaces it by the rules of the restart policy, and
// ends it. The states are explained in child-state.ts; they change in `#enter` and nowhere else. What a process is, what its
// messages mean and what its readiness is are the owner's affairs.
import { EventEmitter } from 'node:events';
import { type Clock, type ExitReason, messageOf, ShardctlError, systemClock, type Timer } from '@shardctl/core';
import type { ChildSpec } from './child-spec.js';
import { type ChildState, childTransitions } from './child-state.js';
import { ClockMoment } from './clock-moment.js';
import type { ExitReport } from './exit-reason.js';
import { FairDeadline } from './fair-deadline.js';
import { formatDuration } from './format-duration.js';
import { Heartbeat } from './heartbeat.js';
import { type EndOrder, Incarnation } from './incarnation.js';
import { type LogLine, LogRing } from './log-ring.js';
import { MemoryWatch } from './memory-watch.js';
import { defaultProcessHost } from './process-host.js';
import { decideRestart, emptyHistory, type RestartHistory } from './restart-policy.js';
import { RestartWaiters } from './restart-waiters.js';
import type { SupervisedChildEvents } from './supervised-child-events.js';
import type { ChildLink, SupervisedChildOptions } from './supervised-child-options.js';
import { isOn, timerDelayMs } from './timer-delay.js';

/** What follows the exit of the present process; a later wish replaces an earlier one only when it ranks higher. */
type AfterExit = { kind: 'policy' } | { kind: 'respawn' } | { kind: 'fail'; error: unknown } | { kind: 'stop' };
const afterExitRank: Record<AfterExit['kind'], number> = { policy: 0, respawn: 1, fail: 2, stop: 3 };

const defaultKillAfterMs = 2000;
const logBounds = { maxLines: 500, maxChars: 256 * 1024 };

/**
 * One child process, kept running by rules.
 *
 * @example
 * const child = new SupervisedChild({ spec, policy: defaultRestartPolicy, readyTimeoutMs: 30_000, shutdownGraceMs: 10_000,
 *   heartbeat: { intervalMs: 5000, timeoutMs: 30_000 }, connect: (child, epoch) => openChannel(child.channel, epoch) });
 * child.on('exited', (report) => console.error(report.message));
 * child.start();
 * // …
 * await child.stop();
 */
export class SupervisedChild extends EventEmitter<SupervisedChildEvents> implements AsyncDisposable {
	readonly #options: SupervisedChildOptions;
	readonly #clock: Clock;
	readonly #logs: LogRing<LogLine>;
	#leftOutLines = 0;
	#state: ChildState = 'planned';
	#epoch = 0;
	/** -1 until the first start. */
	#restarts = -1;
	#lastExit: ExitReport | null = null;
	#history: RestartHistory = emptyHistory;
	/** What follows the exit; meaningful while there is a process. */
	#after: AfterExit = { kind: 'policy' };
	/** The present process, until it is gone for good. */
	#run: Incarnation | null = null;
	#link: ChildLink | null = null;
	/** Lives exactly as long as `spawning`. */
	#spawnAbort: AbortController | null = null;
	/** The one timer of `backing-off` and `failed`. */
	#timer: Timer | undefined;
	/** Runs in `starting`, unless paused. */
	#readyDeadline: FairDeadline | undefined;
	/** Runs in `starting`, `ready` and `unresponsive`. */
	#heartbeat: Heartbeat | undefined;
	/** From the first call of `stop` to the next start. */
	#stopping: { promise: Promise<void>; resolve: () => void } | null = null;
	/** When the present state began, in ms since the epoch. */
	#since: number;
	/** When the timer of `backing-off` or `failed` fires, in ms since the epoch. */
	#nextTryAt: number | null = null;
	/** Processes in a row that ended before they were stable. */
	#tries = 0;
	/** When the first of them ended, in ms since the epoch; null while there is none. */
	#failingSince: number | null = null;
	/** Of the present process. */
	#lastAnswer: ClockMoment | null = null;
	/** Settled before an event is emitted: a restart requested by a listener waits for the next process, not for this one. */
	readonly #waiters = new RestartWaiters();
	/** Of the present process: whether its stack is being searched, and whether it was asked to close its inspector. */
	#searchesStack = false;
	#closesInspector = false;
	/** Of the present process. */
	#memory = new MemoryWatch(0);

	constructor(options: SupervisedChildOptions) {
		super();
		this.#options = options;
		this.#clock = options.clock ?? systemClock;
		this.#since = this.#clock.now();
		this.#logs = options.logs ?? new LogRing<LogLine>(logBounds);
	}

	get state(): ChildState {
		return this.#state;
	}

	/** When the present state began, in ms since the epoch. */
	get since(): number {
		return this.#since;
	}

	/** When it is started again, in ms since the epoch; null while no start is planned. */
	get nextTryAt(): number | null {
		return this.#nextTryAt;
	}

	/** How many processes in a row ended before the restart policy counted them as stable; 0 after one that was. */
	get tries(): number {
		return this.#tries;
	}

	/** When the first of those processes ended, in ms since the epoch, or the last stable one; null where none has ended by itself. */
	get failingSince(): number | null {
		return this.#failingSince;
	}

	/** When the present process last answered a heartbeat, in ms since the epoch; null before the first answer. */
	get lastAnswerAt(): number | null {
		return this.#lastAnswer?.at ?? null;
	}

	/** Of the present process; null when there is none. */
	get pid(): number | null {
		return this.#run?.isRunning ? this.#run.pid : null;
	}

	/** Counts the incarnations, from 1; 0 before the first. */
	get epoch(): number {
		return this.#epoch;
	}

	/** How many processes followed the first one since `start`. */
	get restarts(): number {
		return Math.max(0, this.#restarts);
	}

	get lastExit(): ExitReport | null {
		return this.#lastExit;
	}

	/** When the present process was started, in ms since the epoch; null when there is none. */
	get startedAt(): number | null {
		return this.#run?.isRunning ? this.#run.startedAt : null;
	}

	/** Where its last lines are kept; a child that takes its place can continue it. */
	get logs(): LogRing<LogLine> {
		return this.#logs;
	}

	/** Lines of all its incarnations that were counted and not kept, because they were more than the budget for output allows. */
	get leftOutLines(): number {
		return this.#leftOutLines;
	}

	/** The last lines that this child wrote, over all its incarnations, oldest first. */
	recentLogs(): LogLine[] {
		return this.#logs.toArray();
	}

	/** Starts it, with a clean record where it had stopped or was given up. No effect while it runs, waits to, or is being stopped. */
	start(): void {
		switch (this.#state) {
			case 'planned':
			case 'failed':
			case 'stopped':
				this.#history = emptyHistory;
				this.#tries = 0;
				this.#failingSince = null;
				this.#restarts = -1;
				this.#stopping = null;
				this.#spawn('started');
				break;
			case 'spawning':
			case 'starting':
			case 'ready':
			case 'unresponsive':
			case 'draining':
			case 'exited':
			case 'backing-off':
				break;
		}
	}

	/** Reports that a process is ready: the present one, or that of `epoch`. Has an effect only while that is starting. */
	markReady(epoch = this.#epoch): void {
		const run = this.#run;
		if (!run || run.epoch !== epoch) return;
		switch (this.#state) {
			case 'unresponsive':
				// The word was on its way when the silence was noticed: should the process recover, it is ready.
				run.markReady();
				break;
			case 'starting':
				run.markReady();
				this.#waiters.settle(true);
				this.#enter('ready', 'said that it is ready');
				this.#emit('ready', { pid: run.pid as number, epoch: run.epoch, bootMs: this.#clock.now() - run.startedAt });
				break;
			case 'planned':
			case 'spawning':
			case 'ready':
			case 'draining':
			case 'exited':
			case 'backing-off':
			case 'failed':
			case 'stopped':
				break;
		}
	}

	/** The process of `epoch` has spent something that a start costs and of which there is little: the policy is stricter with it. */
	markSpent(epoch: number): void {
		if (this.#run?.epoch === epoch) this.#run.markSpent();
	}

	/**
	 * The process of `epoch` cannot be talked to: it sent what it may not, or its owner failed on what it sent. It is ended, and the
	 * policy decides when the next one starts.
	 */
	breakOff(epoch: number, error: ShardctlError): void {
		if (this.#run?.epoch !== epoch || !(this.#isUp() || this.#state === 'unresponsive')) return;
		const detail = `was ended by its manager: ${error.message} (${error.code})`;
		this.#drain({ kind: 'policy' }, { reason: 'protocol-error', detail, graceMs: this.#options.shutdownGraceMs });
	}

	/** Stops the ready timeout of a process that waits for something outside itself: that is not being stuck. */
	pauseReadyTimeout(): void {
		this.#readyDeadline?.clear();
		this.#readyDeadline = undefined;
	}

	/** Starts the ready timeout of a starting process again: it has made progress. */
	restartReadyTimeout(): void {
		const { readyTimeoutMs } = this.#options;
		this.pauseReadyTimeout();
		if (this.#state !== 'starting' || !isOn(readyTimeoutMs)) return;
		this.#readyDeadline = new FairDeadline(this.#clock, readyTimeoutMs, () => this.#onReadyTimeout());
	}

	/**
	 * Replaces the process gracefully, or starts one where there is none (also after it was given up). Resolves `true` once it is
	 * ready again and `false` when it could not be: it was given up or stopped first, or, with `giveUpAfterExits`, that many
	 * replacements ended before they were ready. The policy keeps trying then. Concurrent calls share one replacement.
	 */
	restart(reason: string, { giveUpAfterExits = Number.POSITIVE_INFINITY }: { giveUpAfterExits?: number } = {}): Promise<boolean> {
		switch (this.#state) {
			case 'stopped':
				return Promise.resolve(false);
			case 'draining':
			case 'exited':
				if (afterExitRank[this.#after.kind] > afterExitRank.respawn) return Promise.resolve(false);
				break;
			case 'planned':
			case 'spawning':
			case 'starting':
			case 'ready':
			case 'unresponsive':
			case 'backing-off':
			case 'failed':
				break;
		}
		const settled = this.#waiters.wait(this.#epoch, giveUpAfterExits);
		this.#replace(reason);
		return settled;
	}

	/** Ends the process and gives the child up for good: its owner knows that no restart can help. */
	fail(reason: ExitReason, error: unknown): void {
		const after: AfterExit = { kind: 'fail', error };
		switch (this.#state) {
			case 'planned':
			case 'spawning':
			case 'backing-off':
			case 'failed':
				this.#giveUp({ reason: messageOf(error), error, report: null, retryInMs: null });
				break;
			case 'starting':
			case 'ready':
			case 'unresponsive':
				this.#drain(after, { reason, detail: `was given up: ${messageOf(error)}`, graceMs: this.#options.shutdownGraceMs });
				break;
			case 'draining':
			case 'exited':
				this.#setAfterExit(after);
				break;
			case 'stopped':
				break;
		}
	}

	/**
	 * Ends the process and resolves when nothing of it is left. Idempotent, always the same promise until the next start. A later
	 * call with a smaller grace hastens the ending; 0 takes the next step (SIGTERM, then SIGKILL) at once.
	 */
	stop({ graceMs }: { graceMs?: number } = {}): Promise<void> {
		this.#stopping ??= deferred();
		const { promise } = this.#stopping;
		switch (this.#state) {
			case 'planned':
			case 'spawning':
			case 'backing-off':
			case 'failed':
			case 'stopped':
				this.#onStopped();
				break;
			case 'starting':
			case 'ready':
			case 'unresponsive':
				this.#drain({ kind: 'stop' }, { reason: 'requested', graceMs: graceMs ?? this.#options.shutdownGraceMs });
				break;
			case 'draining':
				this.#setAfterExit({ kind: 'stop' });
				if (graceMs !== undefined) this.#run?.hasten(graceMs);
				break;
			case 'exited':
				this.#setAfterExit({ kind: 'stop' });
				break;
		}
		return promise;
	}

	[Symbol.asyncDispose](): Promise<void> {
		return this.stop();
	}

	/** The owner measured the process's resident memory. */
	reportMemory(rssBytes: number): void {
		const run = this.#run;
		if (!run || !this.#isUp()) return;
		const { limitBytes } = this.#memory;
		const judgement = this.#memory.judge(rssBytes);
		if (judgement === 'fine') return;
		const over = judgement === 'over';
		this.#emit('memory', { pid: run.pid as number, epoch: run.epoch, rssBytes, limitBytes, over });
		// A listener may have stopped it.
		if (!over || this.#run !== run || !this.#isUp()) return;
		const detail = `used ${megabytes(rssBytes)} of memory; its limit is ${megabytes(limitBytes)}`;
		this.#drain({ kind: 'policy' }, { reason: 'memory-limit', detail, graceMs: this.#options.shutdownGraceMs });
	}

	/** The part of `restart` that depends on the state; waiting is the caller's. */
	#replace(reason: string): void {
		switch (this.#state) {
			case 'failed':
				this.#history = emptyHistory;
				this.#spawn(reason);
				break;
			case 'planned':
			case 'backing-off':
				this.#spawn(reason);
				break;
			case 'starting':
			case 'ready':
			case 'unresponsive':
				this.#drain(
					{ kind: 'respawn' },
					{ reason: 'requested', detail: `was replaced: ${reason}`, graceMs: this.#options.shutdownGraceMs },
				);
				break;
			case 'draining':
			case 'exited':
				this.#setAfterExit({ kind: 'respawn' });
				break;
			case 'spawning':
			case 'stopped':
				break;
		}
	}

	#spawn(reason: string): void {
		const abort = new AbortController();
		this.#spawnAbort = abort;
		this.#after = { kind: 'policy' };
		this.#enter('spawning', reason);
		if (abort.signal.aborted) return;
		if (!this.#options.beforeSpawn) {
			this.#startProcess();
			return;
		}
		attempt(async () => this.#options.beforeSpawn?.(abort.signal)).then(
			() => {
				if (!abort.signal.aborted) this.#startProcess();
			},
			(error: unknown) => {
				if (!abort.signal.aborted) this.#onSpawnRefused(error);
			},
		);
	}

	#startProcess(): void {
		const { spec, host = defaultProcessHost, killAfterMs = defaultKillAfterMs, maxMemoryBytes = 0, heartbeat } = this.#options;
		if (this.#run) throw new ShardctlError('INTERNAL', 'a second process of one child was about to be started');
		this.#epoch++;
		const epoch = this.#epoch;
		let resolved: ChildSpec;
		try {
			resolved = typeof spec === 'function' ? spec(epoch) : spec;
		} catch (error) {
			this.#onSpawnRefused(error);
			return;
		}
		const run = new Incarnation({
			spec: resolved,
			epoch,
			clock: this.#clock,
			host,
			killAfterMs,
			onLine: (line) => {
				this.#logs.push(line);
				this.#emit('log', line);
			},
			onLeftOut: (lines) => {
				this.#leftOutLines += lines;
			},
			onExit: () => this.#enter('exited', 'its process has exited'),
			onGone: (report) => this.#onGone(report),
		});
		this.#run = run;
		this.#lastAnswer = null;
		this.#searchesStack = false;
		this.#closesInspector = false;
		this.#restarts++;
		this.#memory = new MemoryWatch(maxMemoryBytes);
		if (!run.child || !run.isRunning) {
			this.#enter('exited', 'its process could not be started');
			return;
		}
		try {
			this.#link = this.#options.connect(run.child, epoch);
		} catch (error) {
			this.#enter('starting', 'its process was started');
			this.#drain({ kind: 'policy' }, { reason: 'spawn-failed', detail: `got no channel: ${messageOf(error)}`, graceMs: 0 });
			return;
		}
		run.child.channel.onTooLarge?.(() => this.breakOff(epoch, tooLarge()));
		const link = this.#link;
		if (isOn(heartbeat.intervalMs) && isOn(heartbeat.timeoutMs)) {
			this.#heartbeat = new Heartbeat({
				...heartbeat,
				clock: this.#clock,
				ping: (signal) => attempt(() => link.ping(signal)),
				isExcused: () => run.isDebugged || (link.isExcused?.() ?? false),
				onSilent: () => this.#onSilent(run),
				onAnswer: () => this.#onAnswer(run),
				onBeat: () => {
					if (this.#run !== run) return;
					this.#lastAnswer = new ClockMoment(this.#clock);
					this.#closeInspector(run, link);
				},
			});
		}
		this.#enter('starting', 'its process was started');
		this.restartReadyTimeout();
		this.#heartbeat?.start();
		this.#emit('spawned', { pid: run.pid as number, epoch });
	}

	#onReadyTimeout(): void {
		if (this.#run?.isDebugged) {
			this.restartReadyTimeout();
			return;
		}
		const { readyTimeoutMs, shutdownGraceMs } = this.#options;
		const detail = `was not ready within ${formatDuration(readyTimeoutMs)} without progress`;
		this.#drain({ kind: 'policy' }, { reason: 'ready-timeout', detail, graceMs: shutdownGraceMs });
	}

	#onSilent(run: Incarnation): void {
		if (this.#run !== run || !this.#isUp()) return;
		const silentForMs = this.#options.heartbeat.timeoutMs;
		const finding = `its main thread answered no heartbeat for ${formatDuration(silentForMs)}`;
		this.#enter('unresponsive', finding);
		this.#emit('unresponsive', { pid: run.pid as number, epoch: run.epoch, silentForMs });
		const link = this.#link;
		this.#searchesStack = true;
		run
			.captureStack()
			.then(([frame]) => {
				if (this.#run !== run) return;
				this.#searchesStack = false;
				if (this.#state !== 'unresponsive') {
					if (link) this.#closeInspector(run, link);
					return;
				}
				const detail = `hung: ${finding}${frame === undefined ? '' : `; it was in ${frame}`}`;
				this.#drain({ kind: 'policy' }, { reason: 'hung', detail, graceMs: 0 });
			})
			.catch((error: unknown) => this.#onOwnerError(error));
	}

	/** After a hang that has passed: a process that lives on must not keep a debugger's door open. A failure is tried again at the next heartbeat. */
	#closeInspector(run: Incarnation, link: ChildLink): void {
		if (!run.hasOpenInspector || this.#searchesStack || this.#closesInspector || !link.closeInspector) return;
		this.#closesInspector = true;
		const over = (closed: boolean) => {
			if (this.#run !== run) return;
			this.#closesInspector = false;
			if (closed) run.noteInspectorClosed();
		};
		attempt(async () => link.closeInspector?.()).then(
			() => over(true),
			() => over(false),
		);
	}

	#onAnswer(run: Incarnation): void {
		if (this.#run !== run || this.#state !== 'unresponsive') return;
		this.#enter(run.wasReady ? 'ready' : 'starting', 'its main thread answers again');
		this.restartReadyTimeout();
	}

	#drain(after: AfterExit, order: Omit<EndOrder, 'ask'>): void {
		const link = this.#link;
		// A hung thread cannot be asked; a SIGTERM still ends it unless the bot handles that signal.
		const graceMs = this.#state === 'unresponsive' ? 0 : order.graceMs;
		this.#setAfterExit(after);
		const final = this.#after.kind === 'stop' || this.#after.kind === 'fail';
		const ask = link ? () => attempt(() => link.shutdown(order.detail ?? order.reason, { final })) : null;
		this.#run?.end({ ...order, ask, graceMs });
		this.#enter('draining', order.detail ?? order.reason);
	}

	#onGone(report: ExitReport): void {
		const link = this.#link;
		this.#run = null;
		this.#link = null;
		this.#lastExit = report;
		try {
			link?.closed(report);
		} catch (error) {
			this.#onOwnerError(error);
		}
		this.#waiters.noteExit(report.epoch);
		this.#emit('exited', report);
		const after = this.#after;
		switch (after.kind) {
			case 'stop':
				this.#onStopped();
				break;
			case 'fail':
				this.#giveUp({ reason: messageOf(after.error), error: after.error, report, retryInMs: null });
				break;
			case 'respawn':
				this.#failingSince = null;
				this.#spawn('replaced as requested');
				break;
			case 'policy':
				this.#followPolicy(report);
				break;
		}
	}

	#followPolicy(report: ExitReport): void {
		const { policy, random = Math.random } = this.#options;
		const stable = report.wasReady && report.readyForMs >= (policy?.stableAfterMs ?? 0);
		this.#tries = stable ? 0 : this.#tries + 1;
		if (stable || this.#failingSince === null) this.#failingSince = report.at;
		const decision = decideRestart(this.#history, report, policy, this.#clock.monotonic(), random());
		const error = new ShardctlError('WORKERS_FAILED', report.message, { details: { report } });
		switch (decision.kind) {
			case 'never':
				this.#giveUp({ reason: report.message, error, report, retryInMs: null });
				break;
			case 'cooldown':
				this.#history = decision.history;
				this.#giveUp({ reason: report.message, error, report, retryInMs: decision.delayMs });
				break;
			case 'restart': {
				const { delayMs, restartsInWindow } = decision;
				this.#history = decision.history;
				this.#enter('backing-off', report.message, { delayMs, next: () => this.#spawn('restarted by the policy') });
				this.#emit('backoff', { delayMs, restartsInWindow });
				break;
			}
		}
	}

	/** `beforeSpawn` rejected: nothing was started, so there is no exit to judge, and the next try comes after the cool-down. */
	#onSpawnRefused(error: unknown): void {
		const { policy } = this.#options;
		this.#giveUp({ reason: messageOf(error), error, report: null, retryInMs: policy?.cooldownMs ?? null });
	}

	#giveUp(event: SupervisedChildEvents['failed'][0]): void {
		const { retryInMs } = event;
		const timer =
			retryInMs === null ? undefined : { delayMs: retryInMs, next: () => this.#spawn('tried again after its cool-down') };
		this.#waiters.settle(false);
		this.#enter('failed', event.reason, timer);
		this.#emit('failed', event);
	}

	#onStopped(): void {
		this.#waiters.settle(false);
		this.#stopping?.resolve();
		if (this.#state !== 'stopped') this.#enter('stopped', 'stopped as requested');
	}

	/** Whether a process is running and not already being replaced. */
	#isUp(): boolean {
		return this.#state === 'starting' || this.#state === 'ready';
	}

	#setAfterExit(after: AfterExit): void {
		if (afterExitRank[after.kind] > afterExitRank[this.#after.kind]) this.#after = after;
	}

	/**
	 * The one writer of the state. Ends what belongs to the state that is left, arms the timer of the one that is entered, and
	 * then emits: a listener finds a consistent machine, and may call any method.
	 */
	#enter(to: ChildState, reason: string, timer?: { delayMs: number; next: () => void }): void {
		const from = this.#state;
		if (!childTransitions[from].includes(to)) throw new ShardctlError('INTERNAL', `a child cannot go from ${from} to ${to}`);
		this.#clock.clearTimeout(this.#timer);
		this.#timer = undefined;
		if (to !== 'starting') this.pauseReadyTimeout();
		if (to !== 'starting' && to !== 'ready' && to !== 'unresponsive') {
			this.#heartbeat?.stop();
			this.#heartbeat = undefined;
		}
		const spawnAbort = this.#spawnAbort;
		if (from === 'spawning') this.#spawnAbort = null;
		this.#state = to;
		this.#since = this.#clock.now();
		this.#nextTryAt = timer ? this.#since + timer.delayMs : null;
		if (timer) this.#timer = this.#clock.setTimeout(timer.next, timerDelayMs(timer.delayMs));
		if (from === 'spawning' && (to === 'stopped' || to === 'failed')) spawnAbort?.abort();
		this.#emit('state', { from, to, reason });
	}

	/** Emits; a listener that throws is the owner's bug and is reported as such, but cannot leave the machine halfway. */
	#emit<K extends keyof SupervisedChildEvents>(event: K, payload: SupervisedChildEvents[K][0]): void {
		try {
			(this as EventEmitter).emit(event, payload);
		} catch (error) {
			this.#onOwnerError(error);
		}
	}

	#onOwnerError(error: unknown): void {
		const { onOwnerError = rethrowLater } = this.#options;
		onOwnerError(error);
	}
}

/** Calls what the owner gave us; a throw becomes a rejection. */
async function attempt<T>(call: () => Promise<T>): Promise<T> {
	return await call();
}

function rethrowLater(error: unknown): void {
	queueMicrotask(() => {
		throw error;
	});
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
	let resolve = () => {};
	const promise = new Promise<void>((done) => {
		resolve = done;
	});
	return { promise, resolve };
}

function tooLarge(): ShardctlError {
	return new ShardctlError('MESSAGE_TOO_LARGE', 'it sent a message that is larger than a process may send');
}

function megabytes(bytes: number): string {
	return `${Math.round(bytes / 2 ** 20)} MB`;
}
