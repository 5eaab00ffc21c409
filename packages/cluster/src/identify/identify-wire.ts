// What a coordinator reports to the identify script, and what the script returns, as types.
import { pairs } from '../lease/renewal-wire.js';

export type IdentifyReport =
	| { op: 'update'; total: number; remaining: number; resetAfter: number; maxConcurrency: number }
	| { op: 'restore'; total: number; remaining: number; resetAfter: number; maxConcurrency: number }
	| { op: 'wait'; request: number; shard: number; automatic: boolean; reserve: number }
	| { op: 'leave' | 'got'; request: number }
	| { op: 'sent' | 'confirmed' | 'release'; slot: string };

/** All times are by Redis' clock. */
export interface IdentifyAnswer {
	/** Another value than before: Redis has lost what it knew. */
	readonly nonce: string;
	readonly time: number;
	/** Undefined before the first update. */
	readonly maxConcurrency: number | undefined;
	readonly total: number;
	readonly remaining: number;
	readonly resetAt: number;
	/** Slots that are granted and not yet sent, of all holders. */
	readonly granted: number;
	/** When the next slot may be free. */
	readonly nextAt: number | undefined;
	/** Request → its slot, or `refused` by the budget. */
	readonly results: readonly (readonly [request: number, result: string])[];
	/** Request → when it gets its slot at the latest, by what is known now. */
	readonly etas: readonly (readonly [request: number, at: number])[];
}

export function identifyAnswer(answer: unknown): IdentifyAnswer {
	const [nonce, time, maxConcurrency, total, remaining, reset, granted, nextAt, results, etas] = answer as [
		...[string, string, string, string, string, string, string, string],
		string[],
		string[],
	];
	return {
		nonce,
		time: Number(time),
		maxConcurrency: maxConcurrency === '' ? undefined : Number(maxConcurrency),
		total: Number(total),
		remaining: Number(remaining),
		resetAt: Number(reset),
		granted: Number(granted),
		nextAt: nextAt === '' ? undefined : Number(nextAt),
		results: pairs(results).map(([request, result]) => [Number(request), result] as const),
		etas: pairs(etas).map(([request, at]) => [Number(request), Number(at)] as const),
	};
}
