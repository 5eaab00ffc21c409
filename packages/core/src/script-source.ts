// The text of a script that is to run in another process. Pure, and the same on both sides of the channel.
import { Script as ScriptParser } from 'node:vm';
import type { ScriptSource } from './contract/worker.js';
import { ShardctlError } from './errors.js';

/** The error of a worker that was sent only the id of a script, and does not have its text (any more). */
export function scriptMissing(id: number): ShardctlError {
	return new ShardctlError('METHOD_NOT_FOUND', `the worker does not have the text of script ${id}`, {
		details: { missingScript: id },
	});
}

export function isScriptMissing(error: unknown, id: number): boolean {
	return ShardctlError.is(error) && error.details.missingScript === id;
}

/** What a function's text can begin with when it is an expression; the rest is left to the parser. */
const plainFunction = /^(?:async\s*)?(?:function\b|\(|[\w$]+\s*=>)/;

/**
 * The text of a function or a string. Throws `OPTIONS_INVALID` for what has none that could run elsewhere: a bound or native
 * function, a class, a method. A syntax error of a text shows where it runs, as the error of the call.
 */
export function scriptSource(script: unknown): ScriptSource {
	if (typeof script === 'string') return { kind: 'text', source: script };
	if (typeof script !== 'function') {
		const got = script === null ? 'null' : typeof script;
		throw new ShardctlError('OPTIONS_INVALID', `a script is a function or a string, got ${got}`);
	}
	const source = Function.prototype.toString.call(script);
	if (!source.endsWith('{ [native code] }') && (plainFunction.test(source) || isFunctionExpression(source))) {
		return { kind: 'function', source };
	}
	throw new ShardctlError(
		'OPTIONS_INVALID',
		`this function has no text that can run elsewhere (it is a method, a class, a bound or a native function); ` +
			`pass an arrow function such as (client, context) => … Got: ${source.slice(0, 80)}`,
	);
}

function isFunctionExpression(source: string): boolean {
	if (source.startsWith('class')) return false;
	try {
		new ScriptParser(`(${source}\n)`);
		return true;
	} catch {
		return false;
	}
}
