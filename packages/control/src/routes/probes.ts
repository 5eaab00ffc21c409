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
	summary: 'Responds 200 while every shard is served, else 503; with the causes, for clients with the token. Needs no token.',
	input: z.strictObject({}),
	output: z.object({ ready: z.boolean(), status: healthStatus, health: fleetHealth.optional() }),
	needs: 'nothing',
	statusOf: ({ ready }) => (ready ? 200 : 503),
	async run(_input, { feed, authorised }) {
		const health = await feed.recentHealth();
		const { status, served, shards } = health;
		return { ready: shards > 0 && served === shards, status, ...(authorised ? { health } : {}) };
	},
});
