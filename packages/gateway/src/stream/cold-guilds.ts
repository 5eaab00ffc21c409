// Compresses guilds of a state in which nothing happens, one at a time: it takes half a millisecond, in which nothing else happens.
import type { Clock, Timer } from '@shardctl/core';
import type { ShardState } from '../state/shard-state.js';

const pauseMs = { more: 15, none: 500 };

export class ColdGuilds {
	readonly #clock: Clock;
	readonly #state: () => ShardState | undefined;
	#timer: Timer | undefined;

	constructor(clock: Clock, state: () => ShardState | undefined) {
		this.#clock = clock;
		this.#state = state;
		this.#compress();
	}

	stop(): void {
		this.#clock.clearTimeout(this.#timer);
	}

	#compress(): void {
		const compressed = this.#state()?.compressCold(this.#clock.now()) ?? 0;
		this.#timer = this.#clock.setTimeout(() => this.#compress(), compressed > 0 ? pauseMs.more : pauseMs.none);
	}
}
