// The gateway processes of one manager: which there are, how they come up and end, and whose shards are where.
import { randomBytes } from 'node:crypto';
import {
	type ClusterRedis,
	type GatewayClusterConfig,
	type GatewayMethods,
	type GatewayProcessStats,
	type GatewayShardStats,
	ShardctlError,
	systemClock,
	WorkerPaths,
} from '@shardctl/core';
import { defaultProcessHost } from '@shardctl/supervisor';
import { ManagedGateway, type ManagedGatewayOptions, spareGatewaySpec } from './managed-gateway.js';
import { SpareGateways } from './spare-gateways.js';

export interface GatewayFleetOptions {
	/** Shards of each process. */
	gateways: readonly (readonly number[])[];
	token: string;
	logger: ManagedGatewayOptions['logger'];
	/** Of a cluster. */
	redis?: ClusterRedis | undefined;
	child: ManagedGatewayOptions['child'];
	config(gatewayId: number): Omit<ReturnType<ManagedGatewayOptions['config']>, 'pathSecret'>;
	acquireIdentify: ManagedGatewayOptions['acquireIdentify'];
	identifyWindowMs: number;
	/** A process was made, and is not started: the time to listen to it. */
	onCreated?(gateway: ManagedGateway): void;
}

export class GatewayFleet {
	readonly #options: GatewayFleetOptions;
	#gateways: readonly ManagedGateway[] = [];
	#nextId = 0;
	/** Of a node of a cluster. */
	readonly #spares: SpareGateways | undefined;
	readonly #pathSecret = randomBytes(32).toString('base64url');
	readonly #paths = new WorkerPaths(this.#pathSecret);

	constructor(options: GatewayFleetOptions) {
		this.#options = options;
		const { token, child, redis } = options;
		this.#spares =
			redis &&
			new SpareGateways({
				host: child.host ?? defaultProcessHost,
				clock: child.clock ?? systemClock,
				spec: () => spareGatewaySpec(token, redis),
			});
		for (const shardIds of options.gateways) this.add(shardIds);
	}

	get gateways(): readonly ManagedGateway[] {
		return this.#gateways;
	}

	/** One more process, not started. `cluster`: its place in a cluster, asked for before each start. */
	add(shardIds: readonly number[], cluster?: () => GatewayClusterConfig): ManagedGateway {
		const { config, onCreated, gateways: _, redis: __, ...options } = this.#options;
		const gatewayId = this.#nextId++;
		const gateway = new ManagedGateway({
			...options,
			child: { ...options.child, ...(this.#spares && { host: this.#spares }) },
			paths: this.#paths,
			gatewayId,
			shardIds,
			config: () => ({ ...config(gatewayId), pathSecret: this.#pathSecret, ...(cluster && { cluster: cluster() }) }),
		});
		this.#gateways = [...this.#gateways, gateway];
		onCreated?.(gateway);
		return gateway;
	}

	/** How many processes wait, started already, for what {@link add} brings. */
	keepSpares(count: number): void {
		this.#spares?.keep(count);
	}

	/** Forgets a process, which ends or has ended. */
	remove(gateway: ManagedGateway): void {
		this.#gateways = this.#gateways.filter((each) => each !== gateway);
	}

	/** Whether every process is there. */
	get isUp(): boolean {
		return this.gateways.every(({ child }) => child.state === 'ready');
	}

	/** The process that holds the shards of a worker. */
	of(shardIds: readonly number[]): ManagedGateway {
		const gateway = this.gateways.findLast((candidate) => candidate.shardIds.includes(shardIds[0] as number));
		if (!gateway) throw new ShardctlError('INTERNAL', `no gateway process holds shard ${shardIds[0]}`);
		return gateway;
	}

	/** Announces to a gateway process which incarnation of a worker will connect; waits for a running process. */
	async expect(
		worker: GatewayMethods['worker.expect']['params'],
		signal: AbortSignal,
		gateway: ManagedGateway = this.of(worker.shardIds),
	): Promise<void> {
		for (;;) {
			await gateway.whenReady(signal);
			const answer = gateway.request('worker.expect', worker, { timeoutMs: 10_000, signal });
			// It may just have died; the announcement then goes to the next process.
			if (await answer.then(() => true).catch(() => false)) return;
			signal.throwIfAborted();
		}
	}

	/** Every shard of a worker's process is ready: its events may flow. */
	noteReady(worker: GatewayMethods['worker.ready']['params'], gateway: ManagedGateway, signal: AbortSignal): void {
		// A gateway process that does not answer has just died; the next one may have been started before the worker was ready.
		this.#reportReady(worker, gateway, signal).catch(() => {});
	}

	async #reportReady(
		worker: GatewayMethods['worker.ready']['params'],
		gateway: ManagedGateway,
		signal: AbortSignal,
	): Promise<void> {
		for (let code: string | undefined = 'CHANNEL_CLOSED'; code === 'CHANNEL_CLOSED' || code === 'WORKER_UNAVAILABLE'; ) {
			await gateway.whenReady(signal);
			const answer = gateway.request('worker.ready', worker, { timeoutMs: 10_000, signal });
			code = await answer.then(
				() => undefined,
				(error: unknown) => (ShardctlError.is(error) ? error.code : undefined),
			);
			signal.throwIfAborted();
		}
	}

	/** Resolves when workers can connect to every process; rejects with `WORKERS_FAILED`, or the signal's reason. */
	async start(signal: AbortSignal): Promise<void> {
		await Promise.all(this.gateways.map((gateway) => gateway.open()));
		signal.throwIfAborted();
		await new Promise<void>((resolve, reject) => {
			const waiting = new Set(this.gateways);
			if (waiting.size === 0) resolve();
			signal.addEventListener('abort', () => reject(signal.reason), { once: true });
			for (const gateway of this.gateways) {
				gateway.child.once('ready', () => {
					waiting.delete(gateway);
					if (waiting.size === 0) resolve();
				});
				gateway.child.on('failed', ({ reason }) => {
					const why = gateway.child.lastExit?.message ?? reason;
					reject(
						new ShardctlError('WORKERS_FAILED', `${gateway.label} was given up: ${why}`, {
							details: { survivors: 0, workers: [] },
						}),
					);
				});
				gateway.child.start();
			}
		});
	}

	/** Replaces every process, one after the other. Throws `WORKER_NOT_READY` when one does not come back, and what `onRestarted` throws. */
	async restart(onRestarted: (gateway: ManagedGateway) => Promise<void> = async () => {}): Promise<void> {
		for (const gateway of this.gateways) {
			if (await gateway.restart()) {
				await onRestarted(gateway);
				continue;
			}
			throw new ShardctlError('WORKER_NOT_READY', `${gateway.label} did not come back`, { details: { gatewayId: gateway.id } });
		}
	}

	/** Ends every process, and the sessions with Discord. */
	async stop(options: { graceMs?: number }): Promise<void> {
		await Promise.all([this.#spares?.close(), ...this.gateways.map((gateway) => gateway.stop(options))]);
	}

	stats(nowMs: number): Promise<GatewayProcessStats[]> {
		return Promise.all(
			this.gateways.map(async (gateway) => {
				const { child, id, shardIds } = gateway;
				const startedAt = child.pid === null ? null : child.startedAt;
				const uptimeMs = startedAt === null ? 0 : Math.max(0, nowMs - startedAt);
				const figures = await gateway.stats();
				const { pid, state: status, restarts, since, tries, failingSince, nextTryAt, lastAnswerAt, lastExit: exit } = child;
				const lastExit = exit && { reason: exit.reason, message: exit.message, at: exit.at };
				const snapshotFailure = snapshotFailureOf(figures.shards, this.#options.config(id).snapshotDir);
				return {
					id,
					pid,
					status,
					shardIds,
					startedAt,
					uptimeMs,
					restarts,
					since,
					tries,
					failingSince,
					nextTryAt,
					lastExit,
					lastAnswerAt,
					snapshotFailure,
					...figures,
				};
			}),
		);
	}
}

/** The shards of one process that cannot be saved, as one failure: a folder is full for all of them. */
function snapshotFailureOf(shards: readonly GatewayShardStats[], folder: string): GatewayProcessStats['snapshotFailure'] {
	const failing = shards.flatMap(({ shardId, snapshotFailure }) => (snapshotFailure ? [{ shardId, ...snapshotFailure }] : []));
	const [first] = failing;
	if (!first) return null;
	return {
		shardIds: failing.map(({ shardId }) => shardId),
		since: Math.min(...failing.map(({ since }) => since)),
		error: first.error,
		folder,
	};
}
