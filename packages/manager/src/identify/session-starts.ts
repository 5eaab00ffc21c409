// What Discord allows this manager: asks for the gateway, guards the day's session starts, hands out identify slots, and
// remembers when Discord has refused for good. Everything that leads to an IDENTIFY passes here.
import { type Clock, type GatewayInfo, type IdentifyBudgetState, ShardctlError, sleep } from '@shardctl/core';
import { IdentifyBudget } from './budget.js';
import { type IdentifySlot, type IdentifyWait, LocalIdentifyCoordinator } from './coordinator.js';
import { GatewaySource } from './gateway-source.js';
import { acquireIdentify, budgetRetryMs } from './permission.js';

export interface SessionStartsOptions {
	api: string;
	token: string;
	clock: Clock;
	/** Identifies of the day that automatic restarts never spend. */
	reserve: number;
	/** Length of the identify window. */
	windowMs: number;
	/** Told when Discord did not answer and its last answer is used on. */
	onStale(error: ShardctlError): void;
}

/** Who wants to start, and how to tell that it has to wait for the budget. */
export interface Starter {
	/** Nobody asked for this start: it leaves the reserve alone. */
	automatic: boolean;
	onDeferred(state: IdentifyBudgetState): void;
	/** Discord does not know the token (any more): whoever wants to start must end. */
	onRefused(error: ShardctlError): void;
}

export class SessionStarts {
	readonly #clock: Clock;
	readonly #budget: IdentifyBudget;
	readonly #coordinator: LocalIdentifyCoordinator;
	readonly #gateway: GatewaySource;
	#refusal: ShardctlError | undefined;

	constructor({ api, token, clock, reserve, windowMs, onStale }: SessionStartsOptions) {
		this.#clock = clock;
		this.#budget = new IdentifyBudget(clock, reserve);
		this.#coordinator = new LocalIdentifyCoordinator({ clock, maxConcurrency: 1, windowMs });
		this.#gateway = new GatewaySource({
			api,
			token,
			clock,
			budget: this.#budget,
			onInfo: (info) => this.#coordinator.setMaxConcurrency(info.session_start_limit.max_concurrency),
			onStale,
			onRefused: (error) => this.refuse(error),
		});
	}

	/** Set once Discord has refused for good: from then on no IDENTIFY goes out, until somebody asks for a restart. */
	get refusal(): ShardctlError | undefined {
		return this.#refusal;
	}

	refuse(error: ShardctlError): void {
		this.#refusal ??= error;
	}

	/** The answer of `GET /gateway/bot`, at most a few seconds old; see {@link GatewaySource.current}. */
	gateway(): Promise<GatewayInfo> {
		return this.#gateway.current();
	}

	/** The last answer; only after {@link gateway} has resolved once. */
	get lastGateway(): GatewayInfo {
		return this.#gateway.last;
	}

	budget(): IdentifyBudgetState {
		return this.#budget.state();
	}

	waits(): IdentifyWait[] {
		return this.#coordinator.waits();
	}

	/** Throws `IDENTIFY_BUDGET` when the day does not have so many session starts left. */
	checkStart(sessions: number): void {
		const answer = this.#budget.check(sessions, { automatic: false });
		if (answer.allowed) return;
		const { remaining, total } = this.#budget.state();
		throw new ShardctlError(
			'IDENTIFY_BUDGET',
			`the start needs ${sessions} session starts, and Discord allows ${remaining} more of today's ${total}: ` +
				`wait until ${new Date(answer.resetAt).toISOString()}, when they reset, or start fewer shards`,
			{ details: { needed: sessions, remaining, total, resetAt: answer.resetAt } },
		);
	}

	/**
	 * Waits until `shards` shards may be started again. Throws the refusal; one that Discord pronounces just now is told by
	 * `onRefused`, maybe later. An API that does not answer is no reason not to start.
	 */
	async beforeRestart(shards: number, { automatic, onDeferred, onRefused }: Starter, signal: AbortSignal): Promise<void> {
		// Whoever asks for a restart says that what Discord refused is mended.
		if (!automatic) this.#refusal = undefined;
		for (let attempt = 1; ; attempt++) {
			this.#throwRefusal();
			const asked = this.#gateway.current().catch((error: unknown) => {
				if (ShardctlError.is(error) && error.code === 'TOKEN_INVALID') onRefused(error);
			});
			// As far as is known there are enough: the process boots while Discord is asked, and its IDENTIFY waits for the answer.
			if (this.#budget.check(shards, { automatic }).allowed) return;
			await asked;
			this.#throwRefusal();
			const answer = this.#budget.check(shards, { automatic });
			if (answer.allowed) return;
			if (attempt === 1) onDeferred(this.#budget.state());
			await sleep(this.#clock, Math.min(Math.max(answer.retryInMs, budgetRetryMs.min), budgetRetryMs.max), signal);
		}
	}

	#throwRefusal(): void {
		if (this.#refusal) throw this.#refusal;
	}

	/** Resolves when the shard may send IDENTIFY; see {@link acquireIdentify}. */
	async acquireIdentify(shardId: number, starter: Starter, signal: AbortSignal): Promise<IdentifySlot> {
		await this.#gateway.settled();
		return acquireIdentify(
			{
				clock: this.#clock,
				coordinator: this.#coordinator,
				budget: this.#budget,
				refused: () => this.#refusal !== undefined,
				refresh: async () => {
					await this.#gateway.current().catch(() => {});
				},
			},
			{ shardId, ...starter },
			signal,
		);
	}
}
