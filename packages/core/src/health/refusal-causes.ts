// Causes by final refusals of Discord, in both modes.
import { fatalClose } from '../close-codes.js';
import type { HealthCause, HealthFacts } from '../contract/health.js';
import { formatIntents, privilegedIntentBits } from '../intents.js';
import { describeShards } from '../shards.js';
import { cause, sorted } from './cause.js';

/** Discord has refused for good: by close code, since all shards with the same code share the cause. */
export function refusals({ gateways = [], shards, workers = [] }: HealthFacts): HealthCause[] {
	const byCode = new Map<number, { shardIds: number[]; since: number | null; intents: number }>();
	const note = (code: number, shardIds: readonly number[], since: number | null, intents: number) => {
		const known = byCode.get(code);
		if (!known) byCode.set(code, { shardIds: [...shardIds], since, intents });
		else {
			known.shardIds.push(...shardIds);
			known.intents |= intents;
			if (since !== null) known.since = Math.min(known.since ?? since, since);
		}
	};
	for (const { status, shardIds, lastClose, since = null, intents } of gateways.flatMap(({ sessions }) => sessions)) {
		if (status === 'refused') note(lastClose?.code ?? 0, shardIds, since, intents ?? 0);
	}
	const neighbours = new Map<number, number>();
	for (const { shardId, workerId, status, closeCode, since = null } of shards) {
		const final = closeCode !== undefined && closeCode !== null && fatalClose(closeCode) !== undefined;
		if (!final || (status !== 'failed' && status !== 'disconnected')) continue;
		note(closeCode, [shardId], since, 0);
		// Its process ends, and with it the other shards that it has.
		const worker = workers.find(({ id }) => id === workerId);
		if (worker?.state === 'failed') for (const id of worker.shardIds) if (id !== shardId) neighbours.set(id, closeCode);
	}
	return [...byCode].map(([code, { shardIds, since, intents }]) => {
		const final = fatalClose(code);
		const privileged = intents & privilegedIntentBits;
		const reason =
			code === 4014 && privileged !== 0
				? `the bot asks for ${formatIntents(privileged)}, which it was not granted`
				: (final?.reason ?? 'the reason is not known');
		const beside = [...neighbours].flatMap(([id, of]) => (of === code && !shardIds.includes(id) ? [id] : []));
		const others =
			beside.length === 0 ? '' : `; ${describeShards(sorted(beside))} ${beside.length === 1 ? 'is' : 'are'} in the same process`;
		return cause(
			'discord-refused',
			'outage',
			[...shardIds, ...beside],
			`Discord refused ${describeShards(sorted(shardIds))} (${code}): ${reason}${others}`,
			{
				since,
				remedy: final?.remedy ?? 'see "shardctl events"',
			},
		);
	});
}
