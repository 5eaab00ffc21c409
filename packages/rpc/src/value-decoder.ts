// Gives values back from the form in which the encoder wrote them. What the other side sent is not trusted: tags that make no sense
// are refused, no data becomes code or a prototype, and depth is bounded.
import { messageOf, ShardctlError } from '@shardctl/core';
import { type ErrorParts, putErrorTogether } from './error-parts.js';
import { defaultPeerLimits } from './limits.js';
import { type Tagged, tag, viewClasses, type WireError } from './wire-tags.js';

/** Gives a value back from its wire form, which is used up by it. Throws a ShardctlError `PROTOCOL_ERROR` on tags that make no sense. */
export function decodeValue(wire: unknown, tagged: boolean): unknown {
	if (!tagged) return wire;
	try {
		return revive(wire, 0);
	} catch (error) {
		if (ShardctlError.is(error)) throw error;
		throw new ShardctlError('PROTOCOL_ERROR', `a value from the other side cannot be read: ${messageOf(error)}`, {
			cause: error,
		});
	}
}

const views = new Map<unknown, new (memory: ArrayBuffer) => ArrayBufferView>(Object.entries(viewClasses));

/** A level of a value may take three on the wire (a tag, its data, a list in it), and a prepared value may be inside another. */
const maxWireDepth = 6 * defaultPeerLimits.maxDepth + 16;

/** Gives the value of a wire form back, replacing tags in place. */
function revive(wire: unknown, depth: number): unknown {
	if (typeof wire !== 'object' || wire === null) return wire;
	if (depth > maxWireDepth) throw malformed('it is nested too deep');
	if (Array.isArray(wire)) {
		for (let i = 0; i < wire.length; i++) wire[i] = revive(wire[i], depth + 1);
		return wire;
	}
	return Object.hasOwn(wire, '$') ? reviveTag(wire as Tagged, depth + 1) : reviveEntries(wire as Record<string, unknown>, depth);
}

function reviveEntries(wire: Record<string, unknown>, depth: number): object {
	for (const key of Object.keys(wire)) {
		const child = wire[key];
		// JSON.parse made each key an own property, also a `__proto__`, so this writes a value and never a prototype.
		if (typeof child === 'object' && child !== null) wire[key] = revive(child, depth + 1);
	}
	return wire;
}

function reviveTag({ $: kind, v: data }: Tagged, depth: number): unknown {
	switch (kind) {
		case tag.undefined:
			return undefined;
		case tag.number:
			return Number(data);
		case tag.bigint:
			return BigInt(expectString(data));
		case tag.date:
			return new Date(data === null ? Number.NaN : (data as number));
		case tag.map:
			return reviveMap(expectArray(data), depth);
		case tag.set:
			return new Set(expectArray(data).map((item) => revive(item, depth + 1)));
		case tag.bytes:
			return reviveBytes(expectArray(data));
		case tag.regexp: {
			const [source, flags] = expectArray(data);
			return new RegExp(expectString(source), expectString(flags));
		}
		case tag.url:
			return new URL(expectString(data));
		case tag.error:
			return reviveError(data, depth);
		case tag.object:
			return reviveEntries(expectObject(data), depth);
		default:
			throw malformed('it has a tag that is not known here');
	}
}

function reviveMap(flat: unknown[], depth: number): Map<unknown, unknown> {
	const map = new Map();
	for (let i = 0; i + 1 < flat.length; i += 2) map.set(revive(flat[i], depth + 1), revive(flat[i + 1], depth + 1));
	return map;
}

function reviveBytes([name, base64]: unknown[]): unknown {
	const buffer = Buffer.from(expectString(base64), 'base64');
	if (name === 'Buffer') return buffer;
	// A small Buffer is a window on a shared pool; these get memory of their own.
	const { buffer: memory } = new Uint8Array(buffer);
	if (name === 'ArrayBuffer') return memory;
	const View = views.get(name);
	if (!View) throw malformed('it has bytes of a kind that is not known here');
	return new View(memory);
}

function reviveError(data: unknown, depth: number): Error {
	const wire = expectObject(data) as Partial<WireError>;
	const parts: ErrorParts = { name: expectString(wire.name), message: expectString(wire.message), own: new Map() };
	if (wire.stack !== undefined) parts.stack = expectString(wire.stack);
	if (wire.shardctlCode !== undefined) parts.shardctlCode = expectString(wire.shardctlCode);
	if (wire.cause !== undefined) parts.cause = revive(expectArray(wire.cause)[0], depth + 1);
	if (wire.errors !== undefined) parts.errors = expectArray(wire.errors).map((each) => revive(each, depth + 1));
	if (wire.own !== undefined) parts.own = reviveMap(expectArray(wire.own), depth) as Map<string, unknown>;
	return putErrorTogether(parts);
}

function expectArray(data: unknown): unknown[] {
	if (!Array.isArray(data)) throw malformed('a tag has the wrong data');
	return data;
}

function expectString(data: unknown): string {
	if (typeof data !== 'string') throw malformed('a tag has the wrong data');
	return data;
}

function expectObject(data: unknown): Record<string, unknown> {
	if (typeof data !== 'object' || data === null || Array.isArray(data)) throw malformed('a tag has the wrong data');
	return data as Record<string, unknown>;
}

function malformed(why: string): ShardctlError {
	return new ShardctlError('PROTOCOL_ERROR', `a value from the other side cannot be read: ${why}`);
}
