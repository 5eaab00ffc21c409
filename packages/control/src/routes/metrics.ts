// The route that Prometheus scrapes.
import { z } from 'zod';
import { exposition, expositionType } from '../metrics/exposition.js';
import { route } from './route.js';

export const metricsRoute = route({
	summary: 'Returns the metrics of the fleet in the text format of Prometheus.',
	needs: 'read',
	input: z.strictObject({}),
	output: z.string(),
	contentType: expositionType,
	run: async (_input, { fleet, feed }) => {
		const [stats, workers] = await Promise.all([fleet.getStats(), fleet.getWorkers()]);
		const { user, system } = process.cpuUsage();
		return exposition({
			stats,
			process: { rssBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 },
			workers,
			eventCounts: feed.eventCounts,
			nodeSteps: feed.nodeSteps,
		});
	},
});
