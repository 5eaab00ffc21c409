// The shards of a gateway process are replaced by those of another shard count, of which one is a whole multiple of the other, while its
// sessions with Discord stay: each new shard has guilds of one session. Driven by the manager, which starts a worker for each new shard
// beside the present ones.
//
//   waiting ──cut──▶ cutting ──everything is confirmed──▶ cut ──seal──▶ sealed ──commit──▶ taken
//      ▲                │                                  │              │
//      └──not in time───┘                                  └──────────────┴──abort──▶ dropped   (also from waiting and cutting)
//
//   waiting  the new workers boot; nobody answers their IDENTIFYs yet
//   cutting  the events of all sessions wait until the present workers have confirmed those before
//   cut      the new shards have the guilds, and their workers receive READY; events still wait
//   sealed   the new shards are saved: the manager decides now, and a process that starts after it knows by its configuration
//   taken    the sessions carry the new shards, and what waited was delivered to them
//   dropped  the sessions carry the present shards as before, and what waited was delivered to those
//
// More events than a log may have do not wait: before `sealed` the change is dropped, and once the manager has decided it is taken at once.
// In between, in `sealed` without the decision, neither is safe: then nothing more is read from Discord until there is one. The manager limits
// for how long (sealing).
import { type BufferLimits, type Clock, type Layout, ShardctlError, shardIdForGuild, sleep, type Timer } from '@shardctl/core';
import type { ResidentShard } from '../shard/resident-shard.js';
import { ShardState } from '../state/shard-state.js';
import { HeldAmount, type HeldEvent } from './held-events.js';
import type { ResidentSession } from './resident-session.js';

/** What the change needs of a shard. */
export type ChangingShard = Pick<
	ResidentShard,
	'id' | 'newest' | 'isQuiet' | 'isHeldUp' | 'isHandedOver' | 'state' | 'voicePlaces' | 'save' | 'adopt' | 'leave' | 'released'
>;

/** What the change needs of a session. */
export type ChangingSession<Shard> = Pick<
	ResidentSession,
	'id' | 'of' | 'newest' | 'botId' | 'terms' | 'isReady' | 'isWatched' | 'isInStep' | 'hold' | 'stopReading' | 'continueReading'
> & {
	readonly shards: readonly Shard[];
	continueWith(next?: { shards: readonly Shard[]; totalShards: number }): void;
};

export interface ShardChangeOptions<Shard extends ChangingShard> {
	sessions: readonly ChangingSession<Shard>[];
	/** The shard count of the present workers. */
	totalShards: number;
	/** The layout with the new shard count. */
	layout: Layout;
	/** The new shards of the process, without a state. */
	shards: readonly Shard[];
	clock: Clock;
	/** Of the log of one shard. */
	buffer: BufferLimits;
	/** The new shards are the process's: called in the same turn, before what waited is passed on. */
	onTaken(): void;
	/** It is dropped without a word from the manager, and events flow as before. Called before `onDropped`. */
	onGivenUp(error: ShardctlError): void;
	/** The new shards are not needed any more. */
	onDropped(): void;
}

export type ChangeState = 'waiting' | 'cutting' | 'cut' | 'sealed' | 'taken' | 'dropped';

/**
 * How long the present workers may take to confirm what they have, while events wait, and until when it is tried again: meanwhile the events of
 * other gateway processes may wait for this one.
 */
const quietMs = 1000;
const retryMs = 1000;
const cutWithinMs = 5000;
const tickMs = 2;

/** What the change took. */
export interface ShardChangeFigures {
	/** For how long events waited. */
	pausedMs: number;
	/** How many waited. */
	held: number;
}

export class ShardChange<Shard extends ChangingShard = ResidentShard> {
	readonly #options: ShardChangeOptions<Shard>;
	#state: ChangeState = 'waiting';
	#reason = '';
	/** Why it was dropped without a word from the manager. */
	#givenUp: string | undefined;
	#held: HeldAmount;
	#heldSince = 0;
	#figures: ShardChangeFigures = { pausedMs: 0, held: 0 };
	#timer: Timer | undefined;
	/** The manager has decided that the new shards count. */
	#isDecided = false;

	constructor(options: ShardChangeOptions<Shard>) {
		this.#options = options;
		this.#held = this.#nothingHeld;
	}

	get layout(): Layout {
		return this.#options.layout;
	}

	get shards(): readonly Shard[] {
		return this.#options.shards;
	}

	get state(): ChangeState {
		return this.#state;
	}

	/** Why it was dropped without a word from the manager; undefined where it was not. */
	get givenUp(): string | undefined {
		return this.#givenUp;
	}

	get figures(): ShardChangeFigures {
		return this.#figures;
	}

	/** That the new shards will have. */
	get guildCount(): number {
		return this.#present.reduce((sum, { state }) => sum + (state?.guildCount ?? 0), 0);
	}

	/**
	 * Resolves when the new shards have the guilds. Rejects with `RESHARD_FAILED`: then events flow as before, and it can be tried again.
	 * Without a word from the manager, it is dropped where it is not sealed within `sealedWithinMs` after that.
	 */
	async cut({ sealedWithinMs }: { sealedWithinMs: number }): Promise<void> {
		this.#expect('waiting');
		const { clock } = this.#options;
		const deadline = clock.monotonic() + cutWithinMs;
		for (;;) {
			const reason = this.#whyNotNow() ?? (await this.#tryCut());
			if (this.#state === 'dropped') throw failed(this.#reason);
			if (reason === undefined) {
				this.#timer = clock.setTimeout(() => this.#onUndecided(), sealedWithinMs);
				return;
			}
			if (clock.monotonic() > deadline) throw failed(reason);
			await sleep(clock, retryMs);
		}
	}

	/** Resolves when the new shards are saved. Rejects with `RESHARD_FAILED`. */
	async seal(): Promise<void> {
		this.#expect('cut');
		const saved = await Promise.all(this.#options.shards.map((shard) => shard.save()));
		this.#expect('cut');
		if (saved.includes(false)) throw failed('the new shards cannot be saved');
		this.#state = 'sealed';
		// From here on a present worker may log out.
		for (const shard of this.#present) shard.leave();
	}

	/** The manager has decided for the new shards. Resolves when the present workers have logged out of every shard. */
	async released(): Promise<void> {
		this.#expect('sealed', 'taken');
		this.#isDecided = true;
		if (this.#held.isFull) this.take();
		if (this.#state === 'sealed') await Promise.all(this.#present.map((shard) => shard.released()));
	}

	/** The sessions carry the new shards from now on. */
	take(): void {
		this.#expect('sealed', 'taken');
		if (this.#state === 'taken') return;
		const { sessions, layout, onTaken } = this.#options;
		this.#end('taken');
		const nextOf = new Map(sessions.map((session) => [session, this.#shardsOf(session)]));
		onTaken();
		for (const [session, shards] of nextOf) session.continueWith({ shards, totalShards: layout.totalShards });
	}

	/** The sessions carry the present shards as before. */
	drop(reason: string): void {
		if (this.#state === 'taken' || this.#state === 'dropped') return;
		const wereHeld = this.#state !== 'waiting';
		this.#reason = reason;
		this.#end('dropped');
		for (const shard of this.#present) shard.leave(false);
		if (wereHeld) for (const session of this.#options.sessions) session.continueWith();
		if (this.#givenUp !== undefined) this.#options.onGivenUp(failed(this.#givenUp));
		this.#options.onDropped();
	}

	#giveUp(reason: string): void {
		this.#givenUp = reason;
		this.drop(reason);
	}

	get #nothingHeld(): HeldAmount {
		return new HeldAmount(this.#options.buffer, this.#present.length);
	}

	get #present(): readonly Shard[] {
		return this.#options.sessions.flatMap(({ shards }) => shards);
	}

	/** The new shards of a session. */
	#shardsOf({ id, of }: ChangingSession<Shard>): Shard[] {
		return this.#options.shards.filter((shard) => shard.id % of === id);
	}

	#whyNotNow(): string | undefined {
		for (const { id, of, terms, isReady, isWatched, isInStep } of this.#options.sessions) {
			if (!terms) return `session ${id} of ${of} was not started yet, because no worker has connected`;
			if (!isReady) return `session ${id} of ${of} has lost its connection to Discord`;
			if (isWatched || !isInStep) return `session ${id} of ${of} still receives events of the session before it`;
		}
		for (const { id, isHeldUp, isHandedOver } of this.#present) {
			if (isHeldUp) return `the worker of shard ${id} is not connected, and events wait for it`;
			if (isHandedOver) return `the worker of shard ${id} is being replaced`;
		}
		return undefined;
	}

	/** Resolves with why it has not cut. */
	async #tryCut(): Promise<string | undefined> {
		const { sessions, clock } = this.#options;
		// What is saved while events flow does not have to be saved while they wait.
		await Promise.all(this.#present.map((shard) => shard.save()));
		if (this.#state !== 'waiting') return this.#reason;
		this.#state = 'cutting';
		this.#held = this.#nothingHeld;
		this.#heldSince = clock.monotonic();
		for (const session of sessions) {
			session.hold({ onHeld: (event) => this.#onHeld(event), nowMs: () => clock.monotonic() });
		}
		while (!this.#present.every(({ isQuiet }) => isQuiet)) {
			const late = this.#present.find(({ isQuiet }) => !isQuiet);
			if (clock.monotonic() - this.#heldSince > quietMs) {
				this.#continue();
				return `the worker of shard ${late?.id} did not confirm its events in time`;
			}
			await sleep(clock, tickMs);
			if (this.#state !== 'cutting') return this.#reason;
		}
		for (const session of sessions) {
			for (const shard of this.#shardsOf(session)) {
				this.#assemble(shard, session);
				// Nothing changes meanwhile: events wait.
				await new Promise((resolve) => setImmediate(resolve));
				if (this.#state !== 'cutting') return this.#reason;
			}
		}
		this.#state = 'cut';
		return undefined;
	}

	#assemble(shard: Shard, session: ChangingSession<Shard>): void {
		const { totalShards } = this.#options.layout;
		const common = Math.min(totalShards, this.#options.totalShards);
		const belongs = (guildId: string) => shardIdForGuild(guildId, totalShards) === shard.id;
		const sources = session.shards.filter(({ id }) => id % common === shard.id % common);
		const states = sources.flatMap(({ state }) => state ?? []);
		shard.adopt({
			state: ShardState.assemble(states as [ShardState, ...ShardState[]], belongs),
			cursor: Math.max(session.newest, ...sources.map(({ newest }) => newest)),
			botId: session.botId,
			voice: sources.flatMap(({ voicePlaces }) => voicePlaces).filter(({ state }) => belongs(String(state.guild_id))),
		});
	}

	#onHeld({ dispatch }: HeldEvent): void {
		this.#held.add(dispatch);
		const { isFull } = this.#held;
		const isNew = dispatch.t === 'READY';
		if (this.#state === 'sealed') {
			if (!isFull) return;
			if (this.#isDecided) this.take();
			// It may have been decided, with the message of that on the way.
			else for (const session of this.#options.sessions) session.stopReading();
			return;
		}
		if (!isFull && !isNew) return;
		const reason = isNew
			? 'Discord started another session meanwhile'
			: 'more events arrived meanwhile than the buffer of a shard may have';
		if (this.#state === 'cut') this.#giveUp(reason);
		else this.#continue(reason);
	}

	/** As before the cut was tried. */
	#continue(reason = ''): void {
		this.#state = 'waiting';
		this.#reason = reason;
		for (const session of this.#options.sessions) session.continueWith();
	}

	#onUndecided(): void {
		if (this.#state === 'cut') this.#giveUp('the manager did not continue the change');
	}

	#end(state: 'taken' | 'dropped'): void {
		const { clock, sessions } = this.#options;
		clock.clearTimeout(this.#timer);
		for (const session of sessions) session.continueReading();
		this.#figures = { pausedMs: Math.round(clock.monotonic() - this.#heldSince), held: this.#held.events };
		this.#state = state;
	}

	#expect(...states: ChangeState[]): void {
		if (this.#state === 'dropped') throw failed(this.#reason);
		if (states.includes(this.#state)) return;
		throw new ShardctlError('PROTOCOL_ERROR', `the change of the shards is ${this.#state}, not ${states.join(' or ')}`);
	}
}

function failed(reason: string): ShardctlError {
	return new ShardctlError('RESHARD_FAILED', `the shards were not replaced: ${reason}`, { details: { reason } });
}
