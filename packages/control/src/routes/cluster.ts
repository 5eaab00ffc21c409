// Routes about the nodes of a cluster. A fleet on one machine has none, and refuses them.
import { ShardctlError } from '@shardctl/core';
import { z } from 'zod';
import { flag, shardId, text, wholeNumber } from '../api/schemas.js';
import type { FleetCluster, ServedFleet } from '../fleet/cluster.js';
import { route } from './route.js';

const nodeName = text('the name of a node');

const nodeInfo = z.object({
	name: z.string(),
	status: z.enum(['joining', 'ready', 'draining', 'muted', 'gone']),
	pid: z.int().nullable(),
	version: z.string().nullable(),
	sessions: z.int(),
	shards: z.int(),
	workers: z.int().nullable(),
	capacity: z.number().nullable(),
	leaseMs: z.number(),
	startedAt: z.number().nullable(),
});

export const nodesRoute = route({
	summary: 'Returns the nodes of the cluster.',
	needs: 'read',
	input: z.strictObject({}),
	output: z.object({
		cluster: z.object({ app: z.string(), engine: z.string(), version: z.string() }),
		nodes: z.array(nodeInfo),
	}),
	run: (_input, { fleet }) => clusterOf(fleet).nodes(),
});

export const placementRoute = route({
	summary: 'Returns the node that responds, which node of the cluster has which session with Discord, and which are being moved.',
	needs: 'read',
	input: z.strictObject({}),
	output: z.object({
		node: z.string(),
		sessions: z.array(
			z.object({
				session: z.int(),
				shardIds: z.array(z.int()),
				node: z.string().nullable(),
				phase: z.enum(['held', 'moving', 'prepared']),
				target: z.string().nullable(),
			}),
		),
	}),
	async run(_input, { fleet }) {
		const cluster = clusterOf(fleet);
		return { node: cluster.node, sessions: await cluster.placement() };
	},
});

const defaultDeadlineMs = 120_000;

export const drainRoute = route({
	summary: 'Moves every session away from a node, which gets none until undo=true. Responds when it has none left.',
	input: z.strictObject({
		node: nodeName.optional().describe('default: the node that responds'),
		deadlineMs: wholeNumber(0).optional().describe(`how long it may take (default ${defaultDeadlineMs})`),
		undo: flag.optional().describe('give the node sessions again'),
		force: flag.optional().describe('also where no other node can take its sessions'),
		wait: flag.optional().describe('respond when it has none left (default true), else once it is marked'),
	}),
	output: z.object({ node: z.string(), moved: z.int(), left: z.int() }),
	run: ({ deadlineMs = defaultDeadlineMs, ...request }, { fleet, signal }) =>
		clusterOf(fleet).drain({ ...request, deadlineMs, signal }),
});

const move = z.object({ sessions: z.array(z.int()), shardIds: z.array(z.int()), from: z.string(), to: z.string() });

export const moveRoute = route({
	summary:
		'Moves the session that carries a shard to a node, with all of its shards. Those that have replaced one session move together. Responds when it is ready there.',
	input: z.strictObject({ shardId, node: nodeName }),
	output: move.extend({ moved: z.boolean() }),
	run: (request, { fleet, signal }) => clusterOf(fleet).move({ ...request, signal }),
});

export const rebalanceRoute = route({
	summary: 'Evens out the nodes, and responds when that is done. With dryRun=true it only returns the moves.',
	input: z.strictObject({ dryRun: flag.optional() }),
	output: z.object({ moves: z.array(move) }),
	run: async ({ dryRun = false }, { fleet, signal }) => ({ moves: await clusterOf(fleet).rebalance({ dryRun, signal }) }),
});

function clusterOf({ cluster }: ServedFleet): FleetCluster {
	if (cluster) return cluster;
	throw notACluster();
}

/** The refusal of what only a cluster has. */
export function notACluster(): ShardctlError {
	return new ShardctlError(
		'NOT_A_CLUSTER',
		'this fleet runs on one machine; start it with --cluster on each machine to have nodes',
	);
}
