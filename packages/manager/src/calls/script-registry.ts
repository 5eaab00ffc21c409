// Gives each distinct script an id and remembers which worker processes hold it, so that a source travels once per worker.
import type { Script, ScriptSource } from '@shardctl/core';

/** Sources beyond this many push the oldest out; the id is simply given anew when such a script comes back. */
const maxScripts = 500;

/** A script that has its id. */
export class KnownScript {
	readonly id: number;
	readonly #script: ScriptSource;
	/** Epoch of the worker's process that was last sent the source, by worker id. */
	readonly #sentTo = new Map<number, number>();

	constructor(id: number, script: ScriptSource) {
		this.id = id;
		this.#script = script;
	}

	/** With its source. */
	get whole(): Script {
		return { id: this.id, ...this.#script };
	}

	/** As a process that has the source needs it. */
	get brief(): Script {
		return { id: this.id, kind: this.#script.kind };
	}

	/** Whether a worker's process has been sent the source; if not, it is taken to be from now on. */
	sendTo(workerId: number, epoch: number): boolean {
		if (this.#sentTo.get(workerId) === epoch) return true;
		this.#sentTo.set(workerId, epoch);
		return false;
	}

	/** A worker has let the source go. */
	forget(workerId: number): void {
		this.#sentTo.delete(workerId);
	}
}

export class ScriptRegistry {
	readonly #known = new Map<string, KnownScript>();
	#lastId = 0;

	/** To be asked once for a broadcast: finding a script means reading its text. */
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
