// The population: user number k of the seed, its id, and back from the id to k. A user is stored only once something changes them.

import type { User } from './model.js';
import { hash, pick } from './random.js';
import { snowflake, snowflakeTime } from './snowflake.js';
import { adjectives, nouns } from './words.js';

/** Users sign up 1009 ms apart, from 2016 on; so the number follows from the id. */
const firstUserAtMs = 40_000_000_000;
const userGapMs = 1009;

export class Population {
	readonly size: number;
	readonly #seed: number;

	constructor(seed: number, size: number) {
		this.#seed = seed;
		this.size = size;
	}

	idOf(index: number): string {
		return snowflake(firstUserAtMs + index * userGapMs, hash(this.#seed, 1, index));
	}

	indexOf(id: string): number | undefined {
		const time = snowflakeTime(id);
		if (time === undefined || time < firstUserAtMs || (time - firstUserAtMs) % userGapMs !== 0) return undefined;
		const index = (time - firstUserAtMs) / userGapMs;
		return index < this.size && this.idOf(index) === id ? index : undefined;
	}

	user(index: number): User {
		const name = `${pick(adjectives, this.#seed, 2, index)}_${pick(nouns, this.#seed, 3, index)}${index}`;
		return {
			id: this.idOf(index),
			username: name,
			discriminator: '0',
			global_name: name.replace('_', ' '),
			avatar: null,
			bot: false,
			public_flags: 0,
			flags: 0,
			banner: null,
			accent_color: null,
			avatar_decoration_data: null,
		};
	}
}
