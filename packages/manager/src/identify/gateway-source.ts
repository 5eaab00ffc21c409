// The answer of `GET /gateway/bot`, requested as rarely as correctness allows.
import { type Clock, type GatewayInfo, ShardctlError, sleep } from '@shardctl/core';
import { fetchGatewayInfo } from './discord-api.js';

/** One answer serves all restarts of the same wave. */
const maxAgeMs = 5000;
/** After a request that failed, none follows within this time unless it must. */
const maxAgeOfFailureMs = 5000;
/** With an earlier answer at hand, a newer one is awaited for this long at most. */
const refreshTimeoutMs = 5000;
/** A start waits this long in all while Discord answers with a fault of its own, which mostly passes within minutes. */
const startPatienceMs = 5 * 60_000;
const firstDelayMs = 1000;
const longestDelayMs = 30_000;

export interface GatewaySourceOptions {
	api: string;
	/** Where the request is sent instead, if anywhere: to what counts the requests of the bot. */
	via?(): string | undefined;
	token: string;
	clock: Clock;
	/** Called with every new answer, before callers receive it; awaited. Must not reject. */
	onInfo(info: GatewayInfo): Promise<void>;
	/** Called when Discord did not answer and the last answer is used instead. */
	onStale(error: ShardctlError): void;
	/** Called when a start asks again after a fault of Discord's. */
	onRetry(error: ShardctlError, delayMs: number): void;
	/** Called when Discord does not accept the token (any more), before callers receive the error. */
	onRefused(error: ShardctlError): void;
}

export class GatewaySource {
	readonly #options: GatewaySourceOptions;
	#last: { info: GatewayInfo; at: number } | undefined;
	#asking: Promise<GatewayInfo> | undefined;
	#lastAskedAt = Number.NEGATIVE_INFINITY;

	constructor(options: GatewaySourceOptions) {
		this.#options = options;
	}

	/** The last answer. Only after {@link current} has resolved once. */
	get last(): GatewayInfo {
		return this.#answer.info;
	}

	/** When that arrived; monotonic. */
	get lastAt(): number {
		return this.#answer.at;
	}

	get #answer(): { info: GatewayInfo; at: number } {
		if (!this.#last) throw new ShardctlError('INTERNAL', 'GET /gateway/bot was not requested yet');
		return this.#last;
	}

	/**
	 * An answer that is at most a few seconds old. While the API is down the last answer is used, so that a worker can be restarted
	 * as long as the gateway itself is up. Without any answer, and on 401, rejects with the error.
	 */
	async current(): Promise<GatewayInfo> {
		const { clock, onStale } = this.#options;
		if (this.#last && clock.monotonic() - this.#last.at < maxAgeMs) return this.#last.info;
		try {
			return await this.#request();
		} catch (error) {
			if (!this.#last || !ShardctlError.is(error) || error.code !== 'API_UNREACHABLE') throw error;
			onStale(error);
			return this.#last.info;
		}
	}

	/** As {@link current}, for a start: as long as Discord answers with a fault of its own (5xx, 429), asks again for some minutes. */
	async first(signal: AbortSignal): Promise<GatewayInfo> {
		const { clock, onRetry } = this.#options;
		const beganAt = clock.monotonic();
		for (let backoffMs = firstDelayMs; ; backoffMs = Math.min(backoffMs * 2, longestDelayMs)) {
			try {
				return await this.current();
			} catch (error) {
				const delayMs = ShardctlError.is(error) && isDiscordsFault(error) ? (retryAfterMs(error) ?? backoffMs) : undefined;
				if (delayMs === undefined || clock.monotonic() - beganAt + delayMs > startPatienceMs) throw error;
				onRetry(error as ShardctlError, delayMs);
				await sleep(clock, delayMs, signal);
			}
		}
	}

	/** Asks again unless that was done within `maxAgeMs`; after a request that failed, not within a few seconds either. */
	async refresh(maxAgeMs: number): Promise<void> {
		const askedMs = this.#options.clock.monotonic() - this.#lastAskedAt;
		const failed = this.#last === undefined || this.#last.at < this.#lastAskedAt;
		if (!this.#asking && askedMs < Math.max(maxAgeMs, failed ? maxAgeOfFailureMs : 0)) return;
		await this.#request();
	}

	#request(): Promise<GatewayInfo> {
		this.#asking ??= this.#ask().finally(() => {
			this.#asking = undefined;
		});
		return this.#asking;
	}

	/** Resolves when no request is in flight; never rejects. */
	async settled(): Promise<void> {
		await this.#asking?.catch(() => {});
	}

	async #ask(): Promise<GatewayInfo> {
		const { clock, onInfo, onRefused } = this.#options;
		this.#lastAskedAt = clock.monotonic();
		const info = await this.#fetch().catch((error: unknown) => {
			if (ShardctlError.is(error) && error.code === 'TOKEN_INVALID') onRefused(error);
			throw error;
		});
		this.#last = { info, at: clock.monotonic() };
		await onInfo(info);
		return info;
	}

	/** Directly too where what stands in between does not answer: that says nothing about Discord. */
	async #fetch(): Promise<GatewayInfo> {
		const { api, via, token } = this.#options;
		const request = { api, token, ...(this.#last ? { timeoutMs: refreshTimeoutMs } : {}) };
		const through = via?.();
		if (through === undefined) return fetchGatewayInfo(request);
		try {
			return await fetchGatewayInfo({ ...request, via: through });
		} catch (error) {
			if (hasAnswer(error)) throw error;
			return fetchGatewayInfo(request);
		}
	}
}

function hasAnswer(error: unknown): boolean {
	return !ShardctlError.is(error) || error.code !== 'API_UNREACHABLE' || error.details.status !== undefined;
}

function isDiscordsFault({ details: { status } }: ShardctlError): boolean {
	return typeof status === 'number' && (status === 429 || status >= 500);
}

function retryAfterMs({ details }: ShardctlError): number | undefined {
	return typeof details.retryAfterMs === 'number' ? details.retryAfterMs : undefined;
}
