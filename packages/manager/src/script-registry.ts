// Gives each distinct script an id and remembers which worker processes hold it, so that a source travels once per worker.
import type { Script, ScriptSource } from '@shardctl/core';

/** Sources beyond this many push the oldest out; the id is simply given anew when such a script comes back. */
const maxScripts = 500;

interface Known {
	id: number;
	/** Epoch of the worker's process that was last sent the source, by worker id. */
	sentTo: Map<number, number>;
}

export class ScriptRegistry {
	readonly #known = new Map<string, Known>();
	#lastId = 0;

	/** What to send to a worker's process: with the source when it has not had it yet. */
	scriptFor({ kind, source }: ScriptSource, worker: { id: number; epoch: number }): Script {
		const { id, sentTo } = this.#get(kind, source);
		if (sentTo.get(worker.id) === worker.epoch) return { id, kind };
		sentTo.set(worker.id, worker.epoch);
		return { id, kind, source };
	}

	#get(kind: Script['kind'], source: string): Known {
		const key = `${kind}:${source}`;
		let known = this.#known.get(key);
		if (!known) {
			if (this.#known.size >= maxScripts) this.#known.delete(this.#known.keys().next().value as string);
			known = { id: ++this.#lastId, sentTo: new Map() };
			this.#known.set(key, known);
		}
		return known;
	}
}
