// Takes an error apart into plain data and puts one together from it. Which of that data can travel, and how, is the value
// codec's business. Node's own channels do neither: 'json' keeps nothing of an error, 'advanced' drops its code.
import { types } from 'node:util';
import { type ErrorCode, errorCodes, ShardctlError } from '@shardctl/core';

export interface ErrorParts {
	name: string;
	message: string;
	stack?: string;
	/** Set when it is an error of ours; then `own` holds its details. */
	shardctlCode?: string;
	/** Present only where the error has one, also when it is undefined. */
	cause?: unknown;
	/** The errors of an AggregateError. */
	errors?: unknown[];
	/** Own enumerable data, and the code also where it is inherited or hidden. */
	own: Map<string, unknown>;
}

/** Longest message or stack that travels; the rest of a longer one is cut off. */
const maxTextLength = 64 * 1024;
const maxNameLength = 256;
/** Longest list of errors of an AggregateError that travels. */
const maxErrors = 100;
const handledKeys = new Set(['name', 'message', 'stack', 'cause', 'errors']);

export function isError(value: unknown): value is Error {
	return value instanceof Error || types.isNativeError(value);
}

/** Reads everything of an error that a program or a person could want. Never throws, whatever the error's getters do. */
export function takeErrorApart(error: Error): ErrorParts {
	const ours = ShardctlError.is(error);
	const parts: ErrorParts = {
		name: text(read(error, 'name'), 'Error', maxNameLength),
		message: text(read(error, 'message'), '', maxTextLength),
		own: new Map(),
	};
	const stack = read(error, 'stack');
	if (typeof stack === 'string') parts.stack = stack.slice(0, maxTextLength);
	if (Object.hasOwn(error, 'cause')) parts.cause = read(error, 'cause');
	const errors = read(error, 'errors');
	if (Array.isArray(errors)) parts.errors = errors.slice(0, maxErrors);
	if (ours) {
		parts.shardctlCode = error.code;
		for (const [key, value] of Object.entries(error.details)) parts.own.set(key, value);
		return parts;
	}
	const code = read(error, 'code');
	if (typeof code === 'string' || typeof code === 'number') parts.own.set('code', code);
	for (const key of Object.keys(error)) {
		if (!handledKeys.has(key) && !parts.own.has(key)) parts.own.set(key, read(error, key));
	}
	return parts;
}

/** Builtin classes that an error is given back as, so that `instanceof TypeError` keeps working. */
const builtins = new Map<string, new (message: string, options?: ErrorOptions) => Error>([
	['TypeError', TypeError],
	['RangeError', RangeError],
	['SyntaxError', SyntaxError],
	['ReferenceError', ReferenceError],
	['EvalError', EvalError],
	['URIError', URIError],
]);

/** Makes a real error: a ShardctlError when it was one, else the builtin class of that name, else an Error. */
export function putErrorTogether(parts: ErrorParts): Error {
	const error = create(parts);
	if (error.name !== parts.name) Object.defineProperty(error, 'name', { value: parts.name, configurable: true, writable: true });
	// The place where it was thrown is the one worth reading; the place where it was put together says nothing.
	Object.defineProperty(error, 'stack', {
		value: parts.stack ?? `${parts.name}: ${parts.message}`,
		configurable: true,
		writable: true,
	});
	return error;
}

function create({ name, message, shardctlCode, own, errors, ...rest }: ErrorParts): Error {
	const options = 'cause' in rest ? { cause: rest.cause } : {};
	if (shardctlCode !== undefined && Object.hasOwn(errorCodes, shardctlCode)) {
		return new ShardctlError(shardctlCode as ErrorCode, message, { ...options, details: toObject(own) });
	}
	const error = errors ? new AggregateError(errors, message, options) : new (builtins.get(name) ?? Error)(message, options);
	// Keep a code of ours that this version does not know: it is better than none.
	if (shardctlCode !== undefined) own.set('code', shardctlCode);
	for (const [key, value] of own) {
		if (handledKeys.has(key)) continue;
		Object.defineProperty(error, key, { value, enumerable: true, configurable: true, writable: true });
	}
	return error;
}

/** An object of data properties only: an own `__proto__` stays a key and never becomes the prototype. */
function toObject(entries: Map<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(entries);
}

function read(error: Error, key: string): unknown {
	try {
		return (error as unknown as Record<string, unknown>)[key];
	} catch {
		return undefined;
	}
}

function text(value: unknown, otherwise: string, maxLength: number): string {
	return typeof value === 'string' ? value.slice(0, maxLength) : otherwise;
}
