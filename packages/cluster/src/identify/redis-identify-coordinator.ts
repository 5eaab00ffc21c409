// The identify coordinator of all nodes, and of managers that share a token without a cluster: slots and the day's budget are in Redis,
// and one script serves all that wait. Each coordinator sends one script at a time, with everything that happened here since the last.
// What an answer means is decided in IdentifyLedger.
import { randomBytes } from 'node:crypto';
import {
	arrivalMarginMs,
	type BudgetAnswer,
	type Clock,
	type Deferred,
	deferred,
	type IdentifyBudgetState,
	type IdentifyCoordinator,
	type IdentifyCoordinatorOptions,
	type IdentifyGrant,
	type IdentifyRequest,
	type IdentifyWait,
	identifyWindowMs,
	messageOf,
	type SessionStartLimit,
	ShardctlError,
	type Timer,
} from '@shardctl/core';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisPort, RedisScript } from '../redis/redis-port.js';
import { redisSources, type ScriptSources } from '../scripts/preamble.js';
import { IdentifyLedger, slotFreshMs } from './identify-ledger.js';
import { identifyScript } from './identify-script.js';
import { identifyAnswer } from './identify-wire.js';

export interface RedisIdentifyCoordinatorOptions extends IdentifyCoordinatorOptions {
	redis: RedisPort;
	keys: ClusterKeys;
	/** Called once for a series of failed calls, which are repeated. */
	onFailed?(error: ShardctlError): void;
	/** @internal For tests. */
	sources?: ScriptSources;
}

/** After this silence a holder counts as gone: its slots as used, and its requests as withdrawn. */
const holderAliveMs = 10_000;
const retryMs = 500;

export class RedisIdentifyCoordinator implements IdentifyCoordinator {
	readonly #options: RedisIdentifyCoordinatorOptions;
	readonly #clock: Clock;
	readonly #holder = randomBytes(8).toString('hex');
	readonly #script: RedisScript;
	readonly #windowMs: number;
	readonly #ledger: IdentifyLedger;
	/** What waits for the next call that begins after it asked. */
	#next: Deferred<void> | undefined;
	#calling = false;
	#timer: Timer | undefined;
	#failing = false;
	#unsubscribe: (() => Promise<void>) | undefined;
	#closed = false;

	constructor(options: RedisIdentifyCoordinatorOptions) {
		this.#options = options;
		this.#clock = options.clock;
		this.#windowMs = options.windowMs ?? identifyWindowMs;
		this.#script = identifyScript(options.sources ?? redisSources);
		this.#ledger = new IdentifyLedger({
			clock: options.clock,
			reserve: options.reserve,
			onReport: () => void this.#step(),
		});
	}

	/** Connects to the others. Rejects where Redis cannot be reached. */
	async start(): Promise<void> {
		const channel = this.#options.keys.identifyChanged;
		this.#unsubscribe = await this.#options.redis.subscribe(
			channel,
			(message) => {
				if (message.toString() !== this.#holder) void this.#step();
			},
			() => void this.#step(),
		);
		await this.#call();
	}

	/** Withdraws what waits. Slots that are granted stay charged until they are used or released, or this holder counts as gone. */
	async close(): Promise<void> {
		this.#closed = true;
		this.#clock.clearTimeout(this.#timer);
		this.#ledger.withdrawAll();
		await this.#unsubscribe?.();
		await this.#call().catch(() => {});
	}

	/** Ends and reports nothing, as a crash does: for tests. */
	silence(): void {
		this.#closed = true;
		this.#clock.clearTimeout(this.#timer);
	}

	async update(limit: SessionStartLimit): Promise<void> {
		this.#ledger.update(limit);
		await this.#step();
	}

	async check(count: number, start: { automatic: boolean }): Promise<BudgetAnswer> {
		await this.#step();
		return this.#ledger.allows(count, start);
	}

	async acquire(request: IdentifyRequest, signal: AbortSignal): Promise<IdentifyGrant> {
		signal.throwIfAborted();
		return new Promise((resolve, reject) => {
			const withdraw = this.#ledger.ask(request, (grant) => {
				signal.removeEventListener('abort', onAbort);
				resolve(grant);
			});
			const onAbort = () => {
				withdraw();
				void this.#step();
				reject(signal.reason);
			};
			signal.addEventListener('abort', onAbort, { once: true });
			void this.#step();
		});
	}

	budget(): IdentifyBudgetState {
		return this.#ledger.budget();
	}

	waits(): IdentifyWait[] {
		return this.#ledger.waits();
	}

	/** Resolves after a call that has everything reported so far, or after it failed; then it is repeated by itself. */
	#step(): Promise<void> {
		if (this.#closed) return Promise.resolve();
		this.#next ??= deferred<void>();
		const { promise } = this.#next;
		if (!this.#calling) void this.#callAll();
		return promise;
	}

	async #callAll(): Promise<void> {
		this.#calling = true;
		while (this.#next) {
			const waiting = this.#next;
			this.#next = undefined;
			this.#clock.clearTimeout(this.#timer);
			try {
				const nextInMs = await this.#call();
				this.#failing = false;
				this.#later(nextInMs);
			} catch (error) {
				if (!this.#failing) this.#options.onFailed?.(asShardctlError(error));
				this.#failing = true;
				this.#later(retryMs);
			}
			waiting.resolve();
		}
		this.#calling = false;
	}

	#later(delayMs: number | undefined): void {
		if (delayMs === undefined || this.#closed) return;
		this.#clock.clearTimeout(this.#timer);
		this.#timer = this.#clock.setTimeout(() => void this.#step(), delayMs);
	}

	/** Resolves with the time until the next call is due; undefined where nothing waits. */
	async #call(): Promise<number | undefined> {
		const { redis, keys } = this.#options;
		const reports = this.#ledger.takeReports();
		const sentAt = this.#clock.monotonic();
		let answer: unknown;
		try {
			answer = await redis.script(
				this.#script,
				[keys.identify],
				[
					randomBytes(8).toString('hex'),
					this.#holder,
					this.#windowMs,
					arrivalMarginMs,
					holderAliveMs,
					keys.identifyChanged,
					JSON.stringify(reports),
					slotFreshMs,
				],
			);
		} catch (error) {
			this.#ledger.putBack(reports);
			throw error;
		}
		const nextInMs = this.#ledger.heard(identifyAnswer(answer), sentAt);
		if (this.#ledger.hasReports) void this.#step();
		return nextInMs;
	}
}

function asShardctlError(error: unknown): ShardctlError {
	return ShardctlError.is(error) ? error : new ShardctlError('INTERNAL', messageOf(error), { cause: error });
}
