// Sessions with Discord take over the shards of others: one session is replaced by several, or several by one, while events flow.
//
//   gathering ──every guild is there, the present sessions are heard out──▶ cutting ──written down──▶ taken
//       ▲                                                                     │
//       └──────────────── a worker is behind, or nothing can be saved ────────┘        a failure leads from both to `failed`
//
//   gathering  the present sessions serve the shards; the successors start, and their events are only compared
//   cutting    events of the present sessions are kept back until the workers have confirmed those before, and everything is saved
//   taken      the successors serve; what only they had sent is delivered, and what the others had delivered is not delivered again
//
// Until the record is written, nothing has happened: what was kept back is delivered, or the next process resumes the present sessions.
// From there on the successors count. More events than the logs of the shards may have are not kept back: before the record is handed to the store
// the cut is given up, and until it is known whether it was written, nothing more is read from Discord. Discord promises an order within each session only; that both have the same order within a guild
// is assumed, and no order between guilds.
import {
	type BufferLimits,
	type Clock,
	type CloseCode,
	intentBits,
	messageOf,
	type ReshardedGroup,
	ShardctlError,
	sleep,
} from '@shardctl/core';
import type { ClientRequest } from '@shardctl/gateway-protocol';
import type { ResidentShard } from '../shard/resident-shard.js';
import { GuildDrift } from '../state/guild-drift.js';
import { type Dispatch, objectOf, objectsOf, type RawObject } from '../state/raw.js';
import { hearOutMs, isShared, ShardOverlap, staleAfterMs } from '../upstream/shard-overlap.js';
import { AwaitedAnswers } from './awaited-answers.js';
import { HeldAmount } from './held-events.js';
import type { ReplacingSession } from './reshard-record.js';
import type { ResidentSession } from './resident-session.js';

/** A guild that has not arrived this long after the one before is not waited for, as for any new session. */
const guildWaitMs = 5000;
/** A cut waits at most this long for a moment at which the successors are not behind, and for answers to requests of workers. */
const patienceMs = { behind: 3000, answers: 15_000 };
/** How long events may be kept back, until workers have confirmed those before. */
const cutMs = 700;
const retryMs = 2000;
const tickMs = 20;
/** Voice states of a session that ends follow those of its successor. */
const voiceMs = 2000;

export interface TakeoverOptions {
	/** The sessions that carry the shards. */
	from: readonly ResidentSession[];
	/** Their successors, which were not started. */
	to: readonly ResidentSession[];
	clock: Clock;
	/** Of the log of one shard. */
	buffer: BufferLimits;
	/** Writes down that the successors count. Nothing has changed when it rejects. */
	record(replacing: readonly ReplacingSession[]): Promise<void>;
	/** Takes that back: Discord has ended one of them before it served. */
	unrecord?(replacing: readonly ReplacingSession[]): Promise<void>;
	/** The successors serve the shards: called in the same turn. */
	onTaken(): void;
	/** Guilds with which the successors begin were compared with how they were followed through the events of the present sessions. */
	onDrift?(drift: { compared: number; drifted: readonly string[] }): void;
	/** Aborts while nothing has happened yet. */
	signal: AbortSignal;
	/** How long it may take until the cut. */
	withinMs: number;
}

interface Present {
	readonly session: ResidentSession;
	/** Events that were kept back. */
	late: { dispatch: Dispatch; seq: number }[];
	connections: number;
	/** Monotonic; undefined while it is not connected. */
	connectedSince: number | undefined;
	lost: boolean;
	readonly answers: AwaitedAnswers;
}

interface Successor {
	readonly session: ResidentSession;
	/** Guilds of READY that have not arrived; undefined before READY. */
	pending: Set<string> | undefined;
	/** Monotonic. Of the last of them. */
	lastGuildAt: number;
	lastSeq: number;
	botId: string;
	identifies: number;
	readonly drift: GuildDrift;
}

export class Takeover {
	readonly #options: TakeoverOptions;
	readonly #present: readonly Present[];
	readonly #successors: readonly Successor[];
	readonly #overlaps: ReadonlyMap<number, ShardOverlap>;
	#state: 'gathering' | 'cutting' | 'taken' | 'failed' = 'gathering';
	#failure: ShardctlError | undefined;
	#drifted = 0;
	/** Of what is kept back. */
	#late: HeldAmount;
	/** Why the last cut was given up. */
	#undone = '';
	/** The record is with the store: whether it counts is not known before it answers. */
	#isRecording = false;
	/** Discord has ended one of the sessions since the cut began: what is known of them does not hold any more. */
	#isInterrupted = false;

	constructor(options: TakeoverOptions) {
		this.#options = options;
		this.#present = options.from.map((session) => ({
			session,
			late: [],
			connections: session.connections,
			connectedSince: undefined,
			lost: false,
			answers: new AwaitedAnswers(),
		}));
		this.#successors = options.to.map((session) => ({
			session,
			pending: undefined,
			lastGuildAt: 0,
			lastSeq: 0,
			botId: '',
			identifies: 0,
			drift: new GuildDrift(),
		}));
		this.#late = this.#nothingLate;
		this.#overlaps = new Map(this.#shards.map(({ id }) => [id, new ShardOverlap()]));
	}

	/** Resolves when the successors serve. Rejects with `RESHARD_FAILED`; then the present sessions serve as before. */
	async run(): Promise<ReshardedGroup> {
		const { clock, from, signal } = this.#options;
		// They have just taken over themselves.
		while (from.some(({ isWatched }) => isWatched)) {
			if (signal.aborted) throw failed(messageOf(signal.reason));
			await sleep(clock, tickMs, signal).catch(() => {});
		}
		try {
			this.#start();
			const pausedMs = await this.#takeOver();
			const identifies = this.#successors.reduce((sum, each) => sum + each.identifies, 0);
			let repeated = 0;
			for (const overlap of this.#overlaps.values()) repeated += overlap.repeatedCount;
			return { identifies, pausedMs: Math.round(pausedMs), repeated, drifted: this.#drifted };
		} catch (error) {
			this.#giveUp();
			throw error;
		}
	}

	get #shards(): readonly ResidentShard[] {
		return this.#options.from.flatMap(({ shards }) => shards);
	}

	get #nothingLate(): HeldAmount {
		return new HeldAmount(this.#options.buffer, this.#shards.length);
	}

	get #nowMs(): number {
		return this.#options.clock.monotonic();
	}

	#start(): void {
		for (const present of this.#present) {
			present.session.watch({
				take: (dispatch, seq) => this.#takePresent(present, dispatch, seq),
				onRequest: (request) => present.answers.noteRequest(request, this.#nowMs),
				onLost: () => {
					present.lost = true;
					this.#isInterrupted = true;
				},
			});
		}
		const terms = this.#present.flatMap(({ session }) => session.terms ?? []);
		const [first] = terms;
		if (!first) throw failed('a session was not started yet, because no worker has connected');
		const intents = terms.reduce((bits, each) => bits | each.intents, 0);
		for (const successor of this.#successors) {
			successor.session.watch({
				take: (dispatch, seq) => this.#takeSuccessor(successor, dispatch, seq),
				onLost: () => {
					this.#isInterrupted = true;
				},
				onRefused: (code) => this.#refused(successor, code),
			});
			successor.session.start({ ...first, intents });
		}
	}

	async #takeOver(): Promise<number> {
		const { clock, signal, withinMs } = this.#options;
		const deadline = this.#nowMs + withinMs;
		/** Since when nothing but a good moment is missing. */
		let readySince: number | undefined;
		let lastReason = '';
		for (;;) {
			if (signal.aborted) throw failed(messageOf(signal.reason));
			if (this.#failure) throw this.#failure;
			const reason = this.#whyNotReady();
			if (reason !== undefined) readySince = undefined;
			else {
				readySince ??= this.#nowMs;
				if (this.#isGoodMoment(this.#nowMs - readySince)) {
					const outcome = await this.#cut();
					if (typeof outcome === 'number') return outcome;
					lastReason = outcome;
					await sleep(clock, retryMs, signal).catch(() => {});
				}
			}
			if (this.#nowMs > deadline) throw failed(reason ?? lastReason);
			await sleep(clock, tickMs, signal).catch(() => {});
		}
	}

	/** Why the successors cannot take over now. */
	#whyNotReady(): string | undefined {
		const now = this.#nowMs;
		for (const [index, present] of this.#present.entries()) {
			const { session } = present;
			if (!session.isReady) present.connectedSince = undefined;
			else if (present.connectedSince === undefined || present.connections !== session.connections) {
				present.connectedSince = now;
			}
			present.connections = session.connections;
			if (index === 0 && this.#overlapIsOver) return this.#fail('too many events of one session had no counterpart in the other');
		}
		let completeAt = 0;
		for (const { session, pending, lastGuildAt } of this.#successors) {
			if (pending === undefined) return `session ${session.id} of ${session.of} has not started yet`;
			if (pending.size > 0 && now - lastGuildAt < guildWaitMs)
				return `session ${session.id} of ${session.of} still receives its guilds`;
			if (!session.isReady) return `session ${session.id} of ${session.of} has lost its connection to Discord`;
			completeAt = Math.max(completeAt, lastGuildAt);
		}
		for (const { session, connectedSince, lost } of this.#present) {
			const missing = (session.terms?.intents ?? 0) & ~(this.#successors[0]?.session.terms?.intents ?? 0);
			if (missing !== 0) return this.#fail('a worker has requested more intents since it began');
			if (lost) continue;
			if (connectedSince === undefined) return `session ${session.id} of ${session.of} has lost its connection to Discord`;
			if (now - Math.max(connectedSince, completeAt) < hearOutMs) return 'events of the present sessions may still arrive';
		}
		for (const overlap of this.#overlaps.values()) {
			if (overlap.settlesInMs(now) > 0) return 'Discord has just ended a present session and started it again';
		}
		if (this.#shards.some(({ isHeldUp }) => isHeldUp)) return 'a worker is not connected';
		return undefined;
	}

	get #overlapIsOver(): boolean {
		for (const overlap of this.#overlaps.values()) if (overlap.isOver) return true;
		return false;
	}

	/** Whether neither answers nor events of the successors are on their way, as far as can be waited for. */
	#isGoodMoment(waitedMs: number): boolean {
		const now = this.#nowMs;
		if (waitedMs < patienceMs.answers) {
			const owed = ({ session, answers }: Present) => session.requestsWaiting > 0 || !answers.isEmpty(now);
			if (this.#present.some(owed)) return false;
		}
		if (waitedMs >= patienceMs.behind) return true;
		for (const overlap of this.#overlaps.values()) if (overlap.awaitsRepeats(now)) return false;
		return true;
	}

	/** Resolves with how long events were kept back, or why it did not take over. */
	async #cut(): Promise<number | string> {
		const { clock, record, signal } = this.#options;
		const shards = this.#shards;
		// What is saved while events flow does not have to be saved while they are kept back.
		await Promise.all(shards.map((shard) => shard.save()));
		const beganAt = this.#nowMs;
		this.#state = 'cutting';
		this.#late = this.#nothingLate;
		this.#isInterrupted = false;
		for (const shard of shards) shard.holdRequests();
		let replacing: ReplacingSession[] | undefined;
		try {
			while (!shards.every(({ isQuiet }) => isQuiet)) {
				if (this.#nowMs - beganAt > cutMs) return this.#undo('a worker did not confirm its events in time');
				await sleep(clock, 2, signal);
				if (this.#state !== 'cutting') return this.#undone;
			}
			const saved = await Promise.all(shards.map((shard) => shard.save()));
			if (this.#state !== 'cutting') return this.#undone;
			if (saved.includes(false)) return this.#undo('the shards cannot be saved');
			replacing = this.#replacing();
			if (!replacing || this.#isInterrupted) return this.#undo('Discord has ended a session meanwhile');
			this.#isRecording = true;
			await record(replacing);
			if (this.#isInterrupted) {
				await this.#options.unrecord?.(replacing);
				return this.#undo('Discord has ended a session meanwhile');
			}
		} catch (error) {
			return this.#undo(`it cannot be written down: ${messageOf(error)}`);
		}
		// From the record on there is no way back.
		this.#take(replacing);
		return this.#nowMs - beganAt;
	}

	/** The present sessions continue: what was kept back is delivered. */
	#undo(reason: string): string {
		this.#state = 'gathering';
		this.#undone = reason;
		this.#readOn();
		for (const present of this.#present) {
			const late = present.late;
			present.late = [];
			for (const { dispatch, seq } of late) {
				this.#notePresent(present, dispatch);
				present.session.pass(dispatch, seq);
			}
		}
		for (const shard of this.#shards) shard.continueOn();
		return reason;
	}

	/** As much is kept back as the logs of the shards may have. */
	#onFull(): void {
		if (!this.#isRecording) this.#undo('more events arrived meanwhile than the buffers of the shards may have');
		else for (const { session } of [...this.#present, ...this.#successors]) session.stopReading();
	}

	/** The record was written, or certainly was not. */
	#readOn(): void {
		this.#isRecording = false;
		for (const { session } of [...this.#present, ...this.#successors]) session.continueReading();
	}

	/** The facts of each successor as of now; undefined when one has no session. */
	#replacing(): ReplacingSession[] | undefined {
		const replaced = new Map(
			this.#present.flatMap(({ session }) => session.shards.map(({ id }) => [id, session.saved?.sessionId ?? ''])),
		);
		for (const overlap of this.#overlaps.values()) overlap.settle();
		const replacing: ReplacingSession[] = [];
		for (const { session, lastSeq, pending } of this.#successors) {
			const { saved } = session;
			if (!saved || pending === undefined) return undefined;
			// Behind everything that any shard has, so that no position is used twice.
			const base = Math.max(...session.shards.map(({ last }) => last), ...this.#present.map((each) => each.session.newest));
			const shards = session.shards.map(({ id }) => {
				const overlap = this.#overlaps.get(id) as ShardOverlap;
				const [first] = overlap.gathered;
				return {
					id,
					through: base + (first ? first.seq - 1 : lastSeq),
					skip: overlap.repeatedBehindFirst.map((seq) => base + seq),
					replaced: replaced.get(id) ?? '',
				};
			});
			replacing.push({ id: session.id, of: session.of, session: saved, base, shards });
		}
		return replacing;
	}

	/** In one turn: the successors serve, and what only they have sent is delivered. */
	#take(replacing: readonly ReplacingSession[]): void {
		this.#state = 'taken';
		this.#readOn();
		const presence = this.#present[0]?.session.terms?.presence ?? null;
		for (const [index, successor] of this.#successors.entries()) {
			const { session, lastSeq, botId } = successor;
			const { base } = replacing[index] as ReplacingSession;
			session.serve({ base, newest: base + lastSeq, botId });
			session.showPresence(presence);
			for (const shard of session.shards) {
				for (const { dispatch, seq } of this.#overlaps.get(shard.id)?.gathered ?? []) shard.receive(dispatch, base + seq);
				for (const request of shard.voiceRequests) session.request(request);
			}
		}
		const hasVoice = this.#shards.some(({ voiceRequests }) => voiceRequests.length > 0);
		for (const { session } of this.#present) {
			for (const { request, owner } of session.retire()) this.#pass(request, owner);
		}
		this.#options.onTaken();
		this.#compare();
		const close = () => {
			for (const { session } of this.#present) session.closeUpstream().catch(() => {});
		};
		const { clock } = this.#options;
		if (hasVoice) clock.setTimeout(close, voiceMs);
		else close();
		clock.setTimeout(() => {
			for (const { session } of this.#successors) session.unwatch();
		}, staleAfterMs);
	}

	/** Nothing that was just delivered is in the state yet: both have the events of both sessions, where neither is ahead. */
	#compare(): void {
		let compared = 0;
		const drifted: string[] = [];
		for (const { session, drift } of this.#successors) {
			const shardOf = (guildId: string) => session.shardsOf({ t: '', d: { guild_id: guildId } })[0];
			const found = drift.compare(
				(id) => shardOf(id)?.guild(id),
				(id) => this.#overlaps.get(shardOf(id)?.id ?? -1)?.isOpen(id) ?? true,
			);
			compared += found.compared;
			drifted.push(...found.drifted);
			drift.clear();
		}
		this.#drifted = drifted.length;
		this.#options.onDrift?.({ compared, drifted });
	}

	/** A request that was not sent goes to the session that will receive its answer. */
	#pass(request: ClientRequest, owner: object | null): void {
		const guildId = request.op === 31 ? request.d.guild_ids[0] : request.op === 3 ? undefined : request.d.guild_id;
		const probe: Dispatch = { t: '', d: { guild_id: guildId } };
		const [shard] = this.#options.from[0]?.shardsOf(probe) ?? [];
		const to = this.#successors.find(({ session }) => session.shards.some(({ id }) => id === shard?.id)) ?? this.#successors[0];
		to?.session.request(request, owner);
	}

	#giveUp(): void {
		if (this.#state === 'taken') return;
		this.#undo('');
		this.#state = 'failed';
		for (const { session } of this.#present) session.unwatch();
		for (const { session } of this.#successors) session.closeUpstream().catch(() => {});
	}

	#takePresent(present: Present, dispatch: Dispatch, seq: number): boolean {
		present.answers.noteEvent(dispatch);
		if (this.#state === 'cutting') {
			present.late.push({ dispatch, seq });
			this.#late.add(dispatch);
			if (this.#late.isFull) this.#onFull();
			return true;
		}
		if (this.#state === 'gathering') this.#notePresent(present, dispatch);
		return false;
	}

	#notePresent(present: Present, dispatch: Dispatch): void {
		if (dispatch.t === 'READY') {
			// Discord has ended the session and started another one: its guilds contain what happened until now.
			present.lost = false;
			for (const { id } of present.session.shards) this.#overlaps.get(id)?.restart(this.#nowMs);
			return;
		}
		for (const shard of present.session.shardsOf(dispatch)) this.#overlaps.get(shard.id)?.present(dispatch, this.#nowMs);
	}

	#takeSuccessor(successor: Successor, dispatch: Dispatch, seq: number): boolean {
		const { session } = successor;
		if (this.#state === 'taken') {
			if (dispatch.t === 'READY') {
				session.unwatch();
				return false;
			}
			if (!isShared(dispatch)) return false;
			const delivered = session
				.shardsOf(dispatch)
				.filter(({ id }) => this.#overlaps.get(id)?.wasDelivered(dispatch, this.#nowMs));
			if (delivered.length === 0) return false;
			session.pass(dispatch, seq, { except: new Set(delivered.map(({ id }) => id)) });
			return true;
		}
		successor.lastSeq = seq;
		if (dispatch.t === 'READY') this.#begin(successor, dispatch);
		else if (!this.#takeGuild(successor, dispatch)) {
			successor.drift.apply(dispatch);
			for (const shard of session.shardsOf(dispatch)) this.#overlaps.get(shard.id)?.gather(dispatch, seq, this.#nowMs);
			// Also where the present sessions send nothing.
			if (this.#state === 'cutting' && this.#overlapIsOver) this.#onFull();
		}
		return true;
	}

	#begin(successor: Successor, { d }: Dispatch): void {
		const ready = objectOf(d);
		const { session } = successor;
		const hasGuilds = ((session.terms?.intents ?? 0) & intentBits.GUILDS) !== 0;
		successor.identifies++;
		successor.botId = String(objectOf(ready?.user)?.id);
		successor.pending = new Set(hasGuilds ? objectsOf(ready?.guilds).map(({ id }) => String(id)) : []);
		successor.lastGuildAt = this.#nowMs;
		successor.drift.clear();
		// What it had gathered before is of a session that is over.
		for (const { id } of session.shards) this.#overlaps.get(id)?.clearGathered();
	}

	/** The guilds with which a session begins are known to the shards. */
	#takeGuild(successor: Successor, { t, d }: Dispatch): boolean {
		if (t !== 'GUILD_CREATE' && t !== 'GUILD_DELETE') return false;
		if (!successor.pending?.delete(String(objectOf(d)?.id))) return false;
		successor.lastGuildAt = this.#nowMs;
		if (t === 'GUILD_CREATE') successor.drift.add(objectOf(d) as RawObject);
		return true;
	}

	/** A successor was refused for good, such as for a count that Discord does not accept. */
	#refused({ session }: Successor, code: CloseCode): boolean {
		if (this.#state === 'taken') return false;
		this.#fail(`Discord refused session ${session.id} of ${session.of} (${code})`);
		return true;
	}

	#fail(reason: string): string {
		this.#failure ??= failed(reason);
		return reason;
	}
}

function failed(reason: string): ShardctlError {
	return new ShardctlError('RESHARD_FAILED', `the sessions were not replaced: ${reason}`, { details: { reason } });
}
