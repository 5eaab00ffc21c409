// All measurements, by row, contender and round, and the claims that are checked against them.
import { median } from './statistics.mjs';

export class Measurements {
	/** Row title → { title, scenario, unit, better, values: contender → one figure per round }. */
	#rows = new Map();
	#claims = [];

	/** @param {{ scenario: string, title: string, unit: string, better?: 'lower' | 'higher', digits?: number }} row */
	add(row, contender, value) {
		// A claim about a figure that is none would hold.
		if (!Number.isFinite(value)) throw new Error(`${row.scenario}: ${row.title}: ${contender}: ${value} is no figure`);
		const key = `${row.scenario} ${row.title}`;
		if (!this.#rows.has(key)) this.#rows.set(key, { better: 'lower', digits: 2, ...row, values: {} });
		const { values } = this.#rows.get(key);
		values[contender] ??= [];
		values[contender].push(value);
	}

	get rows() {
		return [...this.#rows.values()];
	}

	get claims() {
		return this.#claims;
	}

	row(scenario, title) {
		return this.#rows.get(`${scenario} ${title}`);
	}

	/** What should hold, the measured value, and whether it does. `remark` explains why if it does not. */
	claim({ text, found, holds, remark }) {
		this.#claims.push({ text, found, holds, ...(remark && !holds ? { remark } : {}) });
	}
}

/**
 * How one contender compares to another in a row: the ratio of each round's figures, since other load on the machine
 * affects both; the median of them, the smallest and the largest. Undefined where one of them was not measured.
 */
export function ratio(row, contender, to) {
	const [own, other] = [row?.values[contender], row?.values[to]];
	if (!own || !other) return undefined;
	const rounds = Math.min(own.length, other.length);
	const ratios = Array.from({ length: rounds }, (_, round) => own[round] / other[round]);
	return { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) };
}

export function medianOf(row, contender) {
	const values = row?.values[contender];
	return values && median(values);
}
