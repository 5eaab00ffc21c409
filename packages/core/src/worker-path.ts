// The path prefix that identifies a worker process at its local gateway and REST server, `/worker/3/KEY`. The key cannot be guessed: who
// knows the path was given it by the manager.
import { createHmac, timingSafeEqual } from 'node:crypto';

/** Characters of a key: 132 bits. */
const keyLength = 22;

export class WorkerPaths {
	readonly #secret: string | undefined;

	/** @param secret Of the fleet, shared by its manager and its gateway processes. Without it paths have no key: `/worker/3`. */
	constructor(secret: string | undefined) {
		this.#secret = secret;
	}

	/** Whether a path proves that its client was given it. */
	get keyed(): boolean {
		return this.#secret !== undefined;
	}

	/** The prefix for one process of a worker. */
	of(incarnation: number): string {
		const key = this.#keyOf(incarnation);
		return `/worker/${incarnation}${key === undefined ? '' : `/${key}`}`;
	}

	/** Splits a path into the number of the worker's process and the rest; null for one that has no such prefix, or the wrong key. */
	parse(path: string): { incarnation: number; rest: string } | null {
		const match = /^\/worker\/(\d{1,15})(?=[/?]|$)/.exec(path);
		if (!match) return null;
		const incarnation = Number(match[1]);
		const rest = path.slice(match[0].length);
		const key = this.#keyOf(incarnation);
		if (key === undefined) return { incarnation, rest };
		const given = rest.slice(1, 1 + keyLength);
		const behind = rest.slice(1 + keyLength);
		const isOurs = rest.startsWith('/') && isEqual(given, key) && /^(?:[/?]|$)/.test(behind);
		return isOurs ? { incarnation, rest: behind } : null;
	}

	#keyOf(incarnation: number): string | undefined {
		if (this.#secret === undefined) return undefined;
		return createHmac('sha256', this.#secret).update(`worker ${incarnation}`).digest('base64url').slice(0, keyLength);
	}
}

/** In constant time for texts of the same length. */
function isEqual(a: string, b: string): boolean {
	const [left, right] = [Buffer.from(a), Buffer.from(b)];
	return left.length === right.length && timingSafeEqual(left, right);
}
