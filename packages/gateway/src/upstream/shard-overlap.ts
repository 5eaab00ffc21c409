// The events of one shard while two generations of sessions send them: the present session delivers, the new one only gathers. Decides
// which events of the new one the worker has already received. Relies on each session's order within a guild, and on no order between
// sessions. Pure.
import { guildIdOf } from '../state/guild-of-event.js';
import { type Dispatch, objectOf } from '../state/raw.js';

/** An event of the present session that the new one has not sent after this time was sent before the new one began. */
export const staleAfterMs = 3000;
/** How far one session may be behind the other: an event that is not there by then does not come. */
export const hearOutMs = 1500;
/** What one session has sent and the other has not, of one shard: events, and bytes of what is kept of them. */
export const overlapLimit = { events: 20_000, bytes: 64 * 1024 * 1024 };

/** What only one session gets: answers to its own requests, and its start. */
const ownEvents: ReadonlySet<string> = new Set([
	'READY',
	'RESUMED',
	'GUILD_MEMBERS_CHUNK',
	'VOICE_SERVER_UPDATE',
	'SOUNDBOARD_SOUNDS',
	'CHANNEL_INFO',
	'RATE_LIMITED',
]);

/** Whether Discord sends this event to every session of its shard. */
export function isShared({ t }: Dispatch): boolean {
	return !ownEvents.has(t);
}

/** An event of the new session that the present one has not delivered. */
export interface GatheredEvent {
	readonly dispatch: Dispatch;
	/** Of the new session. */
	readonly seq: number;
}

interface Gathered extends GatheredEvent {
	readonly key: string;
	readonly atMs: number;
}

interface Delivered {
	key: string;
	atMs: number;
}

export class ShardOverlap {
	/** Guild → what the present session has delivered and the new one has not sent, oldest first. */
	readonly #delivered = new Map<string, Delivered[]>();
	/** Guild → what the new session has sent and the present one has not delivered, oldest first. */
	readonly #gathered = new Map<string, Gathered[]>();
	/** Sequence numbers of the new session's events that were delivered by the present one. */
	#repeated: number[] = [];
	#deliveredCount = 0;
	#deliveredBytes = 0;
	#gatheredCount = 0;
	#gatheredBytes = 0;
	#repeatedCount = 0;
	/** When the present session began again; undefined where it has not. */
	#restartedAtMs: number | undefined;

	/** Events that both have sent. */
	get repeatedCount(): number {
		return this.#repeatedCount;
	}

	/** Whether more is remembered than should be: one of the sessions does not send what the other does. */
	get isOver(): boolean {
		const bytes = this.#deliveredBytes + this.#gatheredBytes;
		return this.#deliveredCount + this.#gatheredCount > overlapLimit.events || bytes > overlapLimit.bytes;
	}

	/** Of what is kept of events that the present session has delivered. */
	get deliveredBytes(): number {
		return this.#deliveredBytes;
	}

	/** The present session has delivered an event. */
	present(dispatch: Dispatch, nowMs: number): void {
		if (!isShared(dispatch)) return;
		const [guild, key] = [guildIdOf(dispatch) ?? '', keyOf(dispatch)];
		const gathered = this.#gathered.get(guild);
		const index = gathered?.findIndex((event) => event.key === key) ?? -1;
		if (gathered && index >= 0) {
			const [event] = gathered.splice(index, 1);
			if (gathered.length === 0) this.#gathered.delete(guild);
			this.#gatheredCount--;
			this.#gatheredBytes -= bytesOf(event as Gathered);
			this.#noteRepeated((event as GatheredEvent).seq);
			return;
		}
		const delivered = this.#delivered.get(guild) ?? [];
		this.#delivered.set(guild, delivered);
		delivered.push({ key, atMs: nowMs });
		this.#deliveredCount++;
		this.#deliveredBytes += key.length;
		const isMuch = this.#deliveredCount > overlapLimit.events / 2 || this.#deliveredBytes > overlapLimit.bytes / 2;
		if (isMuch) this.#forgetStale(nowMs);
	}

	/** The new session has sent an event, which is kept unless it was delivered. Returns whether it was. */
	gather(dispatch: Dispatch, seq: number, nowMs: number): boolean {
		if (!isShared(dispatch)) return true;
		if (this.wasDelivered(dispatch, nowMs)) {
			this.#noteRepeated(seq);
			return true;
		}
		const [guild, key] = [guildIdOf(dispatch) ?? '', keyOf(dispatch)];
		const gathered = this.#gathered.get(guild) ?? [];
		this.#gathered.set(guild, gathered);
		gathered.push({ dispatch, seq, key, atMs: nowMs });
		this.#gatheredCount++;
		this.#gatheredBytes += bytesOf({ dispatch, key });
		return false;
	}

	/** Whether the present session has delivered this event of the new one; what it delivered before it in the guild is forgotten. */
	wasDelivered(dispatch: Dispatch, nowMs: number): boolean {
		if (this.#deliveredCount === 0) return false;
		const guild = guildIdOf(dispatch) ?? '';
		const delivered = this.#delivered.get(guild);
		if (!delivered) return false;
		const key = keyOf(dispatch);
		const index = delivered.findIndex((each) => each.key === key && nowMs - each.atMs < staleAfterMs);
		if (index < 0) return false;
		this.#noteForgotten(delivered.splice(0, index + 1));
		if (delivered.length === 0) this.#delivered.delete(guild);
		return true;
	}

	/** Whether the new session may still send an event that was delivered. */
	awaitsRepeats(nowMs: number): boolean {
		this.#forgetStale(nowMs);
		return this.#deliveredCount > 0;
	}

	/** Whether one of the sessions has sent something of a guild that the other has not. */
	isOpen(guildId: string): boolean {
		return this.#gathered.has(guildId) || this.#delivered.has(guildId);
	}

	/** What only the new session has sent, in its order. */
	get gathered(): readonly GatheredEvent[] {
		return [...this.#gathered.values()].flat().sort((one, other) => one.seq - other.seq);
	}

	/** Sequence numbers behind the first of {@link gathered} whose events were delivered. */
	get repeatedBehindFirst(): readonly number[] {
		const [first] = this.gathered;
		return first ? this.#repeated.filter((seq) => seq > first.seq) : [];
	}

	/** The new session has begun again: what it had sent is of a session that is over. */
	clearGathered(): void {
		this.#gathered.clear();
		this.#gatheredCount = 0;
		this.#gatheredBytes = 0;
		this.#repeated = [];
	}

	/**
	 * The present session has begun again, with a state that contains what both had sent. The new one may still send some of that: it may be
	 * behind, and the present one will never deliver it.
	 */
	restart(nowMs: number): void {
		this.clearGathered();
		this.#delivered.clear();
		this.#deliveredCount = 0;
		this.#deliveredBytes = 0;
		this.#restartedAtMs = nowMs;
	}

	/** How long it takes until it is certain which events of the new session the state of a present one that has begun again contains. */
	settlesInMs(nowMs: number): number {
		return this.#restartedAtMs === undefined ? 0 : Math.max(0, this.#restartedAtMs + staleAfterMs + hearOutMs - nowMs);
	}

	/** Once that is certain: what the state contains counts as delivered. Behind what was delivered since then it would be out of order. */
	settle(): void {
		if (this.#restartedAtMs === undefined) return;
		const until = this.#restartedAtMs + staleAfterMs;
		for (const [guild, gathered] of this.#gathered) {
			const later = gathered.filter(({ atMs }) => atMs >= until);
			const contained = gathered.filter(({ atMs }) => atMs < until);
			if (later.length > 0) this.#gathered.set(guild, later);
			else this.#gathered.delete(guild);
			this.#gatheredCount -= contained.length;
			for (const event of contained) {
				this.#gatheredBytes -= bytesOf(event);
				this.#noteRepeated(event.seq);
			}
		}
	}

	#noteRepeated(seq: number): void {
		this.#repeatedCount++;
		if (this.#gatheredCount === 0) this.#repeated = [];
		else this.#repeated.push(seq);
		if (this.#repeated.length > overlapLimit.events) this.#repeated = [...this.repeatedBehindFirst];
	}

	#forgetStale(nowMs: number): void {
		for (const [guild, delivered] of this.#delivered) {
			// Oldest first.
			const young = delivered.findIndex(({ atMs }) => nowMs - atMs < staleAfterMs);
			if (young === 0) continue;
			this.#noteForgotten(delivered.splice(0, young < 0 ? delivered.length : young));
			if (delivered.length === 0) this.#delivered.delete(guild);
		}
	}

	#noteForgotten(forgotten: readonly Delivered[]): void {
		this.#deliveredCount -= forgotten.length;
		for (const { key } of forgotten) this.#deliveredBytes -= key.length;
	}
}

/** About what an event takes that is kept. */
function bytesOf({ dispatch, key }: { dispatch: Dispatch; key: string }): number {
	return (dispatch.text?.length ?? 0) + key.length;
}

/** What both sessions have in common of one event. A message counts by its id, and an edit by its time as well, because the content depends on the intents. */
function keyOf({ t, d }: Dispatch): string {
	const message = t.startsWith('MESSAGE_') ? objectOf(d) : undefined;
	if (typeof message?.id !== 'string') return `${t} ${JSON.stringify(d)}`;
	return t === 'MESSAGE_UPDATE' ? `${t} ${message.id} ${String(message.edited_timestamp)}` : `${t} ${message.id}`;
}
