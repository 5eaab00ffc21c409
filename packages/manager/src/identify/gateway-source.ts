// What Discord says of the gateway, asked as seldom as correctness allows, and the budget that goes with it.
import { type Clock, type GatewayInfo, ShardctlError } from '@shardctl/core';
import type { IdentifyBudget } from './budget.js';
import { fetchGatewayInfo } from './discord-api.js';

/** One answer serves all restarts of the same wave. */
const maxAgeMs = 5000;
/** Once there is an answer, nobody waits longer than this for a newer one. */
const refreshTimeoutMs = 5000;

export interface GatewaySourceOptions {
	api: string;
	token: string;
	clock: Clock;
	budget: IdentifyBudget;
	/** Told of every new answer. */
	onInfo(info: GatewayInfo): void;
	/** Told when Discord did not answer and the last answer is used on. */
	onStale(error: ShardctlError): void;
	/** Told when Discord does not know the token (any more), before anybody who waits is. */
	onRefused(error: ShardctlError): void;
}

export class GatewaySource {
	readonly #options: GatewaySourceOptions;
	#last: { info: GatewayInfo; at: number } | undefined;
	#asking: Promise<GatewayInfo> | undefined;

	constructor(options: GatewaySourceOptions) {
		this.#options = options;
	}

	/** The last answer. Only after {@link current} has resolved once. */
	get last(): GatewayInfo {
		if (!this.#last) throw new ShardctlError('INTERNAL', 'Discord was not asked for the gateway yet');
		return this.#last.info;
	}

	/**
	 * An answer that is at most a few seconds old. While the API is down the last answer serves on, so that a worker can come
	 * back as long as the gateway itself is up; without any answer, and on 401, the error is thrown.
	 */
	async current(): Promise<GatewayInfo> {
		const { clock, onStale } = this.#options;
		if (this.#last && clock.monotonic() - this.#last.at < maxAgeMs) return this.#last.info;
		this.#asking ??= this.#ask().finally(() => {
			this.#asking = undefined;
		});
		try {
			return await this.#asking;
		} catch (error) {
			if (!this.#last || !ShardctlError.is(error) || error.code !== 'API_UNREACHABLE') throw error;
			onStale(error);
			return this.#last.info;
		}
	}

	/** Resolves when no question is under way; never rejects. */
	async settled(): Promise<void> {
		await this.#asking?.catch(() => {});
	}

	async #ask(): Promise<GatewayInfo> {
		const { api, token, clock, budget, onInfo, onRefused } = this.#options;
		const timeout = this.#last ? { timeoutMs: refreshTimeoutMs } : {};
		const info = await fetchGatewayInfo({ api, token, ...timeout }).catch((error: unknown) => {
			if (ShardctlError.is(error) && error.code === 'TOKEN_INVALID') onRefused(error);
			throw error;
		});
		this.#last = { info, at: clock.monotonic() };
		budget.update(info);
		onInfo(info);
		return info;
	}
}
