// Discord's ids: 42 bits of milliseconds since 2015, then worker, process and increment. Discord: Reference, "Snowflakes".
import type { Clock } from '@shardctl/core';

export const discordEpochMs = 1_420_070_400_000;

/** The id with this time (ms since Discord's epoch) and these low 22 bits. */
export function snowflake(sinceEpochMs: number, low: number): string {
	return ((BigInt(sinceEpochMs) << 22n) | BigInt(low & 0x3fffff)).toString();
}

/** The time of an id, in ms since Discord's epoch: exact in a number, because it has 42 bits. Undefined for what is no id. */
export function snowflakeTime(id: string): number | undefined {
	return /^\d{1,20}$/.test(id) ? Number(BigInt(id) >> 22n) : undefined;
}

/** ISO time at which an id was made. */
export function snowflakeDate(id: string): string {
	return new Date((snowflakeTime(id) ?? 0) + discordEpochMs).toISOString();
}

/** Makes ids of the present, each greater than the last, also when the clock does not advance. */
export class IdSource {
	readonly #clock: Clock;
	#last = 0n;

	constructor(clock: Clock) {
		this.#clock = clock;
	}

	next(): string {
		const now = BigInt(Math.max(0, Math.trunc(this.#clock.now() - discordEpochMs))) << 22n;
		this.#last = now > this.#last ? now : this.#last + 1n;
		return this.#last.toString();
	}
}
