// Turns any value into what JSON can carry, and back. discord.js's semantics come first: `toJSON` is honoured, functions and
// symbols inside objects are dropped. Beyond them BigInt, Map, Set, Date, bytes, RegExp, URL, Error, NaN, ±Infinity, -0 and
// undefined survive. A plain value costs one walk that takes a snapshot, and nothing at all on the receiving side.
//
// What JSON cannot say is written as a tag, `{ "$": kind, "v": data }`; a value of the user's that has a key `$` is wrapped in a
// tag itself, so nothing that a user sends is ever taken for one.
import { types } from 'node:util';
import { messageOf, ShardctlError } from '@shardctl/core';
import { type ErrorParts, isError, putErrorTogether, takeErrorApart } from './error-parts.js';
import { defaultPeerLimits, type PeerLimits } from './limits.js';

/** A value in the form in which it travels: a snapshot, so what happens to the original afterwards changes nothing. */
export interface EncodedValue {
	readonly wire: unknown;
	/** Whether `wire` holds tags. Without any it is the value. */
	readonly tagged: boolean;
	/** Size of its JSON text: exact for long strings, an estimate for the rest. */
	readonly sizeBytes: number;
}

export type ValueLimits = Pick<PeerLimits, 'maxMessageBytes' | 'maxDepth'>;

/**
 * Encodes a value. Throws a ShardctlError: `NOT_SERIALIZABLE` (a function or symbol as the whole value, a circular structure,
 * nested too deep, or a `toJSON` or getter that throws) or `MESSAGE_TOO_LARGE`. Both name the place.
 */
export function encodeValue(value: unknown, limits: ValueLimits = defaultPeerLimits): EncodedValue {
	const encoder = new Encoder(limits);
	try {
		const wire = encoder.encode(value, '');
		if (wire === dropped) throw notSerializable(`a ${typeof value} cannot travel between processes`);
		return { wire, tagged: encoder.tagged, sizeBytes: encoder.sizeBytes };
	} catch (error) {
		if (ShardctlError.is(error) && (error.code === 'NOT_SERIALIZABLE' || error.code === 'MESSAGE_TOO_LARGE')) throw error;
		throw notSerializable(`${encoder.place()} cannot be read: ${messageOf(error)}`, { cause: error });
	}
}

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

/** What the encoder answers for a function or a symbol: no value at all. JSON.stringify drops it from objects by itself. */
const dropped = undefined;

type Tag = { $: string; v?: unknown };

/** `toJSON` methods of Node's own that lose what the codec can keep; any other one is the wish of whoever wrote it. */
const builtinToJSON = new Set<unknown>([Date, Buffer, URL].map(({ prototype }) => Reflect.get(prototype, 'toJSON')));

/** Strings up to this length count by their length, which costs nothing. */
const shortString = 256;

/** Size of a value that JSON says by itself; 0 for everything else. */
function sizeOfPlain(value: unknown): number {
	if (typeof value === 'string') return (value.length < shortString ? value.length : Buffer.byteLength(value)) + 3;
	if (typeof value === 'number') return Number.isFinite(value) && (value !== 0 || 1 / value > 0) ? 8 : 0;
	if (typeof value === 'boolean') return 6;
	return value === null ? 5 : 0;
}

class Encoder {
	tagged = false;
	sizeBytes = 0;
	readonly #maxBytes: number;
	readonly #maxDepth: number;
	/** The objects around the one at hand, outermost first. */
	readonly #ancestors: object[] = [];

	constructor(limits: ValueLimits) {
		this.#maxBytes = limits.maxMessageBytes;
		this.#maxDepth = limits.maxDepth;
	}

	/** Encodes one value; `key` is what `toJSON` is told, as JSON.stringify tells it. */
	encode(value: unknown, key: string | number): unknown {
		switch (typeof value) {
			case 'string':
			case 'boolean':
				this.#grow(sizeOfPlain(value));
				return value;
			case 'number':
				return this.#number(value);
			case 'object':
				if (value !== null) return this.#object(value, key);
				this.#grow(sizeOfPlain(value));
				return null;
			case 'undefined':
				return this.#tag({ $: 'u' });
			case 'bigint':
				return this.#bigint(value, key);
			case 'function': {
				const { toJSON } = value as { toJSON?: unknown };
				return typeof toJSON === 'function' ? this.#afterToJSON(toJSON.call(value, String(key))) : dropped;
			}
			case 'symbol':
				return dropped;
		}
	}

	#number(value: number): unknown {
		this.#grow(8);
		if (sizeOfPlain(value) > 0) return value;
		return this.#tag({ $: 'f', v: Object.is(value, -0) ? '-0' : String(value) });
	}

	#bigint(value: bigint, key: string | number): unknown {
		// Many bots give BigInt a toJSON so that JSON.stringify works; they get what they asked for.
		const { toJSON } = value as { toJSON?: unknown };
		if (typeof toJSON === 'function') return this.#afterToJSON(toJSON.call(value, String(key)));
		const digits = String(value);
		this.#grow(digits.length);
		return this.#tag({ $: 'n', v: digits });
	}

	#object(value: object, key: string | number): unknown {
		const { toJSON } = value as { toJSON?: unknown };
		if (typeof toJSON === 'function' && !builtinToJSON.has(toJSON)) return this.#afterToJSON(toJSON.call(value, String(key)));
		return this.#container(value);
	}

	/** What `toJSON` gave is taken as it is: JSON.stringify does not ask it again. */
	#afterToJSON(value: unknown): unknown {
		if (typeof value === 'object' && value !== null) return this.#container(value);
		if (typeof value === 'bigint' || typeof value === 'function') {
			if (typeof value === 'function') return dropped;
			return this.#tag({ $: 'n', v: String(value) });
		}
		return this.encode(value, '');
	}

	#container(value: object): unknown {
		const ancestors = this.#ancestors;
		// Depths are small, so this is cheaper than a Set.
		for (let i = 0; i < ancestors.length; i++) {
			if (ancestors[i] !== value) continue;
			ancestors.push(value);
			throw notSerializable(`a circular structure cannot travel between processes: ${this.place()} leads back to one around it`);
		}
		if (ancestors.length >= this.#maxDepth) {
			throw notSerializable(`${this.place()} is nested deeper than ${this.#maxDepth} levels`);
		}
		ancestors.push(value);
		let wire: unknown;
		if (Array.isArray(value)) {
			wire = this.#array(value);
		} else {
			const prototype: unknown = Object.getPrototypeOf(value);
			wire = prototype === Object.prototype || prototype === null ? this.#plain(value) : this.#special(value);
		}
		ancestors.pop();
		return wire;
	}

	// The two loops below are where the time goes. A snapshot is a clone whose nested values are then replaced, because cloning is
	// cheaper than filling; what JSON says by itself is only counted, and the count is kept in a local until it is needed.

	#array(value: readonly unknown[]): unknown[] {
		// An array of a billion holes is refused before it is walked.
		if (this.sizeBytes + 2 * value.length > this.#maxBytes) throw this.#tooLarge();
		// Spreading fills the holes: they arrive as undefined.
		const wire: unknown[] = [...value];
		let size = 2;
		for (let i = 0; i < wire.length; i++) {
			const child = wire[i];
			const plainSize = sizeOfPlain(child);
			if (plainSize > 0) {
				size += plainSize;
				continue;
			}
			this.#grow(size);
			size = 0;
			wire[i] = this.encode(child, i);
		}
		this.#grow(size);
		return wire;
	}

	#plain(value: object): object {
		const wire = { ...value } as Record<string, unknown>;
		let size = 2;
		let hasTagKey = false;
		for (const key in wire) {
			const child = wire[key];
			size += key.length + 3;
			if (key === '$') hasTagKey = true;
			const plainSize = sizeOfPlain(child);
			if (plainSize > 0) {
				size += plainSize;
				continue;
			}
			// Something enumerable on Object.prototype is none of ours. The clone owns every other key, also a `__proto__`, so the
			// assignment writes a value and never a prototype.
			if (!Object.hasOwn(wire, key)) continue;
			this.#grow(size);
			size = 0;
			wire[key] = this.encode(child, key);
		}
		this.#grow(size);
		return hasTagKey && Object.hasOwn(wire, '$') ? this.#tag({ $: 'o', v: wire }) : wire;
	}

	#special(value: object): unknown {
		if (types.isMap(value)) {
			const flat: unknown[] = [];
			for (const [key, item] of value) flat.push(this.#item(key), this.#item(item));
			return this.#tag({ $: 'm', v: flat });
		}
		if (types.isSet(value)) return this.#tag({ $: 's', v: Array.from(value, (item) => this.#item(item)) });
		if (types.isDate(value)) {
			const time = value.getTime();
			return this.#tag({ $: 'd', v: Number.isNaN(time) ? null : time });
		}
		if (isError(value)) return this.#error(value);
		if (ArrayBuffer.isView(value) || types.isArrayBuffer(value)) return this.#bytes(value);
		if (types.isRegExp(value)) {
			this.#grow(value.source.length);
			return this.#tag({ $: 'r', v: [value.source, value.flags] });
		}
		if (value instanceof URL) {
			this.#grow(value.href.length);
			return this.#tag({ $: 'l', v: value.href });
		}
		if (types.isBoxedPrimitive(value)) return this.encode(value.valueOf(), '');
		return this.#plain(value);
	}

	/** An entry of a Map or Set; what cannot travel becomes null, as in arrays. */
	#item(value: unknown): unknown {
		return this.encode(value, '') ?? null;
	}

	#bytes(value: ArrayBufferView | ArrayBuffer): Tag {
		const name = Buffer.isBuffer(value) ? 'Buffer' : types.isArrayBuffer(value) ? 'ArrayBuffer' : nameOfView(value);
		this.#grow(Math.ceil(value.byteLength / 3) * 4);
		const bytes = ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.from(value);
		return this.#tag({ $: 'b', v: [name, bytes.toString('base64')] });
	}

	/** An error always travels: what is attached to it and cannot (circular, too large, unreadable) is left out. */
	#error(error: Error): Tag {
		const parts = takeErrorApart(error);
		const wire: Record<string, unknown> = { n: parts.name, m: parts.message };
		if (parts.stack !== undefined) wire.s = parts.stack;
		if (parts.shardctlCode !== undefined) wire.k = parts.shardctlCode;
		this.#grow(parts.name.length + parts.message.length + (parts.stack?.length ?? 0) + 40);
		if ('cause' in parts) {
			const cause = this.#attempt(parts.cause);
			if (cause) wire.c = cause;
		}
		if (parts.errors) wire.e = parts.errors.flatMap((each) => this.#attempt(each) ?? []);
		const own: unknown[] = [];
		for (const [key, value] of parts.own) {
			const encoded = this.#attempt(value);
			if (!encoded) continue;
			this.#grow(key.length + 3);
			own.push(key, encoded[0]);
		}
		if (own.length > 0) wire.o = own;
		return this.#tag({ $: 'e', v: wire });
	}

	/** Encodes what may be left out: its wire form in an array, or null when it cannot travel. */
	#attempt(value: unknown): [unknown] | null {
		const { sizeBytes } = this;
		const depth = this.#ancestors.length;
		try {
			const wire = this.encode(value, '');
			return wire === dropped ? null : [wire];
		} catch {
			this.sizeBytes = sizeBytes;
			this.#ancestors.length = depth;
			return null;
		}
	}

	#tag(tag: Tag): Tag {
		this.tagged = true;
		this.#grow(14);
		return tag;
	}

	#grow(bytes: number): void {
		this.sizeBytes += bytes;
		if (this.sizeBytes > this.#maxBytes) throw this.#tooLarge();
	}

	#tooLarge(): ShardctlError {
		return new ShardctlError(
			'MESSAGE_TOO_LARGE',
			`the value is larger than ${this.#maxBytes} bytes, which is the most that one message may carry; the limit was passed at ${this.place()}. Send less, or in parts.`,
			{ details: { maxBytes: this.#maxBytes } },
		);
	}

	/** Names the place the walk has come to, such as `value.guilds[3].owner`. Only for messages: it searches each level for the next. */
	place(): string {
		let path = 'value';
		for (let i = 0; i + 1 < this.#ancestors.length; i++) {
			if (path.length > 300) return `${path}…`;
			path += stepTo(this.#ancestors[i] as object, this.#ancestors[i + 1] as object);
		}
		return path;
	}
}

/** How one object leads to another: `.key`, `[3]`, or `(…)` where a toJSON, a getter or a collection stands between. */
function stepTo(from: object, to: object): string {
	if (Array.isArray(from)) {
		const index = from.indexOf(to);
		if (index >= 0) return `[${index}]`;
	} else {
		for (const [key, { value }] of Object.entries(Object.getOwnPropertyDescriptors(from))) {
			if (value === to) return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
		}
	}
	return '.(…)';
}

function notSerializable(message: string, options: { cause?: unknown } = {}): ShardctlError {
	return new ShardctlError('NOT_SERIALIZABLE', message, options);
}

const viewClasses = {
	Uint8Array,
	Int8Array,
	Uint8ClampedArray,
	Uint16Array,
	Int16Array,
	Uint32Array,
	Int32Array,
	Float32Array,
	Float64Array,
	BigUint64Array,
	BigInt64Array,
	DataView,
} as const;
const views = new Map<unknown, new (memory: ArrayBuffer) => ArrayBufferView>(Object.entries(viewClasses));

function nameOfView(view: ArrayBufferView): string {
	for (const [name, View] of Object.entries(viewClasses)) if (view instanceof View) return name;
	return 'Uint8Array';
}

/** A level of the value may take three on the wire: the tag, its data, and a list in it. */
const maxWireDepth = 3 * defaultPeerLimits.maxDepth + 16;

/** Gives the value of a wire form back, replacing tags in place. */
function revive(wire: unknown, depth: number): unknown {
	if (typeof wire !== 'object' || wire === null) return wire;
	if (depth > maxWireDepth) throw malformed('it is nested too deep');
	if (Array.isArray(wire)) {
		for (let i = 0; i < wire.length; i++) wire[i] = revive(wire[i], depth + 1);
		return wire;
	}
	return Object.hasOwn(wire, '$') ? reviveTag(wire as Tag, depth + 1) : reviveEntries(wire as Record<string, unknown>, depth);
}

function reviveEntries(wire: Record<string, unknown>, depth: number): object {
	for (const key of Object.keys(wire)) {
		const child = wire[key];
		// JSON.parse made each key an own property, also a `__proto__`, so this writes a value and never a prototype.
		if (typeof child === 'object' && child !== null) wire[key] = revive(child, depth + 1);
	}
	return wire;
}

function reviveTag({ $: tag, v: data }: Tag, depth: number): unknown {
	switch (tag) {
		case 'u':
			return undefined;
		case 'f':
			return Number(data);
		case 'n':
			return BigInt(expectString(data));
		case 'd':
			return new Date(data === null ? Number.NaN : (data as number));
		case 'm':
			return reviveMap(expectArray(data), depth);
		case 's':
			return new Set(expectArray(data).map((item) => revive(item, depth + 1)));
		case 'b':
			return reviveBytes(expectArray(data));
		case 'r': {
			const [source, flags] = expectArray(data);
			return new RegExp(expectString(source), expectString(flags));
		}
		case 'l':
			return new URL(expectString(data));
		case 'e':
			return reviveError(expectObject(data), depth);
		case 'o':
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

function reviveError(wire: Record<string, unknown>, depth: number): Error {
	const parts: ErrorParts = { name: expectString(wire.n), message: expectString(wire.m), own: new Map() };
	if (typeof wire.s === 'string') parts.stack = wire.s;
	if (typeof wire.k === 'string') parts.shardctlCode = wire.k;
	if (Array.isArray(wire.c)) parts.cause = revive(wire.c[0], depth + 1);
	if (Array.isArray(wire.e)) parts.errors = wire.e.map((each) => revive(each, depth + 1));
	if (Array.isArray(wire.o)) {
		for (let i = 0; i + 1 < wire.o.length; i += 2) parts.own.set(String(wire.o[i]), revive(wire.o[i + 1], depth + 1));
	}
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
