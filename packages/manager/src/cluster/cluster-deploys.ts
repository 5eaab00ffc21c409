// Deploys of all nodes, one node after the other: each node replaces its own workers with its own files of the bot. A node that fails brings
// its old version back, and the nodes after it are not begun; those before it keep the new version. The node that a deploy was requested of
// conducts it; the others find it there.
import type { DeployRequest, Fleet } from '@shardctl/control';
import {
	type Clock,
	type Deferred,
	type DeployOutcome,
	type DeployStats,
	deferred,
	messageOf,
	ShardctlError,
} from '@shardctl/core';
import { type DeployOptions, readDeployOptions } from '../deploy/deploy-options.js';
import { atNode } from './at-node.js';

export interface DeployedNode {
	name: string;
	fleet: Pick<Fleet, 'startDeploy' | 'waitForDeploy' | 'cancelDeploy'>;
}

export interface ClusterDeploysOptions {
	clock: Clock;
	/** The nodes that have workers, in order of their names. */
	nodes(): Promise<readonly DeployedNode[]>;
	/** What the other nodes conduct; those that do not respond are left out. */
	conductors(): Promise<readonly DeployConductor[]>;
}

/** Another node, as the conductor of deploys. */
export interface DeployConductor extends DeployState {
	cancel(id: number, options: { onlyQueued?: boolean }): Promise<DeployStats>;
	outcome(id: number): Promise<DeployOutcome>;
}

/** The deploys that a node conducts. */
export interface DeployState {
	/** Of those that are remembered. */
	readonly ids: readonly number[];
	/** The one that runs; null where none does. */
	readonly active: number | null;
}

interface ClusterDeploy {
	readonly id: number;
	readonly request: DeployRequest;
	readonly startedAt: number;
	readonly begunAt: number;
	readonly outcome: Deferred<DeployOutcome>;
	state: DeployStats['state'];
	/** The node whose turn it is, and its deploy. */
	current: { node: DeployedNode; id: number } | undefined;
	done: number;
	total: number;
	tookMs: number;
	error: string | null;
	calledOff: boolean;
}

/** How many that are over can still be asked for. */
const remembered = 20;

export class ClusterDeploys {
	readonly #options: ClusterDeploysOptions;
	readonly #deploys: ClusterDeploy[] = [];
	#lastId = 0;
	/** Another node's deploys that were called off through this one, until their end was asked for. Each node counts its own. */
	readonly #calledOffElsewhere = new Map<number, DeployConductor>();
	#last: Promise<void> = Promise.resolve();

	constructor(options: ClusterDeploysOptions) {
		this.#options = options;
	}

	/** It begins when the deploys before it have ended. Throws `OPTIONS_INVALID`. */
	start(request: DeployRequest = {}): DeployStats {
		readDeployOptions(request as DeployOptions);
		const { clock } = this.#options;
		const deploy: ClusterDeploy = {
			id: ++this.#lastId,
			request,
			startedAt: clock.now(),
			begunAt: clock.monotonic(),
			outcome: deferred<DeployOutcome>(),
			state: 'queued',
			current: undefined,
			done: 0,
			total: 0,
			tookMs: 0,
			error: null,
			calledOff: false,
		};
		// Who started it may not wait for its end.
		deploy.outcome.promise.catch(() => {});
		this.#deploys.push(deploy);
		if (this.#deploys.length > remembered) this.#deploys.shift();
		this.#last = this.#last.then(() => this.#run(deploy));
		return statsOf(deploy);
	}

	/** Of a deploy that any node conducts. */
	async outcome(id: number): Promise<DeployOutcome> {
		const calledOff = this.#calledOffElsewhere.get(id);
		this.#calledOffElsewhere.delete(id);
		if (!calledOff && this.state.ids.includes(id)) return this.outcomeHere(id);
		const conductor = calledOff ?? (await this.#conductorOf(({ ids }) => ids.includes(id)));
		return conductor ? conductor.outcome(id) : this.outcomeHere(id);
	}

	/** A deploy that any node conducts; the one that runs where none is named. */
	async cancel(id: number | undefined, options: { onlyQueued?: boolean } = {}): Promise<DeployStats> {
		const { ids, active } = this.state;
		if (id === undefined ? active !== null : ids.includes(id)) return this.cancelHere(id, options);
		const conductor = await this.#conductorOf((other) => (id === undefined ? other.active !== null : other.ids.includes(id)));
		if (!conductor) return this.cancelHere(id, options);
		const stats = await conductor.cancel(id ?? (conductor.active as number), options);
		this.#calledOffElsewhere.set(stats.id, conductor);
		return stats;
	}

	get state(): DeployState {
		return {
			ids: this.#deploys.map(({ id }) => id),
			active: this.#deploys.find(({ state }) => !isOver(state))?.id ?? null,
		};
	}

	async outcomeHere(id: number): Promise<DeployOutcome> {
		return this.#byId(id).outcome.promise;
	}

	async cancelHere(id: number | undefined, options: { onlyQueued?: boolean } = {}): Promise<DeployStats> {
		const deploy = id === undefined ? this.#deploys.find(({ state }) => !isOver(state)) : this.#byId(id);
		if (!deploy || isOver(deploy.state)) {
			throw new ShardctlError('OPTIONS_INVALID', 'no deploy is running, so there is nothing to call off');
		}
		if (options.onlyQueued && deploy.state !== 'queued') return statsOf(deploy);
		deploy.calledOff = true;
		const { current } = deploy;
		if (!current) return statsOf(deploy);
		const { state } = await current.node.fleet.cancelDeploy(current.id);
		return { ...statsOf(deploy), state };
	}

	/** The one that runs, or the last; undefined before the first. `of`: what the node whose turn it is says about its own. */
	stats(of: ManagerDeploy | undefined): ManagerDeploy | undefined {
		const active = this.#deploys.filter(({ state }) => !isOver(state));
		const shown = active[0] ?? this.#deploys.at(-1);
		if (!shown) return of;
		const stats = { ...statsOf(shown), queued: Math.max(0, active.length - 1) };
		const { current } = shown;
		if (!current || of?.id !== current.id) return stats;
		const { state, stage, workerId, shardIds, stageMs } = of;
		return {
			...stats,
			state: isOver(state) ? stats.state : state,
			stage: `node ${current.node.name}: ${stage}`,
			workerId,
			shardIds,
			stageMs,
		};
	}

	/** The node whose deploy is under way, if any. */
	get currentNode(): string | undefined {
		return this.#deploys.find(({ current }) => current)?.current?.node.name;
	}

	async #run(deploy: ClusterDeploy): Promise<void> {
		const { clock, nodes } = this.#options;
		try {
			const asked = await nodes();
			deploy.total = asked.length;
			let { request } = deploy;
			for (const node of asked) {
				if (deploy.calledOff) throw new ShardctlError('CALL_CANCELLED', 'the deploy was called off');
				deploy.state = 'replacing';
				const { id } = await atNode(node.name, node.fleet.startDeploy(request));
				deploy.current = { node, id };
				await atNode(node.name, node.fleet.waitForDeploy(id));
				deploy.done++;
				// Whether the new version works is known from the first node.
				request = { ...request, canary: undefined, bakeMs: undefined };
			}
			deploy.state = 'deployed';
			deploy.tookMs = Math.round(clock.monotonic() - deploy.begunAt);
			deploy.outcome.resolve({ id: deploy.id, tookMs: deploy.tookMs });
		} catch (error) {
			deploy.state = ShardctlError.is(error) && error.code === 'CALL_CANCELLED' ? 'called-off' : 'failed';
			deploy.tookMs = Math.round(clock.monotonic() - deploy.begunAt);
			deploy.error = describeEnd(error, deploy);
			deploy.outcome.reject(
				ShardctlError.is(error) ? new ShardctlError(error.code, deploy.error, { cause: error, details: error.details }) : error,
			);
		} finally {
			deploy.current = undefined;
		}
	}

	async #conductorOf(matches: (conductor: DeployConductor) => boolean): Promise<DeployConductor | undefined> {
		return (await this.#options.conductors()).find(matches);
	}

	#byId(id: number): ClusterDeploy {
		const deploy = this.#deploys.find((each) => each.id === id);
		if (deploy) return deploy;
		throw new ShardctlError(
			'OPTIONS_INVALID',
			`there is no deploy ${id}${this.#lastId === 0 ? ': this fleet had none yet' : ''}`,
		);
	}
}

type ManagerDeploy = DeployStats & { queued: number };

function describeEnd(error: unknown, { done, total }: ClusterDeploy): string {
	const kept = done === 0 ? '' : `; ${done} of ${total} nodes keep the new version`;
	return `${messageOf(error)}${kept}`;
}

function isOver(state: DeployStats['state']): boolean {
	return state === 'deployed' || state === 'failed' || state === 'called-off';
}

function statsOf({ id, state, startedAt, tookMs, done, total, error }: ClusterDeploy): DeployStats {
	const stage = state === 'queued' ? 'waiting' : `${done} of ${total} nodes`;
	return { id, state, stage, workerId: null, shardIds: [], stageMs: 0, startedAt, tookMs, done, total, error };
}
