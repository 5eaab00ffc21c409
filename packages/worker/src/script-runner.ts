// Compiles the scripts of broadcastEval once each and runs them with the bot's client.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { compileFunction, constants, Script as VmScript } from 'node:vm';
import { type ScriptCall, type ScriptKind, ShardctlError, scriptMissing } from '@shardctl/core';
import { helpersOf } from './compiler-helpers.js';

type Compiled = (this: unknown, client: unknown, context: unknown) => unknown;

/** The variables of a script besides `client` and `context`. */
type Scope = Readonly<Record<string, unknown>>;

/** When more scripts are compiled, the oldest is discarded; the manager sends its source again on request. */
const maxScripts = 500;

/** The compiled scripts of one worker. The caller chooses the client. */
export class ScriptRunner {
	readonly #compiled = new Map<number, Compiled>();
	readonly #require: NodeJS.Require;
	readonly #folder: string;

	/** @param botFile Absolute path; `require` and `import()` in a script resolve from there. */
	constructor(botFile: string) {
		this.#require = createRequire(botFile);
		this.#folder = dirname(botFile);
	}

	/**
	 * Runs a script on a client. Throws the script's errors, and `scriptMissing` where its text is not known. A synchronous script is
	 * answered synchronously: an extra promise per call is a good part of the cost of a small call.
	 */
	run(call: ScriptCall, client: unknown): unknown {
		const compiled = this.#get(call);
		if (!compiled) throw scriptMissing(call.script);
		const value = compiled.call(client, client, call.context);
		return isThenable(value) ? Promise.resolve(value).then(sendable) : sendable(value);
	}

	/** `tslib` as the bot has it, or as its discord.js has it. */
	#tslib(): object | undefined {
		for (const start of [() => this.#require, () => createRequire(this.#require.resolve('discord.js'))]) {
			try {
				return start()('tslib') as object;
			} catch {
				// Not installed there.
			}
		}
		return undefined;
	}

	#get({ script: id, text }: ScriptCall): Compiled | undefined {
		const known = this.#compiled.get(id);
		if (known || !text) return known;
		const { kind, source } = text;
		const scope = { require: this.#require, ...helpersOf(source, () => this.#tslib()) };
		const compiled = compile({ kind, source, filename: join(this.#folder, `broadcastEval-${id}.js`), scope });
		if (this.#compiled.size >= maxScripts) this.#compiled.delete(this.#compiled.keys().next().value as number);
		this.#compiled.set(id, compiled);
		return compiled;
	}
}

interface ScriptText {
	kind: ScriptKind;
	source: string;
	filename: string;
	scope: Scope;
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
	return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}

function sendable(value: unknown): unknown {
	if (typeof value !== 'function' && typeof value !== 'symbol') return value;
	throw new ShardctlError('NOT_SERIALIZABLE', `the script returned a ${typeof value}, which cannot be sent between processes`);
}

/**
 * A script as a function of `client`, `context` and `require`, with the client as `this`, as in discord.js.
 * A string is parsed as an expression if possible; else as statements whose last value is the result, as with `eval`; else, when
 * it uses `return` or `await` at its top level, as the body of an async function.
 */
function compile({ kind, source, filename, scope }: ScriptText): Compiled {
	const compileBody = (body: string) => compileIn(scope, body, filename);
	if (kind === 'function') return compileBody(`return (${source}\n).call(this, client, context);`);
	try {
		return compileBody(`return (async () => (${source}\n)).call(this);`);
	} catch (error) {
		if (!(error instanceof SyntaxError)) throw error;
	}
	if (isPlainScript(source)) return compileBody(`return eval(${JSON.stringify(source)});`);
	return compileBody(`return (async () => {${source}\n}).call(this);`);
}

function compileIn(scope: Scope, body: string, filename: string): Compiled {
	const compiled = compileFunction(body, ['client', 'context', ...Object.keys(scope)], {
		filename,
		importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
	}) as (this: unknown, ...args: unknown[]) => unknown;
	const values = Object.values(scope);
	return function run(this: unknown, client, context) {
		return compiled.call(this, client, context, ...values);
	};
}

/** Whether a string parses as statements without a top-level `return` or `await`. */
function isPlainScript(source: string): boolean {
	try {
		new VmScript(source);
		return true;
	} catch {
		return false;
	}
}
