// The options of a deploy, checked.
import { describeValue, nearestName, ShardctlError } from '@shardctl/core';

export interface DeployOptions {
	/** How many workers are replaced at once (default 1). */
	parallel?: number;
	/** How long each new process is watched after it took over, before the next worker is replaced (default 10 s; 0: not at all). */
	observeMs?: number;
	/** Replaces this many workers first and waits `bakeMs` before the others follow (default 0: no canary). */
	canary?: number;
	/** Default: 5 min. */
	bakeMs?: number;
	/**
	 * `start` (the default): the new process takes over from the old one. `stop`: the old one ends before the new one is started, for bots
	 * that can only run once, such as those that listen on a port; events wait meanwhile.
	 */
	first?: 'start' | 'stop';
	/** More logged errors a minute in one new process stop the deploy (default: no limit). */
	maxErrorRate?: number;
}

export type ResolvedDeployOptions = Required<Omit<DeployOptions, 'maxErrorRate'>> & { maxErrorRate: number | undefined };

const defaults: ResolvedDeployOptions = {
	parallel: 1,
	observeMs: 10_000,
	canary: 0,
	bakeMs: 300_000,
	first: 'start',
	maxErrorRate: undefined,
};

const smallest = { parallel: 1, observeMs: 0, canary: 0, bakeMs: 0, maxErrorRate: 0 } as const;
const wholeOnly: ReadonlySet<string> = new Set(['parallel', 'canary']);

/** Throws `OPTIONS_INVALID` with the first problem. */
export function readDeployOptions(given: DeployOptions = {}): ResolvedDeployOptions {
	for (const [name, value] of Object.entries(given)) {
		if (value === undefined) continue;
		if (name === 'first') {
			if (value !== 'start' && value !== 'stop') throw invalid(name, '"start" or "stop"', value);
			continue;
		}
		if (!(name in smallest)) {
			const nearest = nearestName(name, Object.keys(defaults));
			throw new ShardctlError(
				'OPTIONS_INVALID',
				`deploy has no option ${name}${nearest === undefined ? '' : `; did you mean ${nearest}?`}`,
			);
		}
		const min = smallest[name as keyof typeof smallest];
		const isGood =
			typeof value === 'number' && value >= min && (wholeOnly.has(name) ? Number.isInteger(value) : Number.isFinite(value));
		if (!isGood) throw invalid(name, `a ${wholeOnly.has(name) ? 'whole number' : 'number'} from ${min}`, value);
	}
	const set = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
	return { ...defaults, ...set };
}

function invalid(name: string, expected: string, value: unknown): ShardctlError {
	return new ShardctlError('OPTIONS_INVALID', `${name} must be ${expected}, got ${describeValue(value)}`);
}
