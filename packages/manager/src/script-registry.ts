// Gives each distinct script an id and remembers which worker processes hold it, so that a source travels once per worker.
import { type Script, type ScriptKind, ShardctlError } from '@shardctl/core';

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
	scriptFor({ kind, source }: { kind: ScriptKind; source: string }, worker: { id: number; epoch: number }): Script {
		const { id, sentTo } = this.#get(kind, source);
		if (sentTo.get(worker.id) === worker.epoch) return { id, kind };
		sentTo.set(worker.id, worker.epoch);
		return { id, kind, source };
	}

	#get(kind: ScriptKind, source: string): Known {
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

/**
 * The text of a script that can travel. Throws `OPTIONS_INVALID` for what has none: a method or a native or bound function.
 * A syntax error of a text shows in the worker, as the error of the call.
 */
export function scriptSource(script: unknown): { kind: ScriptKind; source: string } {
	if (typeof script === 'string') return { kind: 'text', source: script };
	if (typeof script !== 'function') {
		throw new ShardctlError(
			'OPTIONS_INVALID',
			`a script is a function or a string, got ${script === null ? 'null' : typeof script}`,
		);
	}
	const source = Function.prototype.toString.call(script);
	if (/^(?:async\s+)?(?:function\b|\*?\s*\(|[\w$]+\s*=>)/.test(source) && !source.endsWith('{ [native code] }')) {
		return { kind: 'function', source };
	}
	throw new ShardctlError(
		'OPTIONS_INVALID',
		`this function has no text that can run elsewhere (a method, a bound or a native function): pass an arrow function such as (client, context) => … Got: ${source.slice(0, 80)}`,
	);
}
