// The option `cluster` of createShardManager: the Redis that the nodes share, and this node.
import { readFileSync } from 'node:fs';
import { availableParallelism, hostname } from 'node:os';
import type { ClusterRedis } from '@shardctl/core';
import { messageOf, type OptionProblem, redisUrlProblem } from '@shardctl/core';
import { z } from 'zod';

const wholeNumber = z.number().int({ error: 'must be a whole number' }).min(1, { error: 'must be a whole number from 1' });
/** The bounds of the lease: below, a busy machine loses its sessions; above, a dead machine is replaced late. */
const leaseMs = { min: 1000, max: 120_000 } as const;
/** A shorter one can be guessed by a person who records messages. */
const shortestSecret = 16;
/** More sessions than a bot has. */
const unlimited = 1_000_000;
const pem = z.union([z.string(), z.instanceof(Uint8Array)], { error: 'must be text in PEM' }).optional();
const nodeName = /^[\w.-]{1,64}$/;

export const clusterSchema = z.union(
	[
		z.string(),
		z.strictObject({
			url: z.string().optional(),
			node: z.string().regex(nodeName, { error: 'must be of letters, digits, ".", "_" and "-", at most 64' }).optional(),
			capacity: z.union([z.literal('auto'), wholeNumber], { error: 'must be a whole number from 1, or "auto"' }).optional(),
			expect: wholeNumber.optional(),
			secret: z
				.string()
				.min(shortestSecret, { error: `must have at least ${shortestSecret} characters` })
				.optional(),
			leaseMs: z
				.number({ error: 'must be a duration' })
				.min(leaseMs.min, { error: 'must be at least 1 s' })
				.max(leaseMs.max, { error: 'must be at most 2 min' })
				.optional(),
			state: z.enum(['redis', 'none']).optional(),
			ca: z.string().optional(),
			cert: z.string().optional(),
			key: z.string().optional(),
			tls: z.strictObject({ ca: pem, cert: pem, key: pem }, { error: 'must be { ca, cert, key }, each in PEM' }).optional(),
		}),
	],
	{ error: 'must be the URL of a Redis, or { url, node, capacity, expect, leaseMs, state, secret, ca, cert, key, tls }' },
);

/** Several managers, on any machines, that run one fleet; see packages/cluster. */
export interface ClusterOptions {
	/** `redis://[user:password@]host[:port]`, or `rediss://` for TLS (default: `SHARDCTL_CLUSTER`). */
	url: string;
	/** The name of this node, which no other node has (default: the host name). */
	node?: string;
	/**
	 * Sessions at most on this node (default: no limit). Nodes with more capacity get more. `auto`: no limit, and as many sessions for each core
	 * as on the other nodes with `auto`.
	 */
	capacity?: number | 'auto';
	/** How many nodes have to be there before the first sessions are placed (default 1). */
	expect?: number;
	/** How long a node that is gone keeps its sessions (default 6000). The same on all nodes. */
	leaseMs?: number;
	/**
	 * Where the state of the guilds and the sessions is saved (default `redis`). With `none` it is not: a session that gets to another node, for
	 * whatever reason, starts there with an IDENTIFY, and nothing is moved to even out the nodes. The same on all nodes.
	 */
	state?: 'redis' | 'none';
	/**
	 * Signs the messages between nodes, the same on all of them (default: `SHARDCTL_CLUSTER_SECRET`, else the bot token). A person with access
	 * to Redis, but without this secret, cannot run anything on a node.
	 */
	secret?: string;
	/** Files in PEM, for `rediss://`: the authority that has signed the certificate of Redis, and a certificate for this client. */
	ca?: string;
	cert?: string;
	key?: string;
	/** The same as text in PEM instead of files. */
	tls?: { ca?: string | Uint8Array; cert?: string | Uint8Array; key?: string | Uint8Array };
}

export interface ResolvedClusterOptions {
	redis: ClusterRedis;
	node: string;
	capacity: number;
	expect: number;
	leaseMs: number;
	state: 'redis' | 'none';
	/** Undefined: the bot token is used. */
	secret: string | undefined;
}

/** Null without a cluster. Adds what is wrong to `problems`. */
export function resolveClusterOptions(
	given: string | Partial<ClusterOptions> | undefined,
	problems: OptionProblem[],
): ResolvedClusterOptions | null {
	if (given === undefined) return null;
	const options: Partial<ClusterOptions> = typeof given === 'string' ? { url: given } : given;
	const { url, node = defaultNodeName(), capacity, expect, leaseMs: lease, state = 'redis' } = options;
	if (url === undefined) {
		problems.push({
			option: 'cluster.url',
			problem: 'is missing: name the Redis that all nodes share, such as redis://10.0.0.5:6379',
		});
		return null;
	}
	const wrong = redisUrlProblem(url);
	if (wrong !== undefined) problems.push({ option: 'cluster', problem: wrong });
	const tls: NonNullable<ClusterRedis['tls']> = {};
	for (const part of ['ca', 'cert', 'key'] as const) {
		const file = options[part];
		const given = options.tls?.[part];
		if (given !== undefined) {
			if (file !== undefined)
				problems.push({ option: `cluster.${part}`, problem: `says the same as cluster.tls.${part}: keep one of them` });
			tls[part] = typeof given === 'string' ? given : Buffer.from(given).toString();
			continue;
		}
		if (file === undefined) continue;
		try {
			tls[part] = readFileSync(file, 'utf8');
		} catch (error) {
			problems.push({ option: `cluster.${part}`, problem: `cannot be read: ${messageOf(error)}` });
		}
	}
	if ((tls.cert === undefined) !== (tls.key === undefined)) {
		problems.push({ option: 'cluster.cert', problem: 'and cluster.key belong together: give both' });
	}
	const secret = options.secret ?? (process.env.SHARDCTL_CLUSTER_SECRET || undefined);
	if (secret !== undefined && secret.length < shortestSecret) {
		problems.push({ option: 'SHARDCTL_CLUSTER_SECRET', problem: `must have at least ${shortestSecret} characters` });
	}
	const hasTls = Object.keys(tls).length > 0;
	if (hasTls && wrong === undefined && !url.startsWith('rediss:')) {
		problems.push({ option: 'cluster', problem: 'must begin with rediss:// when certificates are given' });
	}
	return {
		redis: { url, ...(hasTls ? { tls } : {}) },
		node,
		capacity: capacity === 'auto' ? unlimited * availableParallelism() : (capacity ?? unlimited),
		expect: expect ?? 1,
		leaseMs: lease ?? 6000,
		state,
		secret,
	};
}

function defaultNodeName(): string {
	return (
		hostname()
			.replace(/[^\w.-]/g, '-')
			.slice(0, 64) || 'node'
	);
}
