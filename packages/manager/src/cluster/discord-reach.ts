// Whether this node reaches Discord, from what happens to the connections of its sessions: where none of them has come back for a while,
// another node may serve them. Whether sessions move then is decided in packages/cluster: not while no node reaches Discord.
//
//   reaches ──every known session down for lostAfterMs──▶ lost ──a connection is back, or probes answered for a while──▶ reaches
//
// A probe says less than a session does: something may answer in Discord's place. So probes count only where there is no session that could
// connect, and twice as many are needed each time that no session connected after them.
import type { Clock, Timer } from '@shardctl/core';

export interface DiscordReachOptions {
	clock: Clock;
	/** Asks Discord's gateway for anything at all; resolves with whether there was an answer. */
	probe(): Promise<boolean>;
	onChanged(reaches: boolean): void;
}

/** With the time that the cluster waits for what the other nodes say, sessions move after 15 s. */
export const lostAfterMs = 12_000;
export const probeEveryMs = 5000;
/** Probes in a row that have to be answered: a network that fails now and then must not move sessions to and fro. */
export const probesToReturn = 3;
const mostProbesToReturn = 16 * probesToReturn;

export class DiscordReach {
	readonly #options: DiscordReachOptions;
	/** Session → since when its connection has been down (monotonic), or undefined while it is up. */
	readonly #sessions = new Map<number, number | undefined>();
	#reaches = true;
	#answered = 0;
	#probesToReturn = probesToReturn;
	#timer: Timer | undefined;
	#state: 'watching' | 'held' | 'stopped' = 'watching';

	constructor(options: DiscordReachOptions) {
		this.#options = options;
	}

	/** The connection of a session is up, or was closed. */
	note(session: number, state: 'up' | 'down'): void {
		if (state === 'up') this.#sessions.set(session, undefined);
		else this.#sessions.set(session, this.#sessions.get(session) ?? this.#options.clock.monotonic());
		this.#decide();
	}

	/** The session is no longer this node's. */
	forget(session: number): void {
		// With it, Discord was reached until now.
		if (this.#sessions.has(session) && this.#sessions.get(session) === undefined) this.#beginAgain();
		this.#sessions.delete(session);
		this.#decide();
	}

	/** While the node may not connect, a connection that is down says nothing about Discord. */
	hold(): void {
		if (this.#state !== 'watching') return;
		this.#state = 'held';
		this.#options.clock.clearTimeout(this.#timer);
	}

	/** Undoes {@link hold}. */
	release(): void {
		if (this.#state !== 'held') return;
		this.#state = 'watching';
		this.#beginAgain();
		if (!this.#reaches) this.#probeLater();
		this.#decide();
	}

	stop(): void {
		this.#state = 'stopped';
		this.#options.clock.clearTimeout(this.#timer);
	}

	#decide(): void {
		if (this.#state !== 'watching') return;
		const { clock } = this.#options;
		const downs = [...this.#sessions.values()];
		if (downs.includes(undefined)) {
			this.#probesToReturn = probesToReturn;
			this.#change(true);
		}
		if (!this.#reaches) return;
		clock.clearTimeout(this.#timer);
		if (downs.length === 0 || downs.includes(undefined)) return;
		const leftMs = Math.max(...(downs as number[])) + lostAfterMs - clock.monotonic();
		if (leftMs > 0) this.#timer = clock.setTimeout(() => this.#decide(), leftMs);
		else this.#change(false);
	}

	#change(reaches: boolean): void {
		if (this.#reaches === reaches) return;
		this.#reaches = reaches;
		this.#answered = 0;
		this.#options.clock.clearTimeout(this.#timer);
		if (!reaches) this.#probeLater();
		this.#options.onChanged(reaches);
	}

	#probeLater(): void {
		const { clock } = this.#options;
		clock.clearTimeout(this.#timer);
		this.#timer = clock.setTimeout(() => void this.#probe(), probeEveryMs);
	}

	async #probe(): Promise<void> {
		const answered = this.#sessions.size === 0 && (await this.#options.probe().catch(() => false));
		if (this.#state !== 'watching' || this.#reaches) return;
		// A session may have come meanwhile.
		this.#answered = answered && this.#sessions.size === 0 ? this.#answered + 1 : 0;
		if (this.#answered < this.#probesToReturn) return this.#probeLater();
		this.#probesToReturn = Math.min(2 * this.#probesToReturn, mostProbesToReturn);
		this.#change(true);
	}

	/** What is down counts as down from now on. */
	#beginAgain(): void {
		for (const [session, downSince] of this.#sessions) {
			if (downSince !== undefined) this.#sessions.set(session, this.#options.clock.monotonic());
		}
	}
}
