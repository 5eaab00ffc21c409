// The contract between two nodes of a cluster: what a manager requests of another one, and the schemas that check what arrives. Both sides
// are managers of the same bot with the same key; everything here is about the other node's own machine, never about the cluster.
import type { Fleet, FleetEvent } from '@shardctl/control';
import type { RemoteCallOptions, ScriptSource } from '@shardctl/core';
import type { PeerSchemas } from '@shardctl/rpc';
import { z } from 'zod';

/** The methods of a fleet that one node may call on another. Calls into the bot have a method of their own, which keeps every value. */
export const remoteFleetMethods = [
	'getStats',
	'getWorkers',
	'recentLogs',
	'replaceWorker',
	'respawnAll',
	'startDeploy',
	'waitForDeploy',
	'cancelDeploy',
	'scale',
	'restartGateways',
	'restartRest',
] as const satisfies readonly (keyof Fleet)[];

export type RemoteFleetMethod = (typeof remoteFleetMethods)[number];

/** A call into the workers of a node: to the owner of a shard, where the options name one, else to all. */
export type NodeCall = { options: RemoteCallOptions } & (
	| { kind: 'eval'; script: ScriptSource; context?: unknown }
	| { kind: 'fetch'; path: string }
	| { kind: 'call'; name: string; args: unknown[] }
);

/** `state`: which there are, as `DeployState`. The others are about one of them. */
export type DeployQuestion =
	| { ask: 'state' }
	| { ask: 'cancel'; id: number; onlyQueued?: boolean | undefined }
	| { ask: 'outcome'; id: number };

export interface NodeMethods {
	/** Nothing: a link whose other node no longer listens ends with it. */
	ping: { params: null; result: null };
	fleet: { params: { method: RemoteFleetMethod; args: unknown[] }; result: unknown };
	call: { params: NodeCall; result: unknown };
	/** Of the deploys that this node conducts. */
	deploy: { params: DeployQuestion; result: unknown };
	/** To `process.on('message')` of the owner of a shard, or of every worker. */
	send: { params: { shardId: number | null; message: unknown }; result: null };
	/** Marks the node as drained, or as available again. */
	drain: { params: { draining: boolean }; result: null };
	/** Returns at once: the node stops, and its links end with it. */
	stop: { params: { graceMs?: number | undefined; reason: string; drain: boolean }; result: null };
	recentEvents: { params: null; result: FleetEvent[] };
	/**
	 * Sends `frame` events with this id until it is cancelled. Never returns by itself. The same id over another link continues after the frame
	 * of that number.
	 */
	follow: {
		params: { id: string; after: number; what: 'events' | 'logs'; tail: number; shard?: number | undefined };
		result: null;
	};
}

export interface NodeEvents {
	/**
	 * A frame of server-sent events for the follower of this id, with its number. Or a mark, with the number before it: all recent ones were
	 * sent; nothing follows, because the node stops.
	 */
	frame: { id: string; n: number; frame: string | null; mark?: 'recent' | 'end' | undefined };
}

const options = z.strictObject({
	shard: z.int().nonnegative().optional(),
	guildId: z.string().optional(),
	timeoutMs: z.number().nonnegative().optional(),
	settle: z.boolean().optional(),
}) as z.ZodType<RemoteCallOptions>;
const script = z.strictObject({ kind: z.enum(['function', 'text']), source: z.string() });
const anything = z.unknown();

export const nodeSchemas: PeerSchemas<NodeMethods, NodeMethods, NodeEvents> = {
	params: {
		ping: z.null(),
		fleet: z.strictObject({ method: z.enum(remoteFleetMethods), args: z.array(anything).max(4) }),
		call: z.discriminatedUnion('kind', [
			z.strictObject({ kind: z.literal('eval'), script, context: anything.optional(), options }),
			z.strictObject({ kind: z.literal('fetch'), path: z.string(), options }),
			z.strictObject({ kind: z.literal('call'), name: z.string(), args: z.array(anything), options }),
		]) as z.ZodType<NodeCall>,
		deploy: z.discriminatedUnion('ask', [
			z.strictObject({ ask: z.literal('state') }),
			z.strictObject({ ask: z.literal('cancel'), id: z.int(), onlyQueued: z.boolean().optional() }),
			z.strictObject({ ask: z.literal('outcome'), id: z.int() }),
		]),
		send: z.strictObject({ shardId: z.int().nonnegative().nullable(), message: anything }) as z.ZodType<
			NodeMethods['send']['params']
		>,
		drain: z.strictObject({ draining: z.boolean() }),
		stop: z.strictObject({ graceMs: z.number().nonnegative().optional(), reason: z.string(), drain: z.boolean() }),
		recentEvents: z.null(),
		follow: z.strictObject({
			id: z.string(),
			after: z.int().nonnegative(),
			what: z.enum(['events', 'logs']),
			tail: z.int().nonnegative(),
			shard: z.int().nonnegative().optional(),
		}),
	},
	results: {
		ping: z.null(),
		fleet: anything,
		call: anything,
		deploy: anything,
		send: z.null(),
		drain: z.null(),
		stop: z.null(),
		recentEvents: z.array(z.looseObject({ seq: z.int(), at: z.number(), type: z.string() })) as unknown as z.ZodType<
			FleetEvent[]
		>,
		follow: z.null(),
	},
	events: {
		frame: z.strictObject({
			id: z.string(),
			n: z.int().nonnegative(),
			frame: z.string().nullable(),
			mark: z.enum(['recent', 'end']).optional(),
		}),
	},
};
