// A session that Discord has just started, on its way to a complete state: READY names the guilds, and their GUILD_CREATEs (or,
// for one in outage, a GUILD_DELETE) follow one by one. Not in here: what the new state means for a worker.
import type { Clock, Timer } from '@shardctl/core';
import type { Dispatch, RawObject } from '../state/raw.js';
import { ShardState } from '../state/shard-state.js';

/** Guilds that have not arrived this long after the last one are not waited for: Discord sends them without a pause. */
const guildWaitMs = 5000;

export interface SessionHydrationOptions {
	ready: RawObject;
	/** The position of READY. */
	offset: number;
	/** Whether Discord sends GUILD_CREATEs at all. */
	expectGuilds: boolean;
	clock: Clock;
	onComplete(): void;
}

export class SessionHydration {
	readonly offset: number;
	readonly state: ShardState;
	readonly #pending: Set<string>;
	readonly #options: SessionHydrationOptions;
	#timer: Timer | undefined;
	#complete = false;

	constructor(options: SessionHydrationOptions) {
		this.#options = options;
		this.offset = options.offset;
		this.state = ShardState.fromReady(options.ready);
		const guilds = (options.ready.guilds ?? []) as { id: string }[];
		this.#pending = new Set(options.expectGuilds ? guilds.map(({ id }) => id) : []);
		this.#wait();
	}

	get complete(): boolean {
		return this.#complete;
	}

	/** Applies an event that belongs to the start of the session; returns false for any other. */
	take({ t, d }: Dispatch): boolean {
		if (this.#complete || (t !== 'GUILD_CREATE' && t !== 'GUILD_DELETE')) return false;
		if (!this.#pending.delete((d as { id: string }).id)) return false;
		this.state.apply({ t, d });
		// As they arrive: all of them open at once would take ten times the memory, which the process would not return to the system.
		this.state.compressCold(this.#options.clock.now());
		this.#wait();
		return true;
	}

	/** Another session has begun: this one is not waited for any more. */
	cancel(): void {
		this.#complete = true;
		this.#options.clock.clearTimeout(this.#timer);
	}

	#wait(): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#timer);
		if (this.#pending.size > 0) this.#timer = clock.setTimeout(() => this.#finish(), guildWaitMs);
		// In a turn of its own, so that the owner has stored the hydration by then.
		else this.#timer = clock.setTimeout(() => this.#finish(), 0);
	}

	#finish(): void {
		this.#complete = true;
		this.#options.onComplete();
	}
}
