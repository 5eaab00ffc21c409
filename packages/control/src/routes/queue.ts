// Routes about the event queue and the workers that read it.
import { queueUnwritten, ShardctlError } from '@shardctl/core';
import { z } from 'zod';
import { deadEvent, queueStats, scope, text, wholeNumber } from '../api/schemas.js';
import type { Fleet, FleetQueue } from '../fleet/fleet.js';
import { route } from './route.js';

export const queueRoute = route({
	summary: 'Returns how far each group of workers is with the events of the queue, on all machines.',
	needs: 'read',
	input: z.strictObject({}),
	output: queueStats,
	async run(_input, { fleet }) {
		const { queue, gateways } = await fleet.getStats();
		const unwritten = gateways && queueUnwritten(gateways);
		if (queue) return { ...queue, ...(unwritten && { unwritten }) };
		throw noQueue();
	},
});

export const scaleRoute = route({
	summary:
		'Queue mode: changes how many workers run here, in a cluster on each node that runs any. Responds when new ones have joined their group, and others have finished and left it.',
	input: z.strictObject({ workers: wholeNumber(1, 'a number of workers'), ...scope }),
	output: z.object({ from: z.int(), to: z.int() }),
	async run({ workers }, { fleet }) {
		return fleet.scale(workers);
	},
});

const mostListed = 1000;

export const queueDeadRoute = route({
	// Not for the token for reading: the reasons are the bot's own words.
	summary: 'Returns the events that groups gave up, the newest first.',
	input: z.strictObject({
		limit: wholeNumber(1).optional().describe(`how many at most (default 100, at most ${mostListed})`),
	}),
	output: z.object({ events: z.array(deadEvent) }),
	run: async ({ limit = 100 }, { fleet }) => ({ events: await queueOf(fleet).dead(Math.min(limit, mostListed)) }),
});

const id = text('the id of an event, or "all"');
const outcome = z.object({ count: z.int(), tooOld: z.int() });

export const queueRetryRoute = route({
	summary: 'Puts events that were given up back into the queue, for the group that gave them up. Interactions are left out.',
	input: z.strictObject({ id }),
	output: outcome,
	run: ({ id: wanted }, { fleet }) => queueOf(fleet).retryDead(wanted),
});

export const queueDropRoute = route({
	summary: 'Removes events that were given up.',
	input: z.strictObject({ id }),
	output: outcome,
	run: ({ id: wanted }, { fleet }) => queueOf(fleet).dropDead(wanted),
});

export const queueRemoveRoute = route({
	summary:
		'Removes a group of workers from the queue: nothing is kept for it any more, and the events that it gave up are removed. Refused while it has workers.',
	input: z.strictObject({ group: text('the name of a group') }),
	output: z.object({ unhandled: z.int(), dead: z.int() }),
	run: ({ group }, { fleet }) => queueOf(fleet).removeGroup(group),
});

function queueOf({ queue }: Fleet): FleetQueue {
	if (queue) return queue;
	throw noQueue();
}

function noQueue(): ShardctlError {
	return new ShardctlError('OPTIONS_INVALID', 'this fleet has no event queue; start it with gateway "queue" to have one');
}
