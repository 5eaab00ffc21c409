// Which requests of workers a session has passed on to Discord and has no full answer to yet: the answers come on that session alone.
import type { ClientRequest } from '@shardctl/gateway-protocol';
import { type Dispatch, objectOf, stringOf } from '../state/raw.js';

/** Later than this an answer is not expected. */
const answerMs = 10_000;
/** What Discord sends to a bot that joins a voice channel. */
const voiceMs = 2000;

export class AwaitedAnswers {
	/** Name of the request → when it is not expected any more. */
	readonly #due = new Map<string, number>();

	/** A worker's request goes to Discord. */
	noteRequest(request: ClientRequest, nowMs: number): void {
		const due = nowMs + answerMs;
		if (request.op === 8) this.#due.set(`8 ${request.d.nonce ?? request.d.guild_id}`, due);
		else if (request.op === 31) for (const guildId of request.d.guild_ids) this.#due.set(`31 ${guildId}`, due);
		else if (request.op === 43) this.#due.set(`43 ${request.d.guild_id}`, due);
		else if (request.op === 4) this.#due.set(`4 ${request.d.guild_id}`, nowMs + voiceMs);
	}

	/** Discord has sent an event. */
	noteEvent({ t, d }: Dispatch): void {
		if (this.#due.size === 0) return;
		const data = objectOf(d) ?? {};
		const guildId = stringOf(data.guild_id) ?? '';
		if (t === 'GUILD_MEMBERS_CHUNK' && Number(data.chunk_index) + 1 >= Number(data.chunk_count)) {
			this.#due.delete(`8 ${stringOf(data.nonce) ?? guildId}`);
		} else if (t === 'SOUNDBOARD_SOUNDS') this.#due.delete(`31 ${guildId}`);
		else if (t === 'CHANNEL_INFO') this.#due.delete(`43 ${guildId}`);
		else if (t === 'RATE_LIMITED') {
			const meta = objectOf(data.meta) ?? {};
			this.#due.delete(`${Number(data.opcode)} ${stringOf(meta.nonce) ?? stringOf(meta.guild_id) ?? ''}`);
		}
	}

	isEmpty(nowMs: number): boolean {
		for (const [name, due] of this.#due) if (due <= nowMs) this.#due.delete(name);
		return this.#due.size === 0;
	}
}
