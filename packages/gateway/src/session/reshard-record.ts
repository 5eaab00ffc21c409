// What a gateway process writes down when sessions have been replaced: which sessions carry its shards now, and how each shard continues
// on its new session until it has been saved with it. Written before the first event of a new session is released, so that the next
// process continues with the session whose events the workers have.
import type { Layout } from '@shardctl/core';
import type { HeldSnapshots } from '../snapshots/held-snapshots.js';
import type { SavedSession } from '../upstream/upstream-shard.js';
import type { ContinuedShard } from './resident-session.js';

const version = 1;

/** A session that has replaced others. */
export interface ReplacingSession {
	id: number;
	/** The shard count that it has identified with. */
	of: number;
	session: SavedSession;
	/** Position of an event = this + Discord's sequence number of it. */
	base: number;
	/** `replaced`: the id of the session that carried the shard before. `through` and `skip`: see {@link ContinuedShard}. */
	shards: readonly { id: number; through: number; skip: readonly number[]; replaced: string }[];
}

export interface ReshardRecordOptions {
	/** See `botKey`. */
	bot: string;
	/** Of the shards. */
	layout: Pick<Layout, 'generation' | 'totalShards'>;
	/** Of this process. In a cluster, what a process of other shards has written under the same name counts as nothing. */
	shardIds: readonly number[];
	store: HeldSnapshots;
}

export class ReshardRecord {
	readonly #options: ReshardRecordOptions;
	#of: Pick<ReshardRecordOptions, 'layout' | 'shardIds'>;
	#sessions: readonly ReplacingSession[] = [];
	/** What the last sessions of a shard have replaced, for {@link undo}. */
	#former: readonly ReplacingSession[] = [];
	/** There may be a file, whatever it says. */
	#isWritten = false;
	/** Groups are replaced at the same time, and each writes down all of them: one after the other, or the last one would undo the others. */
	#writing: Promise<void> = Promise.resolve();

	constructor(options: ReshardRecordOptions) {
		this.#options = options;
		this.#of = options;
	}

	/**
	 * The shards are those of another count from now on, all of them saved with the sessions that carry them. What was written of the
	 * former ones is removed: a later fleet can have their generation and their count again.
	 */
	begin(of: Pick<ReshardRecordOptions, 'layout' | 'shardIds'>): void {
		this.#of = of;
		this.#sessions = [];
		this.#former = [];
		// Where it fails, `remove` tries it again.
		this.#removeFile().catch(() => {});
	}

	/** Reads what an earlier process wrote. What is damaged, or of other shards, counts as nothing. */
	async read(): Promise<void> {
		const data = await this.#options.store.read(this.#name);
		const written = data && parseRecord(data);
		const { layout, shardIds } = this.#of;
		const { generation, totalShards } = layout;
		const isOfThese = written?.shardIds === undefined || written.shardIds.join() === shardIds.join();
		const isPresent = written?.totalShards === totalShards && written.generation === generation && isOfThese;
		this.#sessions = isPresent ? written.sessions : [];
		this.#isWritten = data !== undefined && isOfThese;
	}

	/** After {@link read}, in a store of this fleet alone: removes what was written of another generation, or of no session any more. */
	async tidy(): Promise<void> {
		if (this.#sessions.length === 0) await this.#removeFile();
	}

	/** Writes it down once more: what was written before may be lost. */
	writeAgain(): Promise<void> {
		return this.#sessions.length > 0 ? this.add([]) : Promise.resolve();
	}

	/** The count of the session that carries a shard; undefined where it was never replaced. */
	sessionsOf(shardId: number): number | undefined {
		return this.#sessions.find(({ shards }) => shards.some(({ id }) => id === shardId))?.of;
	}

	/** How a shard continues that was saved with this session of Discord's; undefined where it continues as it was saved. */
	continued(shardId: number, savedWith: string): ContinuedShard | undefined {
		for (const { session, base, shards } of this.#sessions) {
			const shard = shards.find(({ id }) => id === shardId);
			if (shard && (shard.replaced === savedWith || session.sessionId === savedWith)) return { ...shard, session, base };
		}
		return undefined;
	}

	/** Adds sessions, in place of those that carried the same shards. Nothing has changed when it rejects. */
	add(added: readonly ReplacingSession[]): Promise<void> {
		return this.#write(() => {
			const replaced = this.#sessions.filter((session) => sharesShards(session, added));
			this.#former = [...this.#former.filter((session) => !sharesShards(session, added)), ...replaced];
			return [...this.#sessions.filter((session) => !replaced.includes(session)), ...added];
		});
	}

	/** Removes sessions that were just added, and brings back those that they have replaced. */
	undo(added: readonly ReplacingSession[]): Promise<void> {
		return this.#write(() => {
			const former = this.#former.filter((session) => sharesShards(session, added));
			return [...this.#sessions.filter((session) => !added.includes(session)), ...former];
		});
	}

	/** The sessions are over. */
	async remove(): Promise<void> {
		this.#sessions = [];
		await this.#removeFile();
	}

	/** After everything that is being written. */
	#removeFile(): Promise<void> {
		const done = this.#writing.then(async () => {
			if (!this.#isWritten) return;
			await this.#options.store.remove(this.#name);
			this.#isWritten = false;
		});
		this.#writing = done.catch(() => {});
		return done;
	}

	#write(change: () => readonly ReplacingSession[]): Promise<void> {
		const done = this.#writing.then(async () => {
			const sessions = change();
			const { layout, shardIds } = this.#of;
			const { generation, totalShards } = layout;
			const written: Written = { generation, totalShards, shardIds, sessions };
			this.#isWritten = true;
			await this.#options.store.write(this.#name, Buffer.from(JSON.stringify({ version, ...written })));
			this.#sessions = sessions;
		});
		this.#writing = done.catch(() => {});
		return done;
	}

	get #name(): string {
		return `${this.#options.bot}.sessions.json`;
	}
}

function sharesShards(session: ReplacingSession, others: readonly ReplacingSession[]): boolean {
	const ids = new Set(others.flatMap(({ shards }) => shards.map(({ id }) => id)));
	return session.shards.some(({ id }) => ids.has(id));
}

interface Written {
	generation: number;
	totalShards: number;
	/** Absent in what versions before wrote. */
	shardIds: readonly number[] | undefined;
	sessions: readonly ReplacingSession[];
}

/** Undefined for anything but what {@link ReshardRecord.add} has written. */
function parseRecord(data: Uint8Array): Written | undefined {
	try {
		const { version: found, generation = 0, totalShards, shardIds, sessions } = JSON.parse(Buffer.from(data).toString());
		const whole = found === version && Array.isArray(sessions) && sessions.every((each) => Array.isArray(each?.shards));
		return whole ? { generation, totalShards, shardIds: Array.isArray(shardIds) ? shardIds : undefined, sessions } : undefined;
	} catch {
		return undefined;
	}
}
