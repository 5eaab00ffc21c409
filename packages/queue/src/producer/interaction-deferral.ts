// Answers interactions to Discord with a deferred response as soon as they have arrived, so that a worker has 15 minutes for the rest. Workers
// wait for the outcome, which is noted in Redis; the stream does not. Tokens of interactions are in no message.
// Discord: Receiving and Responding to Interactions, "Interaction Callback".
import type { RedisPort } from '@shardctl/cluster';
import { type Clock, restUserAgent, sleep } from '@shardctl/core';
import { producerScripts } from '../scripts/producer-scripts.js';
import type { QueueKeys } from '../wire/keys.js';

export interface InteractionDeferralOptions {
	redis: Pick<RedisPort, 'script'>;
	keys: QueueKeys;
	clock: Clock;
	/** Base URL of Discord's REST API. */
	api: string;
	/** So many interactions were not deferred since the last call; the last one for this reason. At most once a minute. */
	onFailed(count: number, reason: string): void;
	fetch?: typeof fetch;
}

/** `unknown`: Discord may have received the response. */
type Outcome = { readonly kind: 'deferred' } | { readonly kind: 'refused' | 'unknown'; readonly reason: string };

/** Deferred responses by type of interaction: commands and forms, and components, whose message stays as it is. Others cannot be deferred. */
const responses: ReadonlyMap<unknown, number> = new Map([
	[2, 5],
	[3, 6],
	[5, 5],
]);
/** Of a response that becomes a message: only the user sees it. */
const ephemeral = { data: { flags: 64 } };
const becomesMessage = 5;
/** Discord waits 3 s for the first response. */
const answerWithinMs = 2500;
const askAgainMs = 250;
/** Interactions whose outcome is not noted yet. */
const mostAtOnce = 1024;
const noteWithinMs = 30_000;
const noteAgainMs = 500;
/** The token of an interaction is valid for 15 minutes. */
const tokenMs = 900_000;
const reportEveryMs = 60_000;
const alreadyAcknowledged = 40_060;
/** Nothing was sent. */
const notConnected: ReadonlySet<unknown> = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'UND_ERR_CONNECT_TIMEOUT']);

export class InteractionDeferral {
	readonly #options: InteractionDeferralOptions;
	readonly #script = producerScripts().noteDeferral;
	readonly #pending = new Set<Promise<unknown>>();
	#stopping = false;
	#failures = 0;
	#reportedAtMs = Number.NEGATIVE_INFINITY;

	constructor(options: InteractionDeferralOptions) {
		this.#options = options;
	}

	/**
	 * Returns undefined for what cannot be deferred, or not now; else a promise of whether Discord has the response, as far as it is known. It never
	 * rejects.
	 *
	 * @param data Of INTERACTION_CREATE.
	 * @param key Of the event.
	 */
	begin(data: unknown, key: string, { isEphemeral = false } = {}): Promise<boolean> | undefined {
		const { id, token, type } = (data ?? {}) as { id?: unknown; token?: unknown; type?: unknown };
		const response = responses.get(type);
		if (response === undefined || typeof id !== 'string' || typeof token !== 'string') return undefined;
		if (this.#pending.size >= mostAtOnce) {
			this.#failed(`more than ${mostAtOnce} were being answered`);
			return undefined;
		}
		const path = `/v10/interactions/${encodeURIComponent(id)}/${encodeURIComponent(token)}/callback`;
		const body = JSON.stringify({ type: response, ...(isEphemeral && response === becomesMessage && ephemeral) });
		const answered = this.#respond(path, body);
		const noted = answered.then((outcome) => this.#note(outcome, key)).finally(() => this.#pending.delete(noted));
		this.#pending.add(noted);
		return answered.then(({ kind }) => kind !== 'refused');
	}

	/** Resolves within seconds, when every interaction that has arrived is answered, and its outcome is noted or Redis does not answer. */
	async stop(): Promise<void> {
		this.#stopping = true;
		await Promise.all(this.#pending);
	}

	/** Until it is accepted, or Discord accepts no response to it any more. */
	async #respond(path: string, body: string): Promise<Outcome> {
		const { clock } = this.#options;
		const deadline = clock.monotonic() + answerWithinMs;
		const end = new AbortController();
		const timer = clock.setTimeout(() => end.abort(), answerWithinMs);
		let isUncertain = false;
		try {
			for (;;) {
				const tried = await this.#send(path, body, end.signal);
				if ('outcome' in tried) return tried.outcome;
				isUncertain ||= tried.mayHaveArrived;
				const waitMs = Math.max(askAgainMs, tried.retryAfterMs);
				if (end.signal.aborted || clock.monotonic() + waitMs >= deadline)
					return { kind: isUncertain ? 'unknown' : 'refused', reason: tried.reason };
				await sleep(clock, waitMs);
			}
		} finally {
			clock.clearTimeout(timer);
		}
	}

	async #send(
		path: string,
		body: string,
		signal: AbortSignal,
	): Promise<{ outcome: Outcome } | { reason: string; retryAfterMs: number; mayHaveArrived: boolean }> {
		const { api, fetch: send = fetch } = this.#options;
		try {
			const response = await send(api.replace(/\/+$/, '') + path, {
				method: 'POST',
				// Interactions carry their own token.
				headers: { 'content-type': 'application/json', 'user-agent': restUserAgent },
				body,
				redirect: 'error',
				signal,
			});
			const { status, headers } = response;
			const text = await response.text().catch(() => '');
			if (response.ok) return { outcome: { kind: 'deferred' } };
			const code = codeOf(text);
			// By the process before this one, which ended before it had noted it.
			if (code === alreadyAcknowledged) return { outcome: { kind: 'deferred' } };
			const reason = `Discord answered ${status}${code === undefined ? '' : ` (code ${code})`}`;
			if (status !== 429 && status < 500) return { outcome: { kind: 'refused', reason } };
			return { reason, retryAfterMs: 1000 * (Number(headers.get('retry-after')) || 0), mayHaveArrived: false };
		} catch (error) {
			// The message of an error may name the URL, and the token is in it.
			const code = (error as { cause?: { code?: unknown } }).cause?.code;
			const reason = typeof code === 'string' ? `no answer from Discord (${code})` : 'no answer from Discord';
			return { reason, retryAfterMs: 0, mayHaveArrived: !notConnected.has(code) };
		}
	}

	/** Of an outcome that is unknown nothing is noted: workers wait for it for a while, and then take it for deferred. Never rejects. */
	async #note(outcome: Outcome, key: string): Promise<void> {
		const { redis, keys, clock } = this.#options;
		if (outcome.kind !== 'deferred') this.#failed(outcome.reason);
		if (outcome.kind === 'unknown') return;
		const until = clock.monotonic() + noteWithinMs;
		const args = [outcome.kind === 'deferred' ? 'yes' : 'no', tokenMs];
		do {
			try {
				await redis.script(this.#script, [keys.deferred(key), keys.meta], args);
				return;
			} catch {
				await sleep(clock, noteAgainMs);
			}
		} while (clock.monotonic() < until && !this.#stopping);
	}

	#failed(reason: string): void {
		const { clock, onFailed } = this.#options;
		this.#failures++;
		if (clock.monotonic() - this.#reportedAtMs < reportEveryMs) return;
		this.#reportedAtMs = clock.monotonic();
		const count = this.#failures;
		this.#failures = 0;
		onFailed(count, reason);
	}
}

/** Discord's own code of an error. */
function codeOf(text: string): number | undefined {
	try {
		const { code } = (JSON.parse(text) ?? {}) as { code?: unknown };
		return typeof code === 'number' ? code : undefined;
	} catch {
		return undefined;
	}
}
