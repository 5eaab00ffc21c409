// The route for an address of the dashboard, which logs one browser in.
import { z } from 'zod';
import { flag } from '../api/schemas.js';
import { route } from './route.js';

export const dashboardRoute = route({
	summary: 'Returns an address of the dashboard that logs a browser in once, and serves the dashboard if that is not done yet.',
	input: z.strictObject({
		readOnly: flag.optional().describe('the browser may not act on the fleet'),
	}),
	output: z.object({
		url: z.string(),
		/** Epoch ms until which it logs in. */
		expiresAt: z.number(),
		readOnly: z.boolean(),
	}),
	run: ({ readOnly = false }, { openDashboard }) => openDashboard({ readOnly }),
});
