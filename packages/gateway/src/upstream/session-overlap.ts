// The events that a new session with Discord receives before it replaces the present one, which carries the same shards. From about the READY
// of the new session on, Discord sends every event to both, in no common order: so the events of the new one are deferred until the
// present one has ended, and those that the present one has delivered are marked as repeated. They are not dropped, because the state begins again with the new session.

import { type Dispatch, objectOf, objectsOf } from '../state/raw.js';
import { isShared, overlapLimit, ShardOverlap } from './shard-overlap.js';

interface Deferred {
	dispatch: Dispatch;
	seq: number;
}

export class SessionOverlap {
	readonly #both = new ShardOverlap();
	#deferred: (Deferred & { isStart: boolean })[] = [];
	/** Guilds with which the new session begins that have not arrived. */
	#pending = new Set<string>();
	/** Of the deferred events without those that the session begins with, which the state needs anyway. */
	#deferredCount = 0;
	#deferredBytes = 0;

	/** The present session delivered an event. */
	seen(dispatch: Dispatch, nowMs: number): void {
		this.#both.present(dispatch, nowMs);
	}

	/** The new session received an event. Returns whether the session begins with it. */
	defer(dispatch: Dispatch, seq: number, nowMs: number): boolean {
		const isStart = this.#takeStart(dispatch);
		this.#deferred.push({ dispatch, seq, isStart });
		if (isStart) return true;
		this.#deferredCount++;
		this.#deferredBytes += dispatch.text?.length ?? 0;
		this.#both.gather(dispatch, seq, nowMs);
		return false;
	}

	/** Whether more waits here than should: the buffers of the shards, which have bounds of their own, have to take it. */
	get isFull(): boolean {
		const bytes = this.#deferredBytes + this.#both.deliveredBytes;
		return this.#deferredCount > overlapLimit.events || bytes > overlapLimit.bytes;
	}

	/** The present session has begun again. */
	restart(nowMs: number): void {
		this.#both.restart(nowMs);
	}

	/** See {@link ShardOverlap.settlesInMs}. */
	settlesInMs(nowMs: number): number {
		return this.#both.settlesInMs(nowMs);
	}

	/** The deferred events in order; `repeated` where the present session has delivered the same event. */
	*deferred(): Generator<Deferred> {
		this.#both.settle();
		const own = new Set(this.#both.gathered.map(({ seq }) => seq));
		for (const { dispatch, seq, isStart } of this.#deferred) {
			const isRepeated = !isStart && isShared(dispatch) && !own.has(seq);
			yield { dispatch: isRepeated ? repeated(dispatch) : dispatch, seq };
		}
	}

	/** Whether the new session may still send an event that the present one has delivered. */
	awaitsRepeats(nowMs: number): boolean {
		return this.#both.awaitsRepeats(nowMs);
	}

	/** Whether the new session begins with it: the present one has sent no such event. */
	#takeStart({ t, d }: Dispatch): boolean {
		if (t === 'READY') {
			// Where Discord has begun another one in its place, what it had sent is of a session that is over.
			this.#deferred = [];
			this.#deferredCount = 0;
			this.#deferredBytes = 0;
			this.#both.clearGathered();
			this.#pending = new Set(objectsOf(objectOf(d)?.guilds).map(({ id }) => String(id)));
			return true;
		}
		return (t === 'GUILD_CREATE' || t === 'GUILD_DELETE') && this.#pending.delete(String(objectOf(d)?.id));
	}
}

function repeated(dispatch: Dispatch): Dispatch {
	return { ...dispatch, repeated: true };
}
