// The deploys of one manager: one at a time, in the order in which they were asked for, and never beside a restart of all workers.
import { type DeployStats, ShardctlError } from '@shardctl/core';
import { Deploy, type DeployContext } from './deploy.js';
import { type DeployOptions, readDeployOptions } from './deploy-options.js';

/** How many that are over can still be asked for. */
const remembered = 20;

export type DeploysContext = Omit<DeployContext, 'id' | 'options'> & {
	/** Runs `work` when every restart of all workers that was asked for before has ended. */
	inTurn(work: () => Promise<void>): void;
};

export class Deploys {
	readonly #context: DeploysContext;
	#lastId = 0;
	/** Those that are not over, in order. */
	readonly #active = new Set<Deploy>();
	/** The last that are over, newest last. */
	#past: Deploy[] = [];

	constructor(context: DeploysContext) {
		this.#context = context;
	}

	/** Asks for a deploy; it begins when its turn comes. Throws `OPTIONS_INVALID`. */
	add(given: DeployOptions | undefined): Deploy {
		const deploy = new Deploy({ ...this.#context, id: ++this.#lastId, options: readDeployOptions(given) });
		this.#active.add(deploy);
		const over = () => {
			this.#active.delete(deploy);
			this.#past = [...this.#past, deploy].slice(-remembered);
		};
		deploy.outcome.then(over, over);
		this.#context.inTurn(() => deploy.run());
		return deploy;
	}

	/** One that is not over, or one of the last. Throws `OPTIONS_INVALID`. */
	byId(id: number): Deploy {
		const deploy = [...this.#active, ...this.#past].find((each) => each.id === id);
		if (deploy) return deploy;
		throw new ShardctlError(
			'OPTIONS_INVALID',
			`there is no deploy ${id}${this.#lastId === 0 ? ': this fleet had none yet' : ''}`,
		);
	}

	/** Calls off the deploy of this number, or the one that runs. Throws `OPTIONS_INVALID` when there is none. */
	callOff(id: number | undefined, { onlyQueued = false }: { onlyQueued?: boolean } = {}): Deploy {
		const deploy = id === undefined ? [...this.#active][0] : this.byId(id);
		if (!deploy) throw new ShardctlError('OPTIONS_INVALID', 'no deploy is running, so there is nothing to call off');
		if (!onlyQueued) deploy.callOff('the deploy was called off');
		else if (deploy.state === 'queued') deploy.callOff('the deploy was called off because its client disconnected');
		return deploy;
	}

	/** The one that runs, or the last that ran; undefined before the first. `queued`: how many wait behind it. */
	stats(): (DeployStats & { queued: number }) | undefined {
		const [current, ...waiting] = this.#active;
		const shown = current ?? this.#past.at(-1);
		return shown && { ...shown.stats(), queued: waiting.length };
	}
}
