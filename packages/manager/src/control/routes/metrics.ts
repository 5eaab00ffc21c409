// The route that Prometheus scrapes.
import { z } from 'zod';
import { exposition, expositionType } from '../metrics/exposition.js';
import { route } from '../route.js';

export const metricsRoute = route({
	summary: 'The figures of the fleet in the text format of Prometheus.',
	input: z.strictObject({}),
	output: z.string(),
	contentType: expositionType,
	run: async (_input, { manager, feed }) => {
		const stats = await manager.getStats();
		const { user, system } = process.cpuUsage();
		return exposition({
			stats,
			process: { rssBytes: process.memoryUsage.rss(), cpuSeconds: (user + system) / 1e6 },
			workers: manager.workers,
			eventCounts: feed.eventCounts,
		});
	},
});
