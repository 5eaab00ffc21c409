// Where the gateway is, how many shards are recommended, and what is left of the session starts. Discord: Gateway, "Get Gateway".
import { ok } from '../answer.js';
import { type Route, route } from '../route.js';

export const gatewayRoutes: readonly Route[] = [
	route('GET', '/gateway', ({ gateway }) => ok({ url: gateway().url }), { open: true }),
	route('GET', '/gateway/bot', ({ gateway }) => {
		const { url, shards, sessionStarts, maxConcurrency } = gateway();
		return ok({
			url,
			shards,
			session_start_limit: {
				total: sessionStarts.total,
				remaining: sessionStarts.remaining,
				reset_after: sessionStarts.resetAfterMs,
				max_concurrency: maxConcurrency,
			},
		});
	}),
];
