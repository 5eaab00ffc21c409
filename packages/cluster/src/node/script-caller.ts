// Sends the ownership scripts of one node. Every script carries the engine that the node knows.
import { randomBytes } from 'node:crypto';
import type { NodeState, Renewal, RenewalReply } from '../lease/node-state.js';
import { commonArguments, renewalArguments, renewalReply } from '../lease/renewal-wire.js';
import type { Timings } from '../lease/timings.js';
import type { ClusterKeys } from '../redis/keys.js';
import type { RedisArgument, RedisPort, RedisScript } from '../redis/redis-port.js';
import { ownershipScripts } from '../scripts/ownership-scripts.js';
import { type ClusterView, clusterView } from '../table/cluster-view.js';

export interface ScriptCallerOptions {
	redis: RedisPort;
	keys: ClusterKeys;
	timings: Timings;
	state: Pick<NodeState, 'node' | 'identity'>;
}

export class ScriptCaller {
	readonly scripts = ownershipScripts();
	/** What a script publishes to that changes the table, in the same step: one round trip less for those that wait for it. */
	readonly channel: string;
	readonly #redis: RedisPort;
	readonly #keys: readonly string[];
	readonly #timings: Timings;
	readonly #state: Pick<NodeState, 'node' | 'identity'>;

	constructor({ redis, keys, timings, state }: ScriptCallerOptions) {
		this.#redis = redis;
		this.#keys = tableKeys(keys);
		this.channel = keys.tableChanged;
		this.#timings = timings;
		this.#state = state;
	}

	/** The first argument of every script of a node is the node. */
	async run(script: RedisScript, ...args: readonly RedisArgument[]): Promise<string[]> {
		return (await this.#send(script, this.#state.identity, [this.#state.node, ...args])) as string[];
	}

	/** Compare and set: a plan that was made from a version of the table. The other nodes hear of what it changes. */
	async apply(version: number, ripe: boolean, changes: readonly unknown[]): Promise<string[] | undefined> {
		const { takeMarginMs } = this.#timings;
		const args = [version, ripe ? 1 : 0, takeMarginMs, JSON.stringify(changes), this.channel, this.#state.node];
		const [kind, , outcomes] = (await this.#send(this.scripts.apply, this.#state.identity, args)) as [string, unknown, string[]];
		return kind === 'OK' ? outcomes : undefined;
	}

	async renew(renewal: Renewal): Promise<RenewalReply> {
		return renewalReply(await this.#send(this.scripts.renew, renewal.identity, renewalArguments(this.#state.node, renewal)));
	}

	read(): Promise<ClusterView> {
		return readTable(this.#redis, this.#keys, this.scripts.read);
	}

	#send(script: RedisScript, identity: string, args: readonly RedisArgument[]): Promise<unknown> {
		const common = commonArguments(identity, this.#timings, randomBytes(8).toString('hex'));
		// After its validity an answer is worth nothing.
		return this.#redis.script(script, this.#keys, [...common, ...args], { timeoutMs: this.#timings.validMs });
	}
}

/** The cluster as it is now, for who is no node of it. */
export function readCluster({ redis, keys }: Pick<ScriptCallerOptions, 'redis' | 'keys'>): Promise<ClusterView> {
	return readTable(redis, tableKeys(keys), ownershipScripts().read);
}

async function readTable(redis: RedisPort, keys: readonly string[], script: RedisScript): Promise<ClusterView> {
	return clusterView(await redis.script(script, keys, []));
}

function tableKeys({ engine, nodes, table, members, records }: ClusterKeys): string[] {
	return [engine, nodes, table, members, records];
}
