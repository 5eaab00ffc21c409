// Replaces a worker without a gap: the new process boots beside the old one, is shown READY and its guilds while the stream is stopped,
// and only when it is ready does the old one end. Whatever fails before that, the old one keeps running. The states are explained in
// hand-over-state.ts; they change in `#enter` and nowhere else. The gateway process has the other half of the machine.
import {
	type Clock,
	deferred,
	describeFatalClose,
	type GatewayMethods,
	messageOf,
	ShardctlError,
	type ShardReport,
	type Timer,
} from '@shardctl/core';
import type { ExitReport, SupervisedChild } from '@shardctl/supervisor';
import type { ManagedWorker } from '../workers/managed-worker.js';
import { type HandOverEvent, type HandOverState, handOverTransitions } from './hand-over-state.js';
import type { ManagedGateway } from './managed-gateway.js';

/** A process of a worker, as far as a hand-over is concerned. */
export type HandOverWorker = Pick<ManagedWorker, 'id' | 'shardIds' | 'label' | 'on' | 'off'> & {
	setAside(): void;
	readonly child: Pick<SupervisedChild, 'state' | 'lastExit' | 'start' | 'stop' | 'on' | 'off'>;
};

export interface HandOverOptions {
	gateway: Pick<ManagedGateway, 'request'>;
	old: HandOverWorker;
	/** Not started yet. */
	successor: HandOverWorker;
	/** The number of the successor's process; part of every request. */
	incarnation: number;
	/** How long each state before the take-over may last; 0 or `Infinity`: no limit. */
	timeoutMs: number;
	clock: Clock;
	/** Aborts when the manager stops. */
	signal: AbortSignal;
	/** The old process is not ended but set aside, so that it can be the worker again. Only where it is ready itself. */
	keepOld?: boolean;
	/** The successor is the worker from here on. `kept`: the old process is set aside. */
	onTakeOver(kept: boolean): void;
	/** A state was entered. */
	onState?(state: HandOverState): void;
}

type Step = Extract<keyof GatewayMethods, `handover.${string}`>;

export class HandOver {
	readonly #options: HandOverOptions;
	#state: HandOverState = 'planned';
	readonly #outcome = deferred();
	/** Of the present state: cancels its request. */
	#left = new AbortController();
	#timer: Timer | undefined;
	#kept = false;
	/** Why it is rolled back. */
	#cause: unknown;
	/** The old process did not acknowledge what it had been sent: it may hang. */
	#unacknowledged = false;
	/** Resolves when the old process is gone; from `releasing` on. */
	#oldGone: Promise<void> = Promise.resolve();

	constructor(options: HandOverOptions) {
		this.#options = options;
	}

	get state(): HandOverState {
		return this.#state;
	}

	/** Resolves in `done`; rejects with `WORKER_NOT_READY` in `rolled-back`. Called once. */
	run(): Promise<void> {
		const { signal } = this.#options;
		this.#listen();
		signal.addEventListener('abort', this.#onStop, { once: true });
		this.#on('begin');
		if (signal.aborted) this.#onStop();
		return this.#outcome.promise;
	}

	#on(event: HandOverEvent): void {
		const next = handOverTransitions[this.#state][event];
		if (next) this.#enter(next);
	}

	#fail(cause: unknown): void {
		if (!handOverTransitions[this.#state].failed) return;
		this.#cause = cause;
		this.#unacknowledged = this.#state === 'pausing' && ShardctlError.is(cause) && cause.code === 'CALL_TIMEOUT';
		this.#on('failed');
	}

	/** The one writer of the state. Ends what belongs to the state that is left, then begins what the entered one waits for. */
	#enter(state: HandOverState): void {
		const { old, successor, clock, onTakeOver } = this.#options;
		this.#left.abort();
		this.#left = new AbortController();
		clock.clearTimeout(this.#timer);
		this.#timer = undefined;
		this.#state = state;
		this.#options.onState?.(state);
		switch (state) {
			case 'planned':
				break;
			case 'announcing':
				this.#limit('its gateway process did not answer');
				this.#ask('handover.begin').then(() => this.#on('announced'), this.#onRequestFailed);
				break;
			case 'booting':
				this.#limit('it did not log in');
				this.#ask('handover.waiting').then(() => this.#on('waiting'), this.#onRequestFailed);
				successor.child.start();
				break;
			case 'pausing':
				this.#limit('the old process did not acknowledge its events');
				this.#ask('handover.pause').then(({ drained }) => {
					if (drained) this.#on('drained');
					else this.#fail(tooLate('the old process did not acknowledge its events in time'));
				}, this.#onRequestFailed);
				break;
			case 'presenting':
				this.#limit('it was not ready');
				this.#ask('handover.present').catch(this.#onRequestFailed);
				if (successor.child.state === 'ready') this.#on('ready');
				break;
			case 'releasing':
				this.#unlisten();
				this.#kept = this.#options.keepOld === true && old.child.state === 'ready';
				if (this.#kept) old.setAside();
				onTakeOver(this.#kept);
				if (this.#kept) {
					this.#on('released');
					break;
				}
				this.#oldGone = old.child.stop();
				this.#oldGone.then(() => this.#on('gone')).catch((error: unknown) => this.#outcome.reject(error));
				// It logs out after its last handler; the stream need not wait until its process has ended as well. A gateway process that
				// dies here leaves the end of the old process to wait for.
				this.#ask('handover.released').then(
					() => this.#on('released'),
					() => {},
				);
				break;
			case 'committing': {
				// A gateway process that has died meanwhile starts again with the successor as its worker.
				const committed = () => this.#on('committed');
				this.#after(committed);
				this.#ask('handover.commit').then(committed, committed);
				break;
			}
			case 'retiring':
				if (this.#kept) this.#on('gone');
				else this.#oldGone.then(() => this.#on('gone')).catch((error: unknown) => this.#outcome.reject(error));
				break;
			case 'done':
				this.#outcome.resolve();
				break;
			case 'aborting':
				this.#unlisten();
				this.#abort().catch((error: unknown) => this.#outcome.reject(error));
				break;
			case 'rolled-back':
				this.#outcome.reject(this.#rolledBack());
				break;
		}
	}

	async #abort(): Promise<void> {
		const answered = deferred();
		this.#after(() => answered.resolve());
		this.#ask('handover.abort').then(
			() => answered.resolve(),
			() => answered.resolve(),
		);
		await answered.promise;
		await this.#options.successor.child.stop({ graceMs: 0 });
		this.#on('aborted');
	}

	/** The request of a state. Its limit is the state's own. */
	#ask<M extends Step>(step: M): Promise<GatewayMethods[M]['result']> {
		const { gateway, incarnation, successor } = this.#options;
		const options = { timeoutMs: Number.POSITIVE_INFINITY, signal: this.#left.signal };
		const kept = this.#kept && step === 'handover.commit' ? { keepPrevious: true } : {};
		return gateway.request(step, { incarnation, shardIds: successor.shardIds, ...kept }, options);
	}

	/** Fails when the state lasts too long. */
	#limit(what: string): void {
		this.#after(() => this.#fail(tooLate(`${what} within ${this.#options.timeoutMs / 1000} s`)));
	}

	#after(act: () => void): void {
		const { clock, timeoutMs } = this.#options;
		if (timeoutMs > 0 && Number.isFinite(timeoutMs)) this.#timer = clock.setTimeout(act, timeoutMs);
	}

	#listen(): void {
		const { successor } = this.#options;
		successor.child.on('ready', this.#onReady);
		successor.child.on('exited', this.#onExited);
		successor.child.on('failed', this.#onGivenUp);
		successor.on('shard.status', this.#onShardStatus);
	}

	#unlisten(): void {
		const { successor, signal } = this.#options;
		successor.child.off('ready', this.#onReady);
		successor.child.off('exited', this.#onExited);
		successor.child.off('failed', this.#onGivenUp);
		successor.off('shard.status', this.#onShardStatus);
		signal.removeEventListener('abort', this.#onStop);
	}

	readonly #onReady = () => this.#on('ready');
	readonly #onExited = ({ message }: ExitReport) => this.#fail(notReady(message));
	readonly #onGivenUp = ({ reason }: { reason: string }) => this.#fail(notReady(reason));
	readonly #onStop = () => this.#fail(this.#options.signal.reason);
	readonly #onShardStatus = ({ shardId, status, closeCode }: ShardReport) => {
		if (status === 'disconnected') this.#fail(notReady(`shard ${shardId} was closed with ${describeFatalClose(closeCode)}`));
	};
	/** Also of a request that was cancelled because its state was left, which no longer matters. */
	readonly #onRequestFailed = (error: unknown) => this.#fail(error);

	#rolledBack(): ShardctlError {
		const { old, successor } = this.#options;
		const report = successor.child.lastExit;
		const why = report && report.reason !== 'requested' ? report.message : messageOf(this.#cause);
		return new ShardctlError(
			'WORKER_NOT_READY',
			`the new process of ${old.label} did not take over, so the old one keeps running: ${why}`,
			{
				cause: this.#cause,
				details: {
					workerId: old.id,
					shardIds: old.shardIds,
					rolledBack: true,
					unacknowledged: this.#unacknowledged,
					stderrTail: report?.stderrTail ?? [],
				},
			},
		);
	}
}

function notReady(message: string): ShardctlError {
	return new ShardctlError('WORKER_NOT_READY', message);
}

function tooLate(message: string): ShardctlError {
	return new ShardctlError('CALL_TIMEOUT', message);
}
