// The identify coordinator of all nodes, and of managers that share a token without one: slots and the day's budget are in Redis, and one
// script serves whoever waits. Each coordinator sends one script at a time, with everything that happened here since the last.
//
// A slot that is granted is used at once. A coordinator that learns of its slot late, because its process or Redis was stopped, gives the
// slot back, because by then the others may count it as used.

import { randomBytes } from 'node:crypto';
import {
	arrivalMarginMs,
	type BudgetAnswer,
	type Clock,
	type Deferred,
	deferred,
	type IdentifyBudgetState,
	type IdentifyCoordinator,
	type IdentifyGrant,
	type IdentifyRequest,
	type IdentifySlot,
	type IdentifyWait,
	identifyWindowMs,
	messageOf,
	type SessionStartLimit,
	ShardctlError,
	type Timer,
} from '@shardctl/core';
import { pairs } from '../lease/renewal-wire.js';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisPort, RedisScript } from '../redis/redis-port.js';
import { redisSources, type ScriptSources } from '../scripts/preamble.js';
import { identifyScript } from './identify-script.js';

export interface RedisIdentifyCoordinatorOptions {
	redis: RedisPort;
	keys: ClusterKeys;
	clock: Clock;
	/** Session starts of the day that automatic restarts never use; at most a tenth of the day's total is kept. */
	reserve: number;
	/** Length of the identify window (default 5000). */
	windowMs?: number;
	/** Called once for a series of failed calls, which are repeated. */
	onFailed?(error: ShardctlError): void;
	/** @internal For tests. */
	sources?: ScriptSources;
}

/** After this silence a holder counts as gone: its slots as used, and its requests as withdrawn. */
const holderAliveMs = 10_000;
/** A slot that is not in the caller's hands within this time of the call that fetched it is given back. */
const slotFreshMs = 2000;
/** While something waits or is granted here, at least this often. Redis' messages make it faster. */
const pollMs = 1000;
const retryMs = 500;

type Report =
	| { op: 'update'; total: number; remaining: number; resetAfter: number; maxConcurrency: number }
	| { op: 'restore'; total: number; remaining: number; resetAfter: number; maxConcurrency: number }
	| { op: 'wait'; request: number; shard: number; automatic: boolean; reserve: number }
	| { op: 'leave' | 'got'; request: number }
	| { op: 'sent' | 'confirmed' | 'release'; slot: string };

interface Waiter {
	request: IdentifyRequest;
	settle(grant: IdentifyGrant): void;
	/** By Redis' clock; undefined until the first answer. */
	etaAt: number | undefined;
}

/** What the last answer said. */
interface Known {
	nonce: string;
	/** Redis' clock minus the monotonic clock here. */
	offset: number;
	maxConcurrency: number | undefined;
	total: number;
	remaining: number;
	resetAt: number;
	granted: number;
}

export class RedisIdentifyCoordinator implements IdentifyCoordinator {
	readonly #options: RedisIdentifyCoordinatorOptions;
	readonly #clock: Clock;
	readonly #holder = randomBytes(8).toString('hex');
	readonly #script: RedisScript;
	readonly #windowMs: number;
	#reports: Report[] = [];
	readonly #waiters = new Map<number, Waiter>();
	/** Granted here, and neither sent nor released. */
	readonly #slots = new Set<string>();
	#lastRequest = 0;
	#known: Known | undefined;
	/** Those who wait for the next call that begins after they asked. */
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
		for (const request of this.#waiters.keys()) this.#reports.push({ op: 'leave', request });
		this.#waiters.clear();
		await this.#unsubscribe?.();
		await this.#call().catch(() => {});
	}

	/** Ends without a word, as a crash does: for tests. */
	silence(): void {
		this.#closed = true;
		this.#clock.clearTimeout(this.#timer);
	}

	async update(limit: SessionStartLimit): Promise<void> {
		this.#reports.push({
			op: 'update',
			total: limit.total,
			remaining: limit.remaining,
			resetAfter: limit.reset_after,
			maxConcurrency: limit.max_concurrency,
		});
		await this.#step();
	}

	async check(count: number, { automatic }: { automatic: boolean }): Promise<BudgetAnswer> {
		await this.#step();
		const known = this.#known;
		const reserve = Math.min(this.#options.reserve, Math.floor((known?.total ?? 0) / 10));
		if (known && known.remaining - count >= (automatic ? reserve : 0)) return { allowed: true };
		return this.#refusal();
	}

	async acquire(request: IdentifyRequest, signal: AbortSignal): Promise<IdentifyGrant> {
		signal.throwIfAborted();
		const id = ++this.#lastRequest;
		return new Promise((resolve, reject) => {
			const onAbort = () => {
				this.#waiters.delete(id);
				this.#reports.push({ op: 'leave', request: id });
				void this.#step();
				reject(signal.reason);
			};
			signal.addEventListener('abort', onAbort, { once: true });
			this.#waiters.set(id, {
				request,
				etaAt: undefined,
				settle: (grant) => {
					signal.removeEventListener('abort', onAbort);
					resolve(grant);
				},
			});
			this.#reports.push(this.#waitReport(id, request));
			void this.#step();
		});
	}

	budget(): IdentifyBudgetState {
		const known = this.#known;
		return {
			total: known?.total ?? 0,
			remaining: known?.remaining ?? 0,
			resetAt: Math.round(this.#clock.now() + this.#resetInMs()),
			maxConcurrency: known?.maxConcurrency ?? 1,
			granted: known?.granted ?? 0,
		};
	}

	waits(): IdentifyWait[] {
		const redisNow = this.#clock.monotonic() + (this.#known?.offset ?? 0);
		return [...this.#waiters.values()]
			.map(({ request: { shardId }, etaAt }) => ({ shardId, etaMs: Math.max(0, (etaAt ?? redisNow) - redisNow) }))
			.sort((a, b) => a.etaMs - b.etaMs || a.shardId - b.shardId);
	}

	#waitReport(request: number, { shardId, automatic }: IdentifyRequest): Report {
		return { op: 'wait', request, shard: shardId, automatic, reserve: this.#options.reserve };
	}

	#resetInMs(): number {
		return this.#known ? Math.max(0, this.#known.resetAt - this.#known.offset - this.#clock.monotonic()) : 0;
	}

	#refusal(): Extract<BudgetAnswer, { allowed: false }> {
		const retryInMs = this.#resetInMs();
		return { allowed: false, retryInMs, resetAt: this.#clock.now() + retryInMs };
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
		const reports = this.#reports;
		this.#reports = [];
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
			this.#reports = [...reports, ...this.#reports];
			throw error;
		}
		return this.#heard(answer, sentAt);
	}

	#heard(answer: unknown, sentAt: number): number | undefined {
		const [nonce, time, mc, total, remaining, reset, granted, nextAt, results, etas] = answer as [
			...[string, string, string, string, string, string, string, string],
			string[],
			string[],
		];
		const now = this.#clock.monotonic();
		const former = this.#known;
		this.#known = {
			nonce,
			offset: Number(time) - now,
			maxConcurrency: mc === '' ? undefined : Number(mc),
			total: Number(total),
			remaining: Number(remaining),
			resetAt: Number(reset),
			granted: Number(granted),
		};
		if (former && former.nonce !== nonce) this.#reportAgain(former);
		for (const [request, result] of pairs(results)) this.#settle(Number(request), result, now - sentAt);
		for (const [request, at] of pairs(etas)) {
			const waiter = this.#waiters.get(Number(request));
			if (waiter) waiter.etaAt = Number(at);
		}
		if (this.#reports.length > 0) void this.#step();
		if (this.#waiters.size === 0 && this.#slots.size === 0) return undefined;
		return Math.min(pollMs, nextAt === '' ? pollMs : Math.max(0, Number(nextAt) - Number(time)));
	}

	/** The engine remembers nothing: it learns what this holder knows. Its slots become unknown, which counts as used when they are. */
	#reportAgain({ maxConcurrency, total, remaining, resetAt, offset }: Known): void {
		if (maxConcurrency !== undefined) {
			const resetAfter = Math.max(0, resetAt - offset - this.#clock.monotonic());
			this.#reports.push({ op: 'restore', total, remaining, resetAfter, maxConcurrency });
		}
		for (const [id, { request }] of this.#waiters) this.#reports.push(this.#waitReport(id, request));
	}

	#settle(id: number, result: string, ageMs: number): void {
		this.#reports.push({ op: 'got', request: id });
		const waiter = this.#waiters.get(id);
		this.#waiters.delete(id);
		if (result === 'refused') {
			waiter?.settle(this.#refusal());
			return;
		}
		if (this.#slots.has(result)) return;
		if (!waiter) {
			this.#reports.push({ op: 'release', slot: result });
			return;
		}
		if (ageMs > slotFreshMs) {
			this.#reports.push({ op: 'release', slot: result });
			const again = ++this.#lastRequest;
			this.#waiters.set(again, { ...waiter, etaAt: undefined });
			this.#reports.push(this.#waitReport(again, waiter.request));
			return;
		}
		waiter.settle({ allowed: true, slot: this.#slot(result, waiter.request.shardId) });
	}

	#slot(id: string, shardId: number): IdentifySlot {
		this.#slots.add(id);
		const end = (op: 'sent' | 'release') => {
			if (!this.#slots.delete(id)) return false;
			this.#reports.push({ op, slot: id });
			void this.#step();
			return true;
		};
		return {
			id: Number(id),
			shardId,
			sent: () => void end('sent'),
			abandon: () => void end('sent'),
			release: () => void end('release'),
			confirmed: () => {
				end('sent');
				this.#reports.push({ op: 'confirmed', slot: id });
				void this.#step();
			},
		};
	}
}

function asShardctlError(error: unknown): ShardctlError {
	return ShardctlError.is(error) ? error : new ShardctlError('INTERNAL', messageOf(error), { cause: error });
}
