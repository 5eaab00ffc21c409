import { type Deferred, deferred } from '@shardctl/core';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import type { ResidentShard } from '../shard/resident-shard.js';
import type { ResidentSession, SessionWatch } from './resident-session.js';
import { Takeover } from './takeover.js';

class FakeShard {
	readonly id = 0;
	readonly last = 0;
	isQuiet = true;
	isHeldUp = false;
	readonly voiceRequests = [];
	/** Contents of what it got of its new session. */
	readonly got: number[] = [];
	/** Set: it is not saved before that. */
	saving: Promise<boolean> | undefined;
	save = async () => this.saving ?? true;
	guild = () => undefined;
	holdRequests = () => {};
	continueOn = () => {};
	receive = ({ d }: { d: unknown }) => void this.got.push(Number((d as { id: string }).id));
}

class FakeSession {
	readonly id = 0;
	readonly of: number;
	readonly shards: readonly FakeShard[];
	readonly terms = { intents: 1, largeThreshold: null, presence: null };
	readonly newest = 0;
	readonly connections = 1;
	readonly requestsWaiting = 0;
	readonly isReady = true;
	isRead = true;
	isServing = false;
	/** What was passed on to its shards. */
	readonly passed: number[] = [];
	#watch: SessionWatch | null = null;
	#seq = 0;

	constructor(of: number, shard: FakeShard) {
		this.of = of;
		this.shards = [shard];
	}

	get saved() {
		return { sessionId: `of ${this.of}`, resumeUrl: 'wss://discord.invalid', terms: this.terms };
	}

	get isWatched() {
		return this.#watch !== null;
	}

	watch = (watch: SessionWatch) => {
		this.#watch = watch;
	};
	unwatch = () => {
		this.#watch = null;
	};
	start = () => this.receive('READY', { user: { id: '9' }, guilds: [] });
	shardsOf = () => this.shards;
	pass = ({ d }: { d: unknown }) => void this.passed.push(Number((d as { id: string }).id));
	serve = () => {
		this.isServing = true;
	};
	showPresence = () => {};
	retire = () => [];
	closeUpstream = async () => {};
	stopReading = () => {
		this.isRead = false;
	};
	continueReading = () => {
		this.isRead = true;
	};

	say(...ids: number[]): void {
		for (const id of ids) this.receive('MESSAGE_CREATE', { id: String(id), guild_id: '1' });
	}

	receive(t: string, d: object): void {
		const dispatch = { t, d };
		if (!this.#watch?.take(dispatch, ++this.#seq)) this.pass(dispatch);
	}
}

const buffer = { events: 3, bytes: 1000, ageMs: 1000 };

/** One session is replaced by another; the store answers when the test does. */
function begin() {
	const clock = fakeClock();
	const shard = new FakeShard();
	const [present, successor] = [new FakeSession(1, shard), new FakeSession(2, shard)];
	const records: Deferred<void>[] = [];
	const takeover = new Takeover({
		from: [present as unknown as ResidentSession<ResidentShard>],
		to: [successor as unknown as ResidentSession<ResidentShard>],
		clock,
		buffer,
		withinMs: 60_000,
		signal: new AbortController().signal,
		record: () => {
			const record = deferred();
			records.push(record);
			return record.promise;
		},
		onTaken: () => {},
	});
	const done = takeover.run();
	done.catch(() => {});
	const areRead = () => [present.isRead, successor.isRead];
	return { clock, shard, present, successor, records, done, areRead };
}

it('gives a cut up where more is kept back than fits, delivers that, and tries again', async () => {
	const { clock, shard, present, records } = begin();
	await clock.advance(1000);
	shard.isQuiet = false;
	await clock.advance(1000);
	present.say(1, 2, 3);
	expect(present.passed).toEqual([]);
	present.say(4, 5);
	expect(present.passed).toEqual([1, 2, 3, 4, 5]);
	shard.isQuiet = true;
	await clock.advance(100);
	expect(records).toHaveLength(0);
	await clock.advance(10_000);
	expect(records).toHaveLength(1);
});

it('gives a cut up also while it is saved', async () => {
	const { clock, shard, present, records } = begin();
	await clock.advance(1000);
	shard.isQuiet = false;
	await clock.advance(1000);
	const saving = deferred<boolean>();
	shard.saving = saving.promise;
	shard.isQuiet = true;
	await clock.advance(10);
	present.say(1, 2, 3, 4);
	expect(present.passed).toEqual([1, 2, 3, 4]);
	saving.resolve(true);
	await clock.advance(100);
	expect(records).toHaveLength(0);
});

it('reads nothing more from Discord where the store does not answer, and continues as the store has decided', async () => {
	for (const isWritten of [true, false]) {
		const { clock, shard, present, successor, records, done, areRead } = begin();
		await clock.advance(3000);
		expect(records).toHaveLength(1);
		present.say(1, 2, 3);
		successor.say(1, 2, 3);
		expect(areRead()).toEqual([true, true]);
		present.say(4);
		successor.say(4);
		expect(areRead()).toEqual([false, false]);
		await clock.advance(60_000);
		expect([present.passed, shard.got]).toEqual([[], []]);
		if (isWritten) records[0]?.resolve();
		else records[0]?.reject(new Error('full'));
		await clock.advance(10);
		expect(areRead()).toEqual([true, true]);
		expect([present.passed, shard.got]).toEqual(isWritten ? [[], [1, 2, 3, 4]] : [[1, 2, 3, 4], []]);
		expect(successor.isServing).toBe(isWritten);
		if (isWritten) await done;
	}
});
