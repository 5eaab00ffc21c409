// Everything in this manager that leads to an IDENTIFY: asks Discord for the gateway, asks the coordinator for slots and for the day's
// budget, and remembers when Discord has refused for good.
import {
	type Clock,
	type GatewayInfo,
	type IdentifyBudgetState,
	type IdentifyCoordinator,
	type IdentifySlot,
	type IdentifyWait,
	ShardctlError,
	sleep,
} from '@shardctl/core';
import { GatewaySource } from './gateway-source.js';
import { acquireIdentify, budgetRetryDelayMs } from './permission.js';

/** An IDENTIFY goes out on what Discord stated within this time. */
const budgetMaxAgeMs = 60_000;
/** The same for a session that is started again while the fleet runs, which is rare. */
const automaticMaxAgeMs = 5000;

export interface SessionStartsOptions {
	api: string;
	/** Where Discord is asked instead, if anywhere: at what counts the requests of the bot. */
	via?(): string | undefined;
	token: string;
	clock: Clock;
	coordinator: IdentifyCoordinator;
	/** Called when Discord did not answer and its last answer is used instead. */
	onStale(error: ShardctlError): void;
	/** Called when a start asks again after a fault of Discord's. */
	onRetry(error: ShardctlError, delayMs: number): void;
	/** A session sends IDENTIFY, after it has waited for its slot. */
	onIdentify?(session: number, waitedMs: number): void;
}

/** One wish to start sessions. */
export interface StartRequest {
	/** No person requested this start: it leaves the reserve alone. */
	automatic: boolean;
	/** Called once when the start has to wait until the budget resets. */
	onDeferred(state: IdentifyBudgetState): void;
	/** Called when Discord does not accept the token (any more): the process that was to start must end. */
	onRefused(error: ShardctlError): void;
}

export class SessionStarts {
	readonly #clock: Clock;
	#coordinator: IdentifyCoordinator;
	readonly #gateway: GatewaySource;
	readonly #onIdentify: NonNullable<SessionStartsOptions['onIdentify']>;
	#refusal: ShardctlError | undefined;
	/** Shards whose last IDENTIFY was sent and not answered by READY. */
	readonly #unconfirmed = new Set<number>();

	constructor({ api, via, token, clock, coordinator, onStale, onRetry, onIdentify = () => {} }: SessionStartsOptions) {
		this.#onIdentify = onIdentify;
		this.#clock = clock;
		this.#coordinator = coordinator;
		this.#gateway = new GatewaySource({
			api,
			...(via ? { via } : {}),
			token,
			clock,
			onInfo: (info) => this.#coordinator.update(info.session_start_limit),
			onStale,
			onRetry,
			onRefused: (error) => this.refuse(error),
		});
	}

	/** Another coordinator from here on; before the first session. */
	useCoordinator(coordinator: IdentifyCoordinator): void {
		this.#coordinator = coordinator;
	}

	/** Set once Discord has refused for good: no IDENTIFY is sent from then on, until a person requests a restart. */
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

	/** As {@link gateway}, for the start of a fleet; see {@link GatewaySource.first}. */
	firstGateway(signal: AbortSignal): Promise<GatewayInfo> {
		return this.#gateway.first(signal);
	}

	/** The last answer; only after {@link gateway} has resolved once. */
	get lastGateway(): GatewayInfo {
		return this.#gateway.last;
	}

	/** When {@link lastGateway} arrived; monotonic. */
	get lastGatewayAt(): number {
		return this.#gateway.lastAt;
	}

	budget(): IdentifyBudgetState {
		return this.#coordinator.budget();
	}

	waits(): IdentifyWait[] {
		return this.#coordinator.waits();
	}

	/** Rejects with `IDENTIFY_BUDGET` when the day has too few session starts left. */
	async checkStart(sessions: number): Promise<void> {
		const answer = await this.#coordinator.check(sessions, { automatic: false });
		if (answer.allowed) return;
		const { remaining, total } = this.#coordinator.budget();
		throw new ShardctlError(
			'IDENTIFY_BUDGET',
			`the start needs ${sessions} session starts, and Discord allows ${remaining} more of today's ${total}: ` +
				`wait until ${new Date(answer.resetAt).toISOString()}, when they reset, or start fewer shards`,
			{ details: { needed: sessions, remaining, total, resetAt: answer.resetAt } },
		);
	}

	/** Rejects with `IDENTIFY_BUDGET` when so many more sessions would use the reserve. */
	async checkReshard(sessions: number): Promise<void> {
		const answer = await this.#coordinator.check(sessions, { automatic: true });
		if (answer.allowed) return;
		const { remaining, total } = this.#coordinator.budget();
		throw new ShardctlError(
			'IDENTIFY_BUDGET',
			`resharding needs ${sessions} session starts, and Discord allows ${remaining} more of today's ${total}, of which some are reserved ` +
				`for restarts: try again at ${new Date(answer.resetAt).toISOString()}, when they reset`,
			{ details: { needed: sessions, remaining, total, resetAt: answer.resetAt } },
		);
	}

	/**
	 * Waits until `sessions` sessions may be started again. Rejects with the refusal; a refusal that arrives meanwhile is reported
	 * through `onRefused`. An API that does not answer does not prevent a start.
	 */
	async beforeRestart(sessions: number, { automatic, onDeferred, onRefused }: StartRequest, signal: AbortSignal): Promise<void> {
		// A person who requests a restart has fixed what Discord refused.
		if (!automatic) this.#refusal = undefined;
		for (let attempt = 1; ; attempt++) {
			this.#throwRefusal();
			const asked = this.#gateway.current().catch((error: unknown) => {
				if (ShardctlError.is(error) && error.code === 'TOKEN_INVALID') onRefused(error);
			});
			// As far as is known there are enough: the process boots while Discord is asked, and its IDENTIFY waits for the answer.
			if ((await this.#coordinator.check(sessions, { automatic })).allowed) return;
			await asked;
			this.#throwRefusal();
			const answer = await this.#coordinator.check(sessions, { automatic });
			if (answer.allowed) return;
			if (attempt === 1) onDeferred(this.#coordinator.budget());
			await sleep(this.#clock, budgetRetryDelayMs(answer), signal);
		}
	}

	#throwRefusal(): void {
		if (this.#refusal) throw this.#refusal;
	}

	/** Resolves when the shard may send IDENTIFY; see {@link acquireIdentify}. */
	async acquireIdentify(shardId: number, request: StartRequest, signal: AbortSignal): Promise<IdentifySlot> {
		const askedAt = this.#clock.monotonic();
		await this.#gateway.settled();
		// What Discord states replaces what is counted here: another process may use the same token.
		const maxAgeMs = this.#unconfirmed.delete(shardId) ? 0 : request.automatic ? automaticMaxAgeMs : budgetMaxAgeMs;
		await this.refresh({ maxAgeMs });
		const slot = await acquireIdentify(
			{
				clock: this.#clock,
				coordinator: this.#coordinator,
				refused: () => this.#refusal,
				refresh: async () => {
					await this.#gateway.current().catch(() => {});
				},
			},
			{ shardId, ...request },
			signal,
		);
		return this.#followed(slot, () => this.#onIdentify(shardId, Math.round(this.#clock.monotonic() - askedAt)));
	}

	/** Asks Discord for the budget unless its last answer is recent. Never rejects: without an answer the last one holds. */
	async refresh({ maxAgeMs = budgetMaxAgeMs }: { maxAgeMs?: number } = {}): Promise<void> {
		await this.#gateway.refresh(maxAgeMs).catch(() => {});
	}

	/** Remembers an IDENTIFY that READY does not confirm: Discord may have refused it because the budget is used up. */
	#followed(slot: IdentifySlot, onSent: () => void): IdentifySlot {
		const { id, shardId } = slot;
		return {
			id,
			shardId,
			sent: () => {
				this.#unconfirmed.add(shardId);
				onSent();
				slot.sent();
			},
			confirmed: () => {
				this.#unconfirmed.delete(shardId);
				slot.confirmed();
			},
			release: () => slot.release(),
			abandon: () => {
				this.#unconfirmed.add(shardId);
				slot.abandon();
			},
		};
	}
}
