// Whether a fleet has a REST process, which is known once its workers are planned, and where its workers and gateway processes find
// Discord's REST API.
import type { LimitPart, LimitWish, RestStats } from '@shardctl/core';
import type { ResolvedRestOptions } from '../options/rest-options.js';
import { RestService, type RestServiceOptions } from './rest-service.js';

export interface FleetRestOptions extends Omit<RestServiceOptions, 'rest' | 'askLimit'> {
	/** Null: never. */
	rest: ResolvedRestOptions | null;
}

/** What is known once the workers are planned. */
export interface RestUse {
	/** How many worker processes there are. In a cluster that changes with the sessions of the node. */
	workers?: number;
	/** In a cluster: makes what asks for this node's part of the limit of all nodes. */
	limitOf?: (perSecond: number) => (wish: LimitWish) => Promise<LimitPart>;
}

export class FleetRest {
	readonly #options: FleetRestOptions;
	#service: RestService | null = null;

	constructor(options: FleetRestOptions) {
		this.#options = options;
	}

	/** Null where each worker sends its own requests. */
	get service(): RestService | null {
		return this.#service;
	}

	/** Whether requests can be sent, as far as it is known here. */
	get isUp(): boolean {
		return this.#service?.isUp !== false;
	}

	/**
	 * Opens the address of the REST process where the fleet has one, and starts it: where it was asked for, and where there are other
	 * processes to share the limits with. Workers can be started beside it: their requests wait.
	 * `ready` resolves when requests can be sent, and rejects as {@link RestService.start} does.
	 */
	async open({ workers = 0, limitOf }: RestUse, signal: AbortSignal): Promise<{ ready: Promise<void> }> {
		const { rest, ...others } = this.#options;
		if (!rest || !(rest.always || workers > 1 || limitOf)) return { ready: Promise.resolve() };
		this.#service = new RestService({ ...others, rest, askLimit: limitOf?.(rest.globalPerSecond) });
		await this.#service.open();
		signal.throwIfAborted();
		const ready = this.#service.start(signal);
		// It may fail before it is awaited.
		ready.catch(() => {});
		return { ready };
	}

	apiOfWorker(workerId: number): string | undefined {
		return this.#service?.apiOfWorker(workerId);
	}

	apiOfGateway(gatewayId: number): string | undefined {
		return this.#service?.apiOfGateway(gatewayId);
	}

	/** Undefined also while requests would have to wait for the process: what the manager asks Discord does not depend on it. */
	apiOfManager(): string | undefined {
		return this.#service?.isUp ? this.#service.apiOfManager() : undefined;
	}

	async stop(options: { graceMs?: number }): Promise<void> {
		await this.#service?.stop(options);
	}

	/** Undefined where there is no REST process. Never rejects. */
	async stats(): Promise<RestStats | undefined> {
		return this.#service?.stats();
	}
}
