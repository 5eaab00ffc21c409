// When this bot last sent an IDENTIFY from this machine, for the manager that starts next: Discord's window belongs to the token, and
// does not end when the manager that used it is stopped or killed. The time is that of an empty file in the state folder.
import { closeSync, constants, futimesSync, lstatSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { stateDir } from '@shardctl/control';
import { botKey, type Clock } from '@shardctl/core';

const { O_CREAT, O_WRONLY } = constants;
/** Windows has none. */
const noFollow = (constants.O_NOFOLLOW as number | undefined) ?? 0;

export class LastIdentify {
	readonly #token: string;
	readonly #clock: Clock;

	constructor({ token, clock }: { token: string; clock: Clock }) {
		this.#token = token;
		this.#clock = clock;
	}

	/** Milliseconds since the last IDENTIFY; Infinity where none is known. */
	ageMs(): number {
		try {
			// A time in the future is a clock that was set back: it may have been just now.
			return Math.max(0, this.#clock.now() - lstatSync(this.#path()).mtimeMs);
		} catch {
			return Number.POSITIVE_INFINITY;
		}
	}

	/** An IDENTIFY is sent now. Where the time cannot be kept, the next manager may send one too early, and Discord refuses that one. */
	note(): void {
		try {
			const file = openSync(this.#path(), O_WRONLY | O_CREAT | noFollow, 0o600);
			try {
				const seconds = this.#clock.now() / 1000;
				futimesSync(file, seconds, seconds);
			} finally {
				closeSync(file);
			}
		} catch {}
	}

	#path(): string {
		return join(stateDir(), `${botKey(this.#token)}.identify`);
	}
}
