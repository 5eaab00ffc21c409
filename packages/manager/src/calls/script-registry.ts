// Gives every distinct script an id, and remembers which processes have its source, so that a source travels once per process.
import type { ScriptSource } from '@shardctl/core';
import type { CallWorker } from './call-worker.js';

/** Sources beyond this many push the oldest out; a script that comes back later gets a new id. */
const maxScripts = 500;

/** A script with its id. */
export class KnownScript {
	readonly id: number;
	readonly text: ScriptSource;
	/** Epoch of the process that was last sent the source. By worker, not by its id: a worker's successor starts without scripts. */
	readonly #sentTo = new WeakMap<Pick<CallWorker, 'epoch'>, number>();

	constructor(id: number, text: ScriptSource) {
		this.id = id;
		this.text = text;
	}

	/** Whether the worker's process has been sent the source; if not, it counts as sent from now on. */
	sendTo(worker: Pick<CallWorker, 'epoch'>): boolean {
		const { epoch } = worker;
		if (this.#sentTo.get(worker) === epoch) return true;
		this.#sentTo.set(worker, epoch);
		return false;
	}

	/** The worker's process no longer has the source. */
	forget(worker: Pick<CallWorker, 'epoch'>): void {
		this.#sentTo.delete(worker);
	}
}

export class ScriptRegistry {
	readonly #known = new Map<string, KnownScript>();
	#lastId = 0;

	/** Looks a script up by its text; call it once per broadcast. */
	get({ kind, source }: ScriptSource): KnownScript {
		const key = `${kind}:${source}`;
		let known = this.#known.get(key);
		if (!known) {
			if (this.#known.size >= maxScripts) this.#known.delete(this.#known.keys().next().value as string);
			known = new KnownScript(++this.#lastId, { kind, source });
			this.#known.set(key, known);
		}
		return known;
	}
}
