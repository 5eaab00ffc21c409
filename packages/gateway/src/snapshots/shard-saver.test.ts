import { setImmediate as nextTurn } from 'node:timers/promises';
import { deferred as newDeferred, ShardctlError } from '@shardctl/core';
import { EncodedDispatch, type PresencePayload } from '@shardctl/gateway-protocol';
import { fakeClock } from '@shardctl/test-support';
import { expect, it } from 'vitest';
import { ShardState } from '../state/shard-state.js';
import { DeferredState } from '../stream/deferred-state.js';
import { readJournal } from './event-journal.js';
import { type SavedWorker, ShardSaver } from './shard-saver.js';
import { decodeSnapshot } from './shard-snapshot.js';

const termsWith = (presence: PresencePayload | null) => ({ intents: 1, largeThreshold: null, presence });

const workerSession: SavedWorker = {
	sessionId: 'w',
	incarnation: 1,
	identify: { token: '', properties: {}, intents: 1, shard: [3, 4] },
	unconfirmedAt: null,
	resumableFrom: 10,
	handledThrough: 10,
};

function setup() {
	const clock = fakeClock();
	const files = new Map<string, Uint8Array>();
	const disk = {
		full: false,
		refuses: '',
		fenced: false,
		refusesWorker: false,
		unanswered: 0,
		away: false,
		writes: 0,
		answers: Promise.resolve(),
		/** How a write takes its data in parts. */
		takesParts: async (_onProgress?: () => void) => {},
	};
	const newState = () => ShardState.fromReady({ user: { id: '9' }, guilds: [] });
	const worker = null as SavedWorker | null;
	/** `onRead` is what happens while the state is read. */
	const shard = { cursor: 10, ahead: 0, state: newState(), terms: termsWith(null), worker, onRead: () => {} };
	const problems: string[] = [];
	const recovered: number[] = [];
	const answered: number[] = [];
	const write = (name: string, data: Uint8Array | readonly Uint8Array[], fenced = disk.fenced) => {
		disk.writes++;
		if (fenced || (disk.refusesWorker && name.endsWith('.worker.json'))) throw new ShardctlError('FENCED', 'replaced');
		if (disk.full) throw new Error('ENOSPC');
		if (disk.away) throw new ShardctlError('REDIS_UNAVAILABLE', 'no connection');
		if (disk.unanswered-- > 0) throw new Error('no answer');
		if (name === disk.refuses) throw new Error('EISDIR');
		files.set(name, data instanceof Uint8Array ? data : Buffer.concat(data));
	};
	const deferred = new DeferredState((entry, state) => saver.record(entry, state));
	deferred.adopt(shard.state);
	const saver = new ShardSaver({
		names: { shard: 'shard-3', journal: 'shard-3.journal', worker: 'shard-3.worker.json' },
		clock,
		store: {
			write: async (name, data, onProgress) => {
				if (name === 'shard-3') await disk.takesParts(onProgress);
				write(name, data);
			},
			append: async (name, data) => {
				const { fenced, answers } = disk;
				await answers;
				write(name, Buffer.concat([files.get(name) ?? Buffer.alloc(0), data]), fenced);
			},
			remove: async (name) => void files.delete(name),
		},
		snapshot: () => {
			shard.onRead();
			return {
				shardId: 3,
				layout: { generation: 0, totalShards: 4, sessions: 2 },
				session: { sessionId: 's', resumeUrl: 'u', terms: shard.terms },
				seq: shard.cursor,
				cursor: shard.cursor,
				through: shard.cursor + shard.ahead,
				botId: '9',
				voice: [],
				state: shard.state,
			};
		},
		completeThrough: () => shard.cursor + shard.ahead,
		worker: () => shard.worker,
		state: deferred,
		onFailed: (error) => problems.push((error as Error).message),
		onRecovered: (failedForMs) => recovered.push(failedForMs),
		silentAfterMs: 4500,
		onAnswered: () => answered.push(clock.monotonic()),
	});
	const happen = (events: number, content = '') => {
		for (let n = 0; n < events; n++) {
			const entry = { offset: ++shard.cursor, event: EncodedDispatch.of('MESSAGE_CREATE', { content }) };
			saver.record(entry, shard.state);
		}
	};
	/** The position of the snapshot, and the last position of the journal after it. */
	const saved = () => {
		const data = files.get('shard-3');
		if (!data) return undefined;
		const { cursor } = decodeSnapshot(data);
		const batches = [...readJournal(files.get('shard-3.journal') as Uint8Array, cursor)];
		return [cursor, batches.flatMap(({ events }) => events).at(-1)?.offset ?? cursor];
	};
	return { clock, disk, shard, problems, recovered, answered, saver, saved, files, happen, newState, deferred };
}

it('reports the saved position and its age', async () => {
	const { clock, disk, saver, happen, files, problems, recovered } = setup();
	const size = () => (files.get('shard-3')?.length ?? 0) + (files.get('shard-3.journal')?.length ?? 0);
	expect(saver.stats).toEqual({ snapshotBytes: null, snapshotAgeMs: null, snapshotFailure: null });
	await saver.ensureSnapshot();
	expect(saver.stats).toEqual({ snapshotBytes: size(), snapshotAgeMs: 0, snapshotFailure: null });
	happen(5);
	await clock.advance(250);
	expect(saver.stats).toEqual({ snapshotBytes: size(), snapshotAgeMs: 0, snapshotFailure: null });
	disk.full = true;
	happen(5);
	await clock.advance(1000);
	expect(saver.stats.snapshotAgeMs).toBeGreaterThanOrEqual(1000);
	// B10: the reason for failing saves, from the first failure on.
	const { since } = saver.stats.snapshotFailure ?? {};
	expect(saver.stats.snapshotFailure?.error).toContain('ENOSPC');
	await clock.advance(1000);
	expect(saver.stats.snapshotFailure).toMatchObject({ since });
	disk.full = false;
	happen(5);
	// The longest wait between two attempts.
	await clock.advance(5000);
	expect(saver.stats.snapshotFailure).toBeNull();
	// B7: a failure that is reported once has one end.
	expect([problems.length, recovered.length]).toEqual([1, 1]);
	expect(recovered[0]).toBeGreaterThanOrEqual(2000);
	happen(5);
	await clock.advance(1000);
	expect(recovered).toHaveLength(1);
	saver.stop();
});

it('saves a snapshot at once, then appends events as they happen', async () => {
	const { clock, saver, saved, happen } = setup();
	await clock.advance(300);
	expect(saved()).toEqual([10, 10]);
	happen(3);
	await clock.advance(300);
	expect(saved()).toEqual([10, 13]);
	happen(600);
	await clock.advance(0);
	expect(saved()).toEqual([10, 525]);
	await clock.advance(300);
	expect(saved()).toEqual([10, 613]);
	saver.stop();
});

it('writes a new snapshot when the state is replaced, the session has changed, or the journal is long', async () => {
	const { clock, shard, saver, saved, happen, newState } = setup();
	await clock.advance(300);
	shard.state = newState();
	happen(1);
	expect(saved()).toEqual([10, 10]);
	await clock.advance(300);
	expect(saved()).toEqual([11, 11]);
	shard.terms = termsWith({ status: 'idle' } as PresencePayload);
	happen(1);
	await clock.advance(300);
	expect(saved()).toEqual([12, 12]);
	// Longer than a small snapshot by far, and not by so much that the last snapshot, of just now, would have to be replaced.
	happen(2, 'x'.repeat(2 ** 20));
	await clock.advance(1000);
	expect(saved()).toEqual([12, 14]);
	await clock.advance(1000);
	expect(saved()).toEqual([14, 14]);
	happen(20, 'x'.repeat(2 ** 20));
	await clock.advance(300);
	expect(saved()).toEqual([34, 34]);
	saver.stop();
});

it('saves while thousands of events wait to be applied to the state, which a snapshot applies at once', async () => {
	const { clock, shard, saver, saved, deferred } = setup();
	await clock.advance(3000);
	const { state } = shard;
	// As the stream has it: what reads the state applies what waits, and each event is recorded.
	Object.defineProperty(shard, 'state', { get: () => deferred.current ?? state });
	const content = 'x'.repeat(150);
	const take = (events: number) => {
		for (let n = 0; n < events; n++) {
			const event = EncodedDispatch.of('MESSAGE_CREATE', { content });
			deferred.take({
				offset: ++shard.cursor,
				event,
				data: { content },
				guildId: null,
				ownMember: false,
				coalesceKey: undefined,
				receivedAtMs: 0,
				tries: 0,
			});
		}
	};
	take(20_000);
	await clock.advance(300);
	for (let turn = 0; turn < 3; turn++) await nextTurn();
	await clock.advance(300);
	expect([saved()?.[1], deferred.nextOffset]).toEqual([20_010, undefined]);
	saver.stop();
	deferred.stop();
});

it('limits what it queues for a disk that hangs', async () => {
	const { clock, saver, saved, happen, disk } = setup();
	await clock.advance(300);
	disk.full = true;
	happen(40, 'x'.repeat(2 ** 20));
	disk.full = false;
	await clock.advance(600);
	expect(saved()).toEqual([50, 50]);
	saver.stop();
});

it('writes nothing while nothing happens', async () => {
	const { clock, disk, saver } = setup();
	await clock.advance(500);
	const { writes } = disk;
	await clock.advance(60_000);
	expect(disk.writes).toBe(writes);
	saver.stop();
});

it('reports a full disk once, and saves when there is space again', async () => {
	const { clock, disk, problems, saver, saved } = setup();
	disk.full = true;
	await clock.advance(5000);
	expect([problems, saved()]).toEqual([['ENOSPC'], undefined]);
	disk.full = false;
	await clock.advance(500);
	expect(saved()).toEqual([10, 10]);
	saver.stop();
});

it('continues with a new snapshot when an event could not be saved', async () => {
	const { clock, disk, problems, saver, saved, happen } = setup();
	await clock.advance(300);
	disk.full = true;
	happen(1);
	await clock.advance(300);
	expect([problems, saved()]).toEqual([['ENOSPC'], [10, 10]]);
	disk.full = false;
	happen(1);
	await clock.advance(500);
	expect(saved()).toEqual([12, 12]);
	saver.stop();
});

/** A saver that has begun to encode a state of 200 guilds, and an event that arrives in the last guild during that. */
async function encoding() {
	const made = setup();
	const { clock, shard, deferred } = made;
	for (let id = 1; id <= 200; id++) shard.state.apply({ t: 'GUILD_CREATE', d: { id: String(id), member_count: 1 } });
	await clock.advance(250);
	const data = { guild_id: '200', user: { id: '77' } };
	const event = EncodedDispatch.of('GUILD_MEMBER_ADD', data);
	const rest = { guildId: '1', ownMember: false, coalesceKey: undefined, receivedAtMs: 0, tries: 0 };
	deferred.take({ offset: ++shard.cursor, event, data, ...rest });
	const members = (state: ShardState | undefined) => state?.guild('200')?.member_count;
	return { ...made, members };
}

it('encodes a large state over many turns from a frozen state, and appends the events of that time', async () => {
	const { clock, saver, saved, files, deferred, members } = await encoding();
	let turns = 0;
	for (; deferred.nextOffset === 11 && turns < 1000; turns++) await nextTurn();
	expect(turns).toBeGreaterThan(20);
	await clock.advance(250);
	expect(members(decodeSnapshot(files.get('shard-3') as Uint8Array).state)).toBe(1);
	expect(saved()).toEqual([10, 11]);
	saver.stop();
});

it('finishes encoding at once when a caller needs the current state', async () => {
	const { clock, saver, saved, deferred, members } = await encoding();
	expect(saved()).toBeUndefined();
	expect(members(deferred.current)).toBe(2);
	await clock.advance(250);
	expect(saved()).toEqual([10, 11]);
	saver.stop();
});

it('finishes encoding at once when a worker waits for it', async () => {
	const { saver, saved } = await encoding();
	await saver.ensureSnapshot();
	expect(saved()).toEqual([10, 10]);
	saver.stop();
});

it('removes its files when the session is over', async () => {
	const { saver, files } = setup();
	await saver.saveNow();
	expect(files.size).toBeGreaterThan(0);
	await saver.remove();
	expect(files.size).toBe(0);
});

it('records that the session continued without the shard', async () => {
	const { clock, shard, files, saver, saved } = setup();
	await clock.advance(300);
	shard.ahead = 90;
	await clock.advance(300);
	const [batch, ...more] = readJournal(files.get('shard-3.journal') as Uint8Array, 10);
	expect([batch, more, saved()]).toEqual([{ events: [], through: 100, end: expect.any(Number) }, [], [10, 10]]);
	saver.stop();
});

it('saves nothing more after another process has claimed its files', async () => {
	const { clock, disk, problems, saver, happen } = setup();
	await clock.advance(300);
	disk.fenced = true;
	happen(1);
	await clock.advance(300);
	const { writes } = disk;
	happen(1);
	await clock.advance(10_000);
	await saver.saveNow();
	expect([problems, disk.writes, clock.pendingTimers()]).toEqual([['replaced'], writes, 0]);
});

it('saves again once its owner is confirmed, where a write of before was refused because of another owner', async () => {
	const { clock, disk, saver, saved, happen } = setup();
	await saver.ensureSnapshot();
	const answer = newDeferred();
	disk.answers = answer.promise;
	disk.fenced = true;
	happen(3);
	await clock.advance(250);
	// Confirmed, and the answer to that write is late.
	saver.retrySoon();
	disk.fenced = false;
	answer.resolve();
	await clock.advance(1000);
	happen(2);
	saver.retrySoon();
	await clock.advance(1000);
	expect(saved()).toEqual([15, 15]);
	happen(1);
	await clock.advance(1000);
	expect(saved()).toEqual([15, 16]);
	saver.stop();
});

it('saves again once its owner is confirmed, where what was queued behind a refused write failed in another way', async () => {
	const { clock, disk, shard, saver, saved, happen, files, problems } = setup();
	await saver.ensureSnapshot();
	const answer = newDeferred();
	disk.answers = answer.promise;
	// The worker and the shard are queued together: the first is refused, the second is not answered.
	shard.worker = workerSession;
	disk.refusesWorker = true;
	disk.unanswered = 1;
	happen(1);
	await clock.advance(250);
	answer.resolve();
	await clock.advance(1000);
	expect(problems).toEqual(['replaced']);
	disk.refusesWorker = false;
	const { writes } = disk;
	// Not written while another process may be the owner, and not taken for written later.
	await saver.saveWorker();
	await saver.ensureSnapshot();
	happen(1);
	await clock.advance(1000);
	expect(disk.writes).toBe(writes);
	saver.retrySoon();
	await clock.advance(1000);
	expect([saved(), files.has('shard-3.worker.json')]).toEqual([[12, 12], true]);
	happen(1);
	await clock.advance(1000);
	expect(saved()).toEqual([12, 13]);
	saver.stop();
});

it('continues what an earlier process has left of the same state, and replaces it where the session is another', async () => {
	const { clock, disk, saver, saved, shard, happen } = setup();
	await saver.saveNow();
	const session = { sessionId: 's', resumeUrl: 'u', terms: shard.terms };
	const left = { state: shard.state, session, through: 10, bytes: { snapshot: 100, journal: 20 } };
	saver.continueJournal(left);
	const { writes } = disk;
	await saver.ensureSnapshot();
	expect([disk.writes, saver.stats.snapshotBytes]).toEqual([writes, 120]);
	happen(2);
	await clock.advance(250);
	expect([disk.writes, saved()]).toEqual([writes + 1, [10, 12]]);
	saver.continueJournal({ ...left, session: { ...session, sessionId: 'former' } });
	await saver.ensureSnapshot();
	expect(saved()).toEqual([12, 12]);
	saver.stop();
});

it('finding 18: reports a snapshot that can never be written once, retries with growing delays, and still saves the worker', async () => {
	const { clock, disk, shard, problems, saver } = setup();
	disk.refuses = 'shard-3';
	for (let second = 0; second < 60; second++) {
		// The worker's session changes and is saved: that does not end the failure of the snapshot.
		shard.worker = {
			sessionId: `w${second}`,
			incarnation: 1,
			identify: { token: '', intents: 0, properties: {} },
			unconfirmedAt: null,
			resumableFrom: 0,
			handledThrough: second,
		};
		await clock.advance(1000);
	}
	expect(problems).toEqual(['EISDIR']);
	expect(saver.stats.snapshotFailure).toMatchObject({ error: 'EISDIR' });
	// An attempt has two writes: about 5 attempts in the first 8 s, then one every 5 s.
	expect(disk.writes).toBeLessThan(40);
	disk.refuses = '';
	await clock.advance(5000);
	expect(saver.stats.snapshotFailure).toBeNull();
	saver.stop();
});

it('tries what has failed for long again as soon as the cause may be over', async () => {
	const { clock, disk, saver, happen, recovered } = setup();
	disk.full = true;
	happen(1);
	await clock.advance(60_000);
	disk.full = false;
	saver.retrySoon();
	await clock.advance(300);
	expect(recovered).toHaveLength(1);
});

it('calls a store silent that has answered nothing for a while, whether a write waits or fails, and reports its next answer', async () => {
	const { clock, disk, saver, happen, answered } = setup();
	await saver.ensureSnapshot();
	await clock.advance(60_000);
	const hangs = newDeferred();
	disk.answers = hangs.promise;
	happen(1);
	await clock.advance(250 + 4499);
	expect(saver.isSilent).toBe(false);
	await clock.advance(1);
	expect(saver.isSilent).toBe(true);
	expect(answered).toEqual([]);
	hangs.resolve();
	await clock.advance(0);
	expect(saver.isSilent).toBe(false);
	expect(answered).toHaveLength(1);
	disk.away = true;
	happen(1);
	await clock.advance(250 + 4500);
	expect(saver.isSilent).toBe(true);
	disk.away = false;
	saver.retrySoon();
	await clock.advance(250);
	expect(saver.isSilent).toBe(false);
	expect(answered).toHaveLength(2);
	saver.stop();
});

it('calls no store silent that takes a large snapshot part by part, before one of them waits', async () => {
	const { clock, disk, saver, answered } = setup();
	const part = newDeferred();
	disk.takesParts = async (onProgress) => {
		for (let parts = 0; parts < 3; parts++) {
			await new Promise<void>((resolve) => clock.setTimeout(resolve, 4000));
			onProgress?.();
		}
		await part.promise;
	};
	const written = saver.ensureSnapshot();
	await nextTurn();
	for (let second = 0; second < 16; second++) {
		await clock.advance(1000);
		expect(saver.isSilent).toBe(false);
	}
	await clock.advance(500);
	expect(saver.isSilent).toBe(true);
	part.resolve();
	await written;
	expect(saver.isSilent).toBe(false);
	expect(answered).toHaveLength(1);
	saver.stop();
});

it('calls no store silent that refuses what is saved', async () => {
	const { clock, disk, saver, happen } = setup();
	await saver.ensureSnapshot();
	disk.full = true;
	happen(1);
	for (let second = 0; second < 60; second++) {
		await clock.advance(1000);
		expect(saver.isSilent).toBe(false);
	}
	saver.stop();
});

it('saves everything at the end also where the store has not answered once', async () => {
	const { disk, saver, saved, happen, recovered } = setup();
	await saver.saveNow();
	happen(3);
	disk.unanswered = 1;
	await saver.saveNow();
	expect(saved()).toEqual([13, 13]);
	expect(recovered).toHaveLength(1);
	disk.fenced = true;
	happen(1);
	const { writes } = disk;
	await saver.saveNow();
	expect(disk.writes).toBe(writes + 1);
	saver.stop();
});

it('saves what the reading of the state applies with it, however much that is', async () => {
	const { clock, saver, shard, happen, saved } = setup();
	await saver.ensureSnapshot();
	let waiting = 50_000;
	shard.onRead = () => {
		for (; waiting > 0; happen(1)) waiting--;
	};
	happen(512);
	await clock.advance(250);
	expect([waiting, saved()?.at(-1)]).toEqual([0, shard.cursor]);
	saver.stop();
});
