// Lets a worker's IDENTIFY pass only when its gateway process can answer it at once: libraries give up on READY after some seconds (15
// in @discordjs/ws), and Discord's identify pace can keep a session waiting for minutes. The intents of a bot are not known before one of
// its workers identifies, so one shard goes first; all other sessions are started with the terms that Discord has accepted there.
import { type Clock, type Deferred, deferred, type SessionTerms, ShardctlError, sleep } from '@shardctl/core';
import type { ManagedGateway } from './managed-gateway.js';

/** While the terms are unknown, one shard may identify in this time: a worker may end before its IDENTIFY has led to a session. */
const firstIdentifyMs = 5000;

export class IdentifyAdmission {
	readonly #clock: Clock;
	#terms: SessionTerms | null = null;
	readonly #termsKnown: Deferred<void> = deferred();
	#nextFirstAt = Number.NEGATIVE_INFINITY;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	/** Discord has started a session with these terms. */
	noteTerms(terms: SessionTerms): void {
		this.#terms = terms;
		this.#termsKnown.resolve();
	}

	/** Resolves when the shard may send its IDENTIFY to the gateway process. Rejects only with the signal's reason. */
	async wait(
		gateway: Pick<ManagedGateway, 'whenReady' | 'request'>,
		{ shardId, totalShards }: { shardId: number; totalShards?: number },
		signal: AbortSignal,
	): Promise<void> {
		for (;;) {
			await gateway.whenReady(signal);
			const params = { shardId, terms: this.#terms, ...(totalShards !== undefined && { totalShards }) };
			const asked = gateway.request('shard.prepare', params, { signal, timeoutMs: Number.POSITIVE_INFINITY });
			const outcome = await asked.then(({ answerable }) => (answerable ? 'pass' : 'unstarted'), afterFailure);
			signal.throwIfAborted();
			if (outcome === 'pass' || (outcome === 'unstarted' && (await this.#goesFirst(signal)))) return;
		}
	}

	/** Whether this shard's IDENTIFY is to start its session; false once the terms are known. */
	async #goesFirst(signal: AbortSignal): Promise<boolean> {
		for (;;) {
			const waitMs = this.#nextFirstAt - this.#clock.monotonic();
			if (this.#terms) return false;
			if (waitMs <= 0) {
				this.#nextFirstAt = this.#clock.monotonic() + firstIdentifyMs;
				return true;
			}
			const waiting = new AbortController();
			const slept = sleep(this.#clock, waitMs, AbortSignal.any([signal, waiting.signal]));
			slept.catch(() => {});
			await Promise.race([slept, this.#termsKnown.promise]).finally(() => waiting.abort());
		}
	}
}

/** A process that has just died is followed by another, which is asked again. Any other failure shows at the IDENTIFY itself. */
function afterFailure(error: unknown): 'pass' | 'ask again' {
	const died = ShardctlError.is(error) && (error.code === 'CHANNEL_CLOSED' || error.code === 'WORKER_UNAVAILABLE');
	return died ? 'ask again' : 'pass';
}
