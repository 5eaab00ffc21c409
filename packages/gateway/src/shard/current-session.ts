// The session with Discord that carries a shard now. Resharding moves a shard from one session to another; while the two change places,
// the requests of workers wait, so that each reaches the session that will receive its answer.
import { type CloseCode, formatIntents } from '@shardctl/core';
import type { ClientRequest, IdentifyPayload } from '@shardctl/gateway-protocol';
import type { SessionTerms } from '../upstream/upstream-shard.js';
import type { Checkpoint, Refusal, SessionLink } from './session-link.js';

export class CurrentSession implements SessionLink {
	#session: SessionLink;
	/** A session with more intents would start anew. */
	#keepsIntents = false;
	/** Set while the sessions change places. */
	#waiting: [ClientRequest, object | undefined][] | null = null;

	constructor(session: SessionLink) {
		this.#session = session;
	}

	get id(): number {
		return this.#session.id;
	}

	get botId(): string {
		return this.#session.botId;
	}

	get base(): number {
		return this.#session.base;
	}

	get newest(): number {
		return this.#session.newest;
	}

	async ensure(terms: SessionTerms, shard: object): Promise<'unchanged' | 'upgraded' | Refusal> {
		const missing = this.#keepsIntents ? terms.intents & ~(this.#session.terms?.intents ?? 0) : 0;
		if (missing === 0) return this.#session.ensure(terms, shard);
		const detail = `a worker of another shard count requested the intents ${formatIntents(missing)}, which the sessions do not have; deploy that version of the bot first`;
		return { close: 4014, detail };
	}

	/** Whether it keeps the intents that it has, whatever the worker requests. */
	keepIntents(keeps: boolean): void {
		this.#keepsIntents = keeps;
	}

	prepare(terms: SessionTerms | null): boolean {
		return this.#session.prepare(terms);
	}

	/** Of the session that carries the shard when it is refused: one that was replaced refuses nothing. */
	async refusal(): Promise<CloseCode | undefined> {
		for (;;) {
			const session = this.#session;
			const code = await session.refusal();
			if (session === this.#session) return code;
		}
	}

	request(request: ClientRequest, owner?: object): void {
		if (this.#waiting) this.#waiting.push([request, owner]);
		else this.#session.request(request, owner);
	}

	showPresence(presence: IdentifyPayload['presence']): void {
		this.#session.showPresence(presence);
	}

	release(owner: object): void {
		if (this.#waiting) this.#waiting = this.#waiting.filter(([, of]) => of !== owner);
		this.#session.release(owner);
	}

	checkpoint(): Checkpoint | null {
		return this.#session.checkpoint();
	}

	/** Requests wait until {@link continue}. */
	hold(): void {
		this.#waiting ??= [];
	}

	/** The shard is carried by this session from now on (default: as before). */
	continue(session: SessionLink = this.#session): void {
		this.#session = session;
		const waiting = this.#waiting ?? [];
		this.#waiting = null;
		for (const [request, owner] of waiting) session.request(request, owner);
	}
}
