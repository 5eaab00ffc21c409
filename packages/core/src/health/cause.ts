// What every cause of a fleet's health is made of.
import type { HealthCause, HealthCauseKind } from '../contract/health.js';

export function cause(
	kind: HealthCauseKind,
	effect: HealthCause['effect'],
	shardIds: readonly number[],
	message: string,
	rest: Partial<Pick<HealthCause, 'since' | 'tries' | 'nextTryAt' | 'lost' | 'remedy'>> = {},
): HealthCause {
	return {
		kind,
		effect,
		shardIds: [...shardIds],
		message,
		since: null,
		tries: 0,
		nextTryAt: null,
		lost: 0,
		remedy: null,
		...rest,
	};
}

export function earliest(times: readonly (number | null)[]): number | null {
	const known = times.filter((time) => time !== null);
	return known.length === 0 ? null : Math.min(...known);
}

export function sorted(ids: readonly number[]): number[] {
	return [...ids].sort((a, b) => a - b);
}
