// Nodes in this process, each with a network of its own, and a host that holds nothing but writes down what it is asked for. While they
// run, a timer looks at all of them at once: at no moment may two of them act for one session.

import { ShardctlError, systemClock } from '@shardctl/core';
import { waitFor } from '@shardctl/test-support';
import { timingsFor } from '../../src/lease/timings.js';
import { ClusterNode } from '../../src/node/cluster-node.js';
import { IoredisPort } from '../../src/redis/ioredis-port.js';
import { clusterKeys } from '../../src/redis/keys.js';
import { FakeHost, type FakeHostLog } from './fake-host.js';
import type { RedisServer } from './redis-server.js';
import { type TcpProxy, tcpProxy } from './tcp-proxy.js';

export interface FleetNode {
	readonly name: string;
	readonly node: ClusterNode;
	readonly host: FakeHost;
	readonly network: TcpProxy;
	/** Sets the wall clock of the node, as a difference to that of the machine. */
	setWallClock(differenceMs: number): void;
	/** As a crash. */
	kill(): Promise<void>;
}

export interface FakeFleetOptions {
	app: string;
	sessions: number;
	leaseMs: number;
	/** `min-replicas-max-lag` of the Redis. */
	maxLagMs?: number;
}

export class FakeFleet {
	readonly nodes: FleetNode[] = [];
	readonly log: FakeHostLog = [];
	readonly overlaps: string[] = [];
	/** Session → the time at which a node could last act for it, and the longest time in which none could. */
	readonly #acted = new Map<number, { last: number; pauseMs: number }>();
	readonly #server: RedisServer;
	readonly #options: FakeFleetOptions;
	readonly #judge: NodeJS.Timeout;
	#started = 0;

	constructor(server: RedisServer, options: FakeFleetOptions) {
		this.#server = server;
		this.#options = options;
		this.#judge = setInterval(() => this.#look(), 1);
	}

	async start(name: string): Promise<FleetNode> {
		const { app, leaseMs, maxLagMs = 0, sessions } = this.#options;
		let wallDifferenceMs = 0;
		const network = await tcpProxy(this.#server.port);
		const redis = new IoredisPort({ url: network.url, silenceMs: leaseMs / 2, timeoutMs: leaseMs });
		const host = new FakeHost(name, this.log);
		const node = new ClusterNode({
			redis,
			keys: clusterKeys(app),
			timings: timingsFor({ leaseMs, maxLagMs }),
			clock: { ...systemClock, now: () => Date.now() + wallDifferenceMs },
			host,
			member: { name, version: '0', pid: process.pid, startedAt: ++this.#started, capacity: 100 },
			layout: { totalShards: sessions, sessions },
			assignAhead: 100,
		});
		const member: FleetNode = {
			name,
			node,
			host,
			network,
			setWallClock: (differenceMs) => {
				wallDifferenceMs = differenceMs;
			},
			kill: async () => {
				node.abandon();
				this.nodes.splice(this.nodes.indexOf(member), 1);
				await redis.close();
				await network.close();
			},
		};
		try {
			await started(redis, node);
		} catch (error) {
			await redis.close();
			await network.close();
			throw error;
		}
		this.nodes.push(member);
		return member;
	}

	/** The node that may act for each session now. */
	owners(): (string | undefined)[] {
		return Array.from(
			{ length: this.#options.sessions },
			(_, session) => this.nodes.find(({ node }) => node.mayAct(session))?.name,
		);
	}

	allOwned(): boolean {
		return this.owners().every((owner) => owner !== undefined);
	}

	/** Resolves when the nodes, but for one, have sent this many renewals more, all together. */
	async renewals(count: number, except?: FleetNode): Promise<void> {
		const others = this.nodes.filter((node) => node !== except);
		const sum = () => others.reduce((total, { node }) => total + node.state.lastRenewal, 0);
		const before = sum();
		await waitFor(`${count} renewals`, () => sum() >= before + count);
	}

	/** The longest time in which none could act for a session, since the last call. */
	longestPauseMs(): number {
		const longest = Math.max(0, ...[...this.#acted.values()].map(({ pauseMs }) => pauseMs));
		for (const acted of this.#acted.values()) acted.pauseMs = 0;
		return longest;
	}

	async close(): Promise<void> {
		clearInterval(this.#judge);
		await Promise.all(this.nodes.slice().map((node) => node.kill()));
	}

	#look(): void {
		const now = performance.now();
		for (let session = 0; session < this.#options.sessions; session++) {
			const acting = this.nodes.filter(({ node }) => node.mayAct(session));
			if (acting.length > 1) this.overlaps.push(`session ${session}: ${acting.map(({ name }) => name).join(' and ')}`);
			if (acting.length === 0) continue;
			const acted = this.#acted.get(session) ?? { last: now, pauseMs: 0 };
			acted.pauseMs = Math.max(acted.pauseMs, now - acted.last);
			acted.last = now;
			this.#acted.set(session, acted);
		}
	}
}

/** On a busy machine the connection may break before the node has joined; it then joins over the next one. */
async function started(redis: IoredisPort, node: ClusterNode): Promise<void> {
	for (;;) {
		await redis.ready(20_000);
		try {
			await node.start();
			return;
		} catch (error) {
			if (!ShardctlError.is(error) || !['REDIS_UNAVAILABLE', 'CALL_TIMEOUT'].includes(error.code)) throw error;
		}
	}
}
