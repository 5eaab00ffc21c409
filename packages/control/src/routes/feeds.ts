// Routes that return the most recent lines of the bots or events of the fleet, or follow them.
import { z } from 'zod';
import { flag, fleetEvent, logEntry, scope, shardId, wholeNumber } from '../api/schemas.js';
import { withoutOutput } from '../feed/without-output.js';
import { workerOfShard } from './fleet.js';
import { route } from './route.js';

const defaultTail = 100;

export const logsRoute = route({
	summary: 'Returns the last lines that the workers wrote. With follow=true, also streams each new line.',
	input: z.strictObject({
		shard: shardId.optional().describe('only the worker that owns this shard'),
		tail: wholeNumber(0).optional().describe(`number of lines (default ${defaultTail})`),
		follow: flag.optional().describe('stream new lines as server-sent events'),
		...scope,
	}),
	output: z.object({ lines: z.array(logEntry) }),
	async run({ shard, tail = defaultTail }, { fleet }) {
		if (shard !== undefined) await workerOfShard(fleet, shard);
		const lines = await fleet.recentLogs({ shard });
		return { lines: tail === 0 ? [] : lines.slice(-tail) };
	},
	follow: {
		item: logEntry,
		check: async ({ shard }, { fleet }) => shard !== undefined && (await workerOfShard(fleet, shard)),
		open({ shard, tail = defaultTail }, stream, { feed, signal, elsewhere }) {
			if (!elsewhere) return feed.followLogs(stream, { shard, tail }, signal);
			feed.attach(stream, signal);
			return elsewhere.cluster.follow(stream, { what: 'logs', tail, shard, node: elsewhere.node }, signal);
		},
	},
});

export const eventsRoute = route({
	summary: 'Returns the last events of the fleet. With follow=true, also streams each new event.',
	needs: 'read',
	input: z.strictObject({
		tail: wholeNumber(0).optional().describe(`number of events (default ${defaultTail}; 0 when following)`),
		follow: flag.optional().describe('stream new events as server-sent events; a Last-Event-ID header resumes after that event'),
		...scope,
	}),
	output: z.object({ events: z.array(fleetEvent) }),
	async run({ tail = defaultTail }, { feed, elsewhere, mayReadOutput }) {
		const events = elsewhere ? await elsewhere.cluster.recentEvents(elsewhere.node) : feed.recentEvents();
		const last = tail === 0 ? [] : events.slice(-tail);
		return { events: mayReadOutput ? last : last.map(withoutOutput) };
	},
	follow: {
		item: fleetEvent,
		open({ tail = 0 }, stream, { feed, signal, lastEventId, elsewhere }) {
			if (elsewhere) {
				feed.attach(stream, signal);
				return elsewhere.cluster.follow(stream, { what: 'events', tail, node: elsewhere.node }, signal);
			}
			const newest = feed.recentEvents().at(-1)?.seq ?? 0;
			return feed.followEvents(stream, { after: lastEventId > 0 ? lastEventId : newest - tail }, signal);
		},
	},
});
