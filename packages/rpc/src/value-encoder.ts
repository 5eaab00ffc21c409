// Encodes any value as JSON data. discord.js's semantics come first: `toJSON` is honoured, functions and symbols inside
// objects are dropped. Beyond them BigInt, Map, Set, Date, bytes, RegExp, URL, Error, NaN, ±Infinity, -0 and undefined survive.
// A plain value costs one walk that takes a snapshot.
import { types } from 'node:util';
import { messageOf, messageWeight, ShardctlError } from '@shardctl/core';
import { isError, takeErrorApart } from './error-parts.js';
import { defaultPeerLimits, type PeerLimits } from './limits.js';
import { type Tagged, tag, viewClasses, type WireError } from './wire-tags.js';

/** A value in the form in which it travels: a snapshot, so what happens to the original afterwards changes nothing. */
export interface EncodedValue {
	readonly wire: unknown;
	/** Whether `wire` holds tags. Without any it is the value. */
	readonly tagged: boolean;
	/** Size of its JSON text: exact for long strings, an estimate for the rest. */
	readonly sizeBytes: number;
}

export type ValueLimits = Pick<PeerLimits, 'maxMessageBytes' | 'maxDepth'> & Partial<Pick<PeerLimits, 'maxHeapBytes'>>;

/**
 * Encodes a value. Throws a ShardctlError: `NOT_SERIALIZABLE` (a function or symbol as the whole value, a circular structure,
 * nested too deep, or a `toJSON` or getter that throws) or `MESSAGE_TOO_LARGE`. Both name the place.
 */
export function encodeValue(value: unknown, limits: ValueLimits = defaultPeerLimits): EncodedValue {
	if (value instanceof PreparedValue) return value.encoded;
	const plainSize = sizeOfPlain(value);
	if (plainSize > 0 && plainSize <= limits.maxMessageBytes) return { wire: value, tagged: false, sizeBytes: plainSize };
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

/**
 * A value that is encoded once and sent to many receivers. It is allowed wherever a value is, as the params of a request or
 * anywhere inside them, and arrives as the value it was made from.
 */
export class PreparedValue {
	readonly encoded: EncodedValue;

	/** Throws as {@link encodeValue} does. */
	constructor(value: unknown, limits: ValueLimits = defaultPeerLimits) {
		this.encoded = encodeValue(value, limits);
	}
}

/** What the encoder returns for a function or a symbol: no value. JSON.stringify omits it from objects. */
const dropped = undefined;

/** `toJSON` methods built into Node, which lose what the codec can keep; any other one is called. */
const builtinToJSON = new Set<unknown>([Date, Buffer, URL].map(({ prototype }) => Reflect.get(prototype, 'toJSON')));

/** Strings up to this length count by their length, which costs nothing. */
const shortString = 256;

/** What each entry of an object takes in the receiver, and a value that has a tag. */
const entryWeight = messageWeight.key + messageWeight.value;
const tagWeight = messageWeight.container + 2 * entryWeight;
/** The fields of an error on the wire. */
const errorEntries = 7;

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
	#heapBytes = 0;
	readonly #maxBytes: number;
	readonly #maxHeapBytes: number;
	readonly #maxDepth: number;
	/** The objects around the one at hand, outermost first. */
	readonly #ancestors: object[] = [];

	constructor(limits: ValueLimits) {
		this.#maxBytes = limits.maxMessageBytes;
		this.#maxHeapBytes = limits.maxHeapBytes ?? Number.POSITIVE_INFINITY;
		this.#maxDepth = limits.maxDepth;
	}

	/** Encodes one value; `key` is passed to `toJSON`, as JSON.stringify does. */
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
				return this.#tag({ $: tag.undefined });
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
		return this.#tag({ $: tag.number, v: Object.is(value, -0) ? '-0' : String(value) });
	}

	#bigint(value: bigint, key: string | number): unknown {
		// Many bots give BigInt a toJSON so that JSON.stringify works; it is honoured.
		const { toJSON } = value as { toJSON?: unknown };
		if (typeof toJSON === 'function') return this.#afterToJSON(toJSON.call(value, String(key)));
		const digits = String(value);
		this.#grow(digits.length);
		return this.#tag({ $: tag.bigint, v: digits });
	}

	#object(value: object, key: string | number): unknown {
		const { toJSON } = value as { toJSON?: unknown };
		if (typeof toJSON === 'function' && !builtinToJSON.has(toJSON)) return this.#afterToJSON(toJSON.call(value, String(key)));
		return this.#container(value);
	}

	/**
	 * The result of a `toJSON` is encoded without calling `toJSON` on it again, and without its keys of value undefined, both as
	 * JSON.stringify does it. discord.js depends on the latter: its `toJSON` makes such keys from the key that it is called with.
	 */
	#afterToJSON(value: unknown): unknown {
		if (typeof value === 'object' && value !== null) return this.#container(value, true);
		if (typeof value === 'bigint' || typeof value === 'function') {
			if (typeof value === 'function') return dropped;
			return this.#tag({ $: tag.bigint, v: String(value) });
		}
		return this.encode(value, '');
	}

	#container(value: object, withoutUndefined = false): unknown {
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
			wire =
				prototype === Object.prototype || prototype === null
					? this.#plain(value, withoutUndefined)
					: this.#special(value, withoutUndefined);
		}
		ancestors.pop();
		return wire;
	}

	// The two loops below are where the time goes. A snapshot is a clone whose nested values are then replaced, because cloning is
	// cheaper than filling; what JSON says by itself is only counted, and the count is kept in a local until it is needed.

	#array(value: readonly unknown[]): unknown[] {
		// An array of a billion holes is refused before it is walked.
		if (this.sizeBytes + 2 * value.length > this.#maxBytes) throw this.#tooLarge();
		this.#weigh(messageWeight.container + value.length * messageWeight.value);
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

	#plain(value: object, withoutUndefined = false): object {
		const wire = { ...value } as Record<string, unknown>;
		let size = 2;
		let keys = 0;
		let hasTagKey = false;
		for (const key in wire) {
			const child = wire[key];
			keys++;
			size += key.length + 3;
			if (key === '$') hasTagKey = true;
			const plainSize = sizeOfPlain(child);
			if (plainSize > 0) {
				size += plainSize;
				continue;
			}
			// An enumerable key of Object.prototype is skipped. The clone owns every other key, also a `__proto__`, so the
			// assignment writes a value and never a prototype.
			if (!Object.hasOwn(wire, key)) continue;
			if (child === undefined && withoutUndefined) continue;
			this.#grow(size);
			size = 0;
			wire[key] = this.encode(child, key);
		}
		this.#grow(size);
		this.#weigh(messageWeight.container + keys * entryWeight);
		return hasTagKey && Object.hasOwn(wire, '$') ? this.#tag({ $: tag.object, v: wire }) : wire;
	}

	#special(value: object, withoutUndefined: boolean): unknown {
		if (types.isMap(value)) {
			this.#weigh(2 * value.size * messageWeight.value);
			const flat: unknown[] = [];
			for (const [key, item] of value) flat.push(this.#item(key), this.#item(item));
			return this.#tag({ $: tag.map, v: flat });
		}
		if (types.isSet(value)) this.#weigh(value.size * messageWeight.value);
		if (types.isSet(value)) return this.#tag({ $: tag.set, v: Array.from(value, (item) => this.#item(item)) });
		if (types.isDate(value)) {
			const time = value.getTime();
			return this.#tag({ $: tag.date, v: Number.isNaN(time) ? null : time });
		}
		if (isError(value)) return this.#error(value);
		if (ArrayBuffer.isView(value) || types.isArrayBuffer(value)) return this.#bytes(value);
		if (types.isRegExp(value)) {
			this.#grow(value.source.length);
			return this.#tag({ $: tag.regexp, v: [value.source, value.flags] });
		}
		if (value instanceof URL) {
			this.#grow(value.href.length);
			return this.#tag({ $: tag.url, v: value.href });
		}
		if (value instanceof PreparedValue) {
			const { wire, tagged, sizeBytes } = value.encoded;
			this.tagged ||= tagged;
			this.#grow(sizeBytes);
			return wire;
		}
		if (types.isBoxedPrimitive(value)) return this.encode(value.valueOf(), '');
		return this.#plain(value, withoutUndefined);
	}

	/** An entry of a Map or Set; what cannot travel becomes null, as in arrays. */
	#item(value: unknown): unknown {
		return this.encode(value, '') ?? null;
	}

	#bytes(value: ArrayBufferView | ArrayBuffer): Tagged {
		const name = Buffer.isBuffer(value) ? 'Buffer' : types.isArrayBuffer(value) ? 'ArrayBuffer' : nameOfView(value);
		this.#grow(Math.ceil(value.byteLength / 3) * 4);
		const bytes = ArrayBuffer.isView(value) ? Buffer.from(value.buffer, value.byteOffset, value.byteLength) : Buffer.from(value);
		return this.#tag({ $: tag.bytes, v: [name, bytes.toString('base64')] });
	}

	/** An error always travels: what is attached to it and cannot (circular, too large, unreadable) is left out. */
	#error(error: Error): Tagged {
		const parts = takeErrorApart(error);
		const wire: WireError = { name: parts.name, message: parts.message };
		if (parts.stack !== undefined) wire.stack = parts.stack;
		if (parts.shardctlCode !== undefined) wire.shardctlCode = parts.shardctlCode;
		this.#grow(parts.name.length + parts.message.length + (parts.stack?.length ?? 0) + 40);
		this.#weigh(messageWeight.container + errorEntries * entryWeight);
		if ('cause' in parts) {
			const cause = this.#attempt(parts.cause);
			if (cause) wire.cause = cause;
		}
		if (parts.errors) wire.errors = parts.errors.flatMap((each) => this.#attempt(each) ?? []);
		const own: unknown[] = [];
		for (const [key, value] of parts.own) {
			const encoded = this.#attempt(value);
			if (!encoded) continue;
			this.#grow(key.length + 3);
			this.#weigh(2 * messageWeight.value);
			own.push(key, encoded[0]);
		}
		if (own.length > 0) wire.own = own;
		return this.#tag({ $: tag.error, v: wire });
	}

	/** Encodes what may be left out: its wire form in an array, or null when it cannot travel. */
	#attempt(value: unknown): [unknown] | null {
		const { sizeBytes } = this;
		const heapBytes = this.#heapBytes;
		const depth = this.#ancestors.length;
		try {
			const wire = this.encode(value, '');
			return wire === dropped ? null : [wire];
		} catch {
			this.sizeBytes = sizeBytes;
			this.#heapBytes = heapBytes;
			this.#ancestors.length = depth;
			return null;
		}
	}

	#tag(tagged: Tagged): Tagged {
		this.tagged = true;
		this.#grow(14);
		this.#weigh(tagWeight);
		return tagged;
	}

	#grow(bytes: number): void {
		this.sizeBytes += bytes;
		if (this.sizeBytes > this.#maxBytes) throw this.#tooLarge();
	}

	#weigh(bytes: number): void {
		this.#heapBytes += bytes;
		if (this.#heapBytes <= this.#maxHeapBytes) return;
		const maxBytes = this.#maxHeapBytes;
		throw new ShardctlError(
			'MESSAGE_TOO_LARGE',
			`the value would take more than ${Math.round(maxBytes / 2 ** 20)} MiB of memory where it is received, the limit of one message; it was ` +
				`exceeded at ${this.place()}. Send less, or split it.`,
			{ details: { maxBytes } },
		);
	}

	#tooLarge(): ShardctlError {
		return new ShardctlError(
			'MESSAGE_TOO_LARGE',
			`the value is larger than ${this.#maxBytes} bytes, the limit of one message; it was exceeded at ${this.place()}. Send less, or split it.`,
			{ details: { maxBytes: this.#maxBytes } },
		);
	}

	/** The current position in the value, such as `value.guilds[3].owner`. Only for messages: it searches each level for the next. */
	place(): string {
		let path = 'value';
		for (let i = 0; i + 1 < this.#ancestors.length; i++) {
			if (path.length > 300) return `${path}…`;
			path += stepTo(this.#ancestors[i] as object, this.#ancestors[i + 1] as object);
		}
		return path;
	}
}

/** How one object leads to another: `.key`, `[3]`, or `(…)` where a toJSON, a getter or a collection lies between. */
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

function nameOfView(view: ArrayBufferView): string {
	for (const [name, View] of Object.entries(viewClasses)) if (view instanceof View) return name;
	return 'Uint8Array';
}
