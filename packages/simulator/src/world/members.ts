// Who is a member of one guild. Most members are a stretch of the population and exist only as two numbers; those who joined,
// changed or left since are kept one by one.

import type { Member, User } from './model.js';
import { fraction, hash } from './random.js';
import { snowflakeDate } from './snowflake.js';
import type { Population } from './users.js';

export interface MemberStretch {
	population: Population;
	/** Number of the first user. */
	from: number;
	/** How many. */
	count: number;
	guildId: string;
	seed: number;
	/** Roles that members may have from the start. */
	roleIds: readonly string[];
}

/** A member with nothing special. */
export function plainMember(user: User, joinedAt: string, roles: string[] = []): Member {
	return {
		user,
		nick: null,
		avatar: null,
		banner: null,
		roles,
		joined_at: joinedAt,
		premium_since: null,
		deaf: false,
		mute: false,
		flags: 0,
		pending: false,
		communication_disabled_until: null,
	};
}

export class MemberDirectory {
	readonly #stretch: MemberStretch;
	/** Joined or changed; `null` for those of the stretch who left. */
	readonly #own = new Map<string, Member | null>();
	#count: number;

	constructor(stretch: MemberStretch) {
		this.#stretch = stretch;
		this.#count = stretch.count;
	}

	get count(): number {
		return this.#count;
	}

	get(userId: string): Member | undefined {
		const own = this.#own.get(userId);
		if (own !== undefined) return own ?? undefined;
		const index = this.#stretch.population.indexOf(userId);
		return index === undefined || !this.#inStretch(index) ? undefined : this.#born(index);
	}

	/** How many members there were from the start. */
	get stretchSize(): number {
		return this.#stretch.count;
	}

	/** Number `n` of the stretch, whether or not they are still here. */
	stretchMember(n: number): Member {
		const { population, from } = this.#stretch;
		const index = (from + n) % population.size;
		return this.#own.get(population.idOf(index)) ?? this.#born(index);
	}

	set(member: Member): void {
		if (!this.get(member.user.id)) this.#count++;
		this.#own.set(member.user.id, member);
	}

	delete(userId: string): boolean {
		if (!this.get(userId)) return false;
		const index = this.#stretch.population.indexOf(userId);
		if (index !== undefined && this.#inStretch(index)) this.#own.set(userId, null);
		else this.#own.delete(userId);
		this.#count--;
		return true;
	}

	/** Every member: first those who joined or changed, then the rest of the stretch. */
	*all(): Generator<Member> {
		for (const member of this.#own.values()) if (member) yield member;
		const { population, from, count } = this.#stretch;
		for (let n = 0; n < count; n++) {
			const index = (from + n) % population.size;
			if (!this.#own.has(population.idOf(index))) yield this.#born(index);
		}
	}

	#inStretch(index: number): boolean {
		const { population, from, count } = this.#stretch;
		return (index - from + population.size) % population.size < count;
	}

	#born(index: number): Member {
		const { population, guildId, seed, roleIds } = this.#stretch;
		const guildKey = hash(seed, Number(BigInt(guildId) & 0x3fffffn));
		const user = population.user(index);
		const hasRole = roleIds.length > 0 && fraction(guildKey, 5, index) < 0.3;
		const roles = hasRole ? [roleIds[hash(guildKey, 6, index) % roleIds.length] as string] : [];
		const younger = BigInt(guildId) > BigInt(user.id) ? guildId : user.id;
		return plainMember(user, snowflakeDate(younger), roles);
	}
}
