// The table of the control API: operation → route.
import { z } from 'zod';
import type { Operation } from '../api/endpoints.js';
import { callRoute, evalRoute, fetchRoute } from './calls.js';
import { drainRoute, moveRoute, nodesRoute, placementRoute, rebalanceRoute } from './cluster.js';
import { dashboardRoute } from './dashboard.js';
import { eventsRoute, logsRoute } from './feeds.js';
import {
	deployCancelRoute,
	deployOutcomeRoute,
	deployRoute,
	healthRoute,
	reshardRoute,
	respawnRoute,
	restartRoute,
	statsRoute,
	stopRoute,
} from './fleet.js';
import { metricsRoute } from './metrics.js';
import { openApi } from './openapi.js';
import { healthzRoute, readyzRoute } from './probes.js';
import { queueDeadRoute, queueDropRoute, queueRemoveRoute, queueRetryRoute, queueRoute, scaleRoute } from './queue.js';
import { type Route, route } from './route.js';
import { whereRoute } from './where.js';

const openapiRoute = route({
	summary: 'Returns this description.',
	needs: 'read',
	input: z.strictObject({}),
	output: z.record(z.string(), z.unknown()),
	run: (_input, { fleet }) => openApi(routeTable, fleet.version),
});

const operations = {
	health: healthRoute,
	healthz: healthzRoute,
	readyz: readyzRoute,
	openapi: openapiRoute,
	stats: statsRoute,
	metrics: metricsRoute,
	where: whereRoute,
	logs: logsRoute,
	events: eventsRoute,
	stop: stopRoute,
	restart: restartRoute,
	deploy: deployRoute,
	deployOutcome: deployOutcomeRoute,
	deployCancel: deployCancelRoute,
	reshard: reshardRoute,
	scale: scaleRoute,
	queue: queueRoute,
	queueDead: queueDeadRoute,
	queueRetry: queueRetryRoute,
	queueDrop: queueDropRoute,
	queueRemove: queueRemoveRoute,
	respawn: respawnRoute,
	eval: evalRoute,
	fetch: fetchRoute,
	call: callRoute,
	dashboard: dashboardRoute,
	nodes: nodesRoute,
	placement: placementRoute,
	drain: drainRoute,
	move: moveRoute,
	rebalance: rebalanceRoute,
} satisfies Record<Operation, unknown>;

/** Input and output of each operation, for the typed client. */
export type Operations = {
	[O in Operation]: { input: z.output<(typeof operations)[O]['input']>; output: z.output<(typeof operations)[O]['output']> };
};

export const routeTable = operations as unknown as Readonly<Record<Operation, Route>>;
