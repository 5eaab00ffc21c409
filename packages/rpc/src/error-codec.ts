// Whatever a handler threw, on its way to the caller. An error arrives as an error of the same name, message, stack, code and
// data, so a bot's catch blocks work as if the handler were next door; anything else arrives as the cause of a REMOTE_ERROR.
import { inspect } from 'node:util';
import { messageOf, ShardctlError } from '@shardctl/core';
import { isError } from './error-parts.js';
import { decodeValue } from './value-decoder.js';
import { type EncodedValue, encodeValue, type ValueLimits } from './value-encoder.js';

/** Most that one thrown value may carry along; what is attached to an error beyond that is left out. */
const maxThrownBytes = 1024 * 1024;

/** Encodes what was thrown. Never throws: a failure must reach the caller, whatever it looks like. */
export function encodeThrown(thrown: unknown, limits: ValueLimits): EncodedValue {
	const bounds = { ...limits, maxMessageBytes: Math.min(limits.maxMessageBytes, maxThrownBytes) };
	try {
		return encodeValue(thrown, bounds);
	} catch {
		const described = isError(thrown) ? messageOf(thrown) : describe(thrown);
		return encodeValue(new ShardctlError('REMOTE_ERROR', `the handler threw what cannot travel: ${described.slice(0, 1000)}`));
	}
}

/** Gives back what {@link encodeThrown} encoded, always as an Error. Throws `PROTOCOL_ERROR` when it makes no sense. */
export function decodeThrown(wire: unknown): Error {
	const thrown = decodeValue(wire, true);
	if (isError(thrown)) return thrown;
	return new ShardctlError('REMOTE_ERROR', `the handler threw ${describe(thrown)}, which is not an Error`, { cause: thrown });
}

function describe(value: unknown): string {
	try {
		return inspect(value, { depth: 1, maxStringLength: 200, maxArrayLength: 10, breakLength: Number.POSITIVE_INFINITY });
	} catch {
		return `a ${typeof value}`;
	}
}
