// What one coordinator knows: its requests and slots, the budget as Redis has it, and what Redis has not been sent yet. Sends nothing and
// starts no timer.
//
// A slot that is granted is used at once. A coordinator that receives its slot late, because its process or Redis was stopped, returns the
// slot, because by then the others may count it as used.
import type {
	BudgetAnswer,
	BudgetRefusal,
	Clock,
	IdentifyBudgetState,
	IdentifyGrant,
	IdentifyRequest,
	IdentifySlot,
	IdentifyWait,
	SessionStartLimit,
} from '@shardctl/core';
import type { IdentifyAnswer, IdentifyReport } from './identify-wire.js';

/** A slot that arrives later than this after the call that fetched it was sent is returned. */
export const slotFreshMs = 2000;
/** While something waits or is granted here, Redis is asked at least this often. Its messages make it faster. */
const pollMs = 1000;

export interface IdentifyLedgerOptions {
	clock: Clock;
	/** Session starts of the day that automatic restarts never use; at most a tenth of the day's total is kept. */
	reserve: number;
	/** There is something to report. */
	onReport(): void;
}

interface Waiter {
	/** Number of the request in Redis; another one after a slot that arrived too late. */
	id: number;
	request: IdentifyRequest;
	settle(grant: IdentifyGrant): void;
	/** By Redis' clock; undefined until the first answer. */
	etaAt: number | undefined;
}

/** The last answer; `offset` is Redis' clock minus the monotonic clock here. */
type Known = Omit<IdentifyAnswer, 'time' | 'nextAt' | 'results' | 'etas'> & { readonly offset: number };

export class IdentifyLedger {
	readonly #clock: Clock;
	readonly #reserve: number;
	readonly #onReport: () => void;
	#reports: IdentifyReport[] = [];
	readonly #waiters = new Map<number, Waiter>();
	/** Granted here, and neither sent nor released. */
	readonly #slots = new Set<string>();
	#lastRequest = 0;
	#known: Known | undefined;

	constructor({ clock, reserve, onReport }: IdentifyLedgerOptions) {
		this.#clock = clock;
		this.#reserve = reserve;
		this.#onReport = onReport;
	}

	get hasReports(): boolean {
		return this.#reports.length > 0;
	}

	/** What the next call carries. */
	takeReports(): IdentifyReport[] {
		const reports = this.#reports;
		this.#reports = [];
		return reports;
	}

	/** The call that carried them has failed. Each may have had its effect, and has no further one. */
	putBack(reports: readonly IdentifyReport[]): void {
		this.#reports = [...reports, ...this.#reports];
	}

	update(limit: SessionStartLimit): void {
		this.#reports.push({
			op: 'update',
			total: limit.total,
			remaining: limit.remaining,
			resetAfter: limit.reset_after,
			maxConcurrency: limit.max_concurrency,
		});
	}

	/** Asks for a slot; `settle` is called with what becomes of it. The returned function withdraws the request. */
	ask(request: IdentifyRequest, settle: (grant: IdentifyGrant) => void): () => void {
		const waiter = { id: 0, request, settle, etaAt: undefined };
		this.#wait(waiter);
		return () => this.#withdraw(waiter);
	}

	withdrawAll(): void {
		for (const waiter of Array.from(this.#waiters.values())) this.#withdraw(waiter);
	}

	/** The answer to a call that was sent at `sentAt`. Returns the time until the next one is due; undefined where nothing waits. */
	heard(answer: IdentifyAnswer, sentAt: number): number | undefined {
		const now = this.#clock.monotonic();
		const { nonce, maxConcurrency, total, remaining, resetAt, granted, time } = answer;
		const former = this.#known;
		this.#known = { nonce, maxConcurrency, total, remaining, resetAt, granted, offset: time - now };
		if (former && former.nonce !== nonce) this.#reportAgain(former);
		for (const [request, result] of answer.results) this.#settle(request, result, now - sentAt);
		for (const [request, at] of answer.etas) {
			const waiter = this.#waiters.get(request);
			if (waiter) waiter.etaAt = at;
		}
		if (this.#waiters.size === 0 && this.#slots.size === 0) return undefined;
		return Math.min(pollMs, answer.nextAt === undefined ? pollMs : Math.max(0, answer.nextAt - time));
	}

	allows(count: number, { automatic }: { automatic: boolean }): BudgetAnswer {
		const known = this.#known;
		const reserve = Math.min(this.#reserve, Math.floor((known?.total ?? 0) / 10));
		if (known && known.remaining - count >= (automatic ? reserve : 0)) return { allowed: true };
		return this.#refusal();
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

	#wait(waiter: Waiter): void {
		waiter.id = ++this.#lastRequest;
		waiter.etaAt = undefined;
		this.#waiters.set(waiter.id, waiter);
		this.#reports.push(this.#waitReport(waiter.id, waiter.request));
	}

	#withdraw({ id }: Waiter): void {
		if (this.#waiters.delete(id)) this.#reports.push({ op: 'leave', request: id });
	}

	#waitReport(request: number, { shardId, automatic }: IdentifyRequest): IdentifyReport {
		return { op: 'wait', request, shard: shardId, automatic, reserve: this.#reserve };
	}

	#resetInMs(): number {
		return this.#known ? Math.max(0, this.#known.resetAt - this.#known.offset - this.#clock.monotonic()) : 0;
	}

	#refusal(): BudgetRefusal {
		const retryInMs = this.#resetInMs();
		return { allowed: false, retryInMs, resetAt: this.#clock.now() + retryInMs };
	}

	/** Redis remembers nothing: it receives what this holder knows. Its slots become unknown, which counts as used when they are. */
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
			this.#wait(waiter);
			return;
		}
		waiter.settle({ allowed: true, slot: this.#slot(result, waiter.request.shardId) });
	}

	#slot(id: string, shardId: number): IdentifySlot {
		this.#slots.add(id);
		const end = (op: 'sent' | 'release') => {
			if (!this.#slots.delete(id)) return;
			this.#reports.push({ op, slot: id });
			this.#onReport();
		};
		return {
			id: Number(id),
			shardId,
			sent: () => end('sent'),
			abandon: () => end('sent'),
			release: () => end('release'),
			confirmed: () => {
				end('sent');
				this.#reports.push({ op: 'confirmed', slot: id });
				this.#onReport();
			},
		};
	}
}
