// Probes for load balancers, containers and orchestrators: an HTTP status instead of figures. Their clients can often send no token, so
// these two need none, also over TCP: without it they reveal one word, updated at most once a second. The causes, which name shards, folders
// and errors of the bot, are for clients with the token.
import { z } from 'zod';
import { fleetHealth, healthStatus } from '../api/schemas.js';
import { route } from './route.js';

export const healthzRoute = route({
	summary: 'Responds 200 while the manager runs, whatever its fleet does. Needs no token.',
	input: z.strictObject({}),
	output: z.object({ alive: z.literal(true) }),
	needs: 'nothing',
	run: () => ({ alive: true as const }),
});

export const readyzRoute = route({
	summary:
		'Responds 200 while every shard of this manager is served (and in a cluster, while it has none), else 503; with the causes, for ' +
		'clients with the token. Needs no token.',
	input: z.strictObject({}),
	output: z.object({ ready: z.boolean(), status: healthStatus, health: fleetHealth.optional() }),
	needs: 'nothing',
	statusOf: ({ ready }) => (ready ? 200 : 503),
	async run(_input, { fleet, feed, authorised }) {
		const health = await feed.recentHealth();
		const { status, served, shards } = health;
		// A node of a cluster is ready when it can take sessions, whether it has some or not.
		const hasWork = shards > 0 || (fleet.cluster?.joined === true && status === 'healthy');
		return { ready: hasWork && served === shards, status, ...(authorised ? { health } : {}) };
	},
});
