// What serves every shard, whose bot cannot respond: the process that sends the requests to Discord's REST API is not there, or sends few.
import type { HealthCause, HealthFacts } from '../contract/health.js';
import { cause } from './cause.js';

export function restCauses({ rest, manager }: HealthFacts): HealthCause[] {
	if (!rest) return [];
	const { status, restarts, since = null, tries, failingSince, nextTryAt, lastExit, lastAnswerAt = null, rssBytes } = rest;
	if (status === 'ready' && rssBytes === null) {
		return [
			cause('rest-process-down', 'risk', [], 'the REST process does not answer: requests of bots wait', { since: lastAnswerAt }),
		];
	}
	if (status !== 'ready') {
		// The start of the fleet is a cause of its own.
		if (manager.status === 'starting' && restarts === 0) return [];
		const state = status === 'failed' ? 'keeps failing' : 'is restarting';
		const why = lastExit ? `: ${lastExit.message}` : '';
		return [
			cause('rest-process-down', 'risk', [], `the REST process ${state}, and requests of bots wait${why}`, {
				since: failingSince ?? since ?? lastExit?.at ?? null,
				tries: tries ?? 0,
				nextTryAt: nextTryAt ?? null,
				remedy: status === 'failed' ? 'see "shardctl logs" and "shardctl events", then "shardctl restart --rest"' : null,
			}),
		];
	}
	if (!rest.guarded) return [];
	return [
		cause(
			'invalid-requests-high',
			'risk',
			[],
			`Discord answered ${rest.invalid} requests of the last 10 minutes with 401, 403 or 429: only reads and interaction responses are sent`,
			{ remedy: 'find what the bot may not do: Discord blocks this address at 10,000 such responses in 10 minutes' },
		),
	];
}
