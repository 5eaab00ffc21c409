// Processes that are not well for the same reason are one cause: a large outage reads as one line, and the verdict stays small however
// large the fleet is.
import type { HealthCause, HealthCauseKind } from '../contract/health.js';
import { describeShards, describeWorker } from '../shards.js';
import { cause, earliest, sorted } from './cause.js';

/** A process that is not well. */
export interface Ailing {
	kind: HealthCauseKind;
	effect: HealthCause['effect'];
	noun: 'worker' | 'gateway process';
	id: number;
	shardIds: readonly number[];
	/** `is restarting`, `are restarting`. */
	state: { one: string; many: string };
	/** Why; null where that is not known. */
	why: string | null;
	/** Epoch ms at which `why` happened. */
	whyAt: number | null;
	since: number | null;
	tries: number;
	nextTryAt: number | null;
	remedy: { one: string; many: string } | null;
}

const plurals = { worker: 'workers', 'gateway process': 'gateway processes' } as const;

/** More reasons of one kind than this are listed as one cause. */
const mostReasons = 8;

export function groupedCauses(processes: readonly Ailing[]): HealthCause[] {
	const states = bucketed(processes, ({ kind, state }) => `${kind} ${state.one}`);
	return states.flatMap((alike) => {
		const reasons = bucketed(alike, ({ why }) => shape(why)).sort((a, b) => b.length - a.length);
		const listed = reasons.length > mostReasons ? reasons.slice(0, mostReasons - 1) : reasons;
		const rest = reasons.slice(listed.length);
		return [...listed.map((group) => causeOf(group, 1)), ...(rest.length > 0 ? [causeOf(rest.flat(), rest.length)] : [])];
	});
}

function bucketed(processes: readonly Ailing[], key: (process: Ailing) => string): Ailing[][] {
	const buckets = new Map<string, Ailing[]>();
	for (const process of processes) {
		const bucket = buckets.get(key(process));
		if (bucket) bucket.push(process);
		else buckets.set(key(process), [process]);
	}
	return [...buckets.values()];
}

/** Process numbers, times and sizes differ where the reason is the same. */
function shape(why: string | null): string {
	return why?.replace(/\d+(\.\d+)?/g, '#').replace(/# (ms|s|m|h)\b/g, '# t') ?? '';
}

function causeOf(group: readonly Ailing[], reasons: number): HealthCause {
	const [first] = group as [Ailing];
	const { kind, effect, noun, id, state, remedy } = first;
	const many = group.length > 1;
	const shardIds = sorted(group.flatMap(({ shardIds }) => shardIds));
	const { why } = group.reduce((a, b) => ((b.whyAt ?? 0) > (a.whyAt ?? 0) ? b : a));
	const one = noun === 'worker' ? describeWorker(id, shardIds) : `${noun} ${id}`;
	const shards = shardIds.length === 0 ? '' : ` (${describeShards(shardIds)})`;
	const subject = many ? `${group.length} ${plurals[noun]}${shards}` : one;
	const reason = many ? `${reasons > 1 ? ` for ${reasons} reasons` : ''}; the last: ${why}` : `: ${why}`;
	return cause(kind, effect, shardIds, `${subject} ${many ? state.many : state.one}${why === null ? '' : reason}`, {
		since: earliest(group.map(({ since }) => since)),
		tries: group.reduce((most, { tries }) => Math.max(most, tries), 0),
		nextTryAt: earliest(group.map(({ nextTryAt }) => nextTryAt)),
		remedy: remedy && (many ? remedy.many : remedy.one),
	});
}
