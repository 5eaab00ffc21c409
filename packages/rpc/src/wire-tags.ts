// The form in which a value travels that JSON cannot say: `{ "$": tag, "v": data }`. A value of the user's that has a key `$` is
// wrapped in a tag itself, so nothing that a user sends is ever taken for one. The encoder writes these and the decoder reads them.

export interface Tagged {
	$: string;
	v?: unknown;
}

export const tag = {
	undefined: 'u',
	/** The number as text: `NaN`, `Infinity`, `-Infinity`, `-0`. */
	number: 'f',
	/** Decimal digits as text. */
	bigint: 'n',
	/** Milliseconds since the epoch, null for an invalid date. */
	date: 'd',
	/** Keys and values by turns. */
	map: 'm',
	set: 's',
	/** `[class, base64]` */
	bytes: 'b',
	/** `[source, flags]` */
	regexp: 'r',
	url: 'l',
	/** {@link WireError} */
	error: 'e',
	/** An object of the user's that has a key `$`. */
	object: 'o',
} as const;

/** An error's parts on the wire. What is absent was absent, or could not travel. */
export interface WireError {
	name: string;
	message: string;
	stack?: string;
	/** Code of a ShardctlError; `own` then holds its details. */
	shardctlCode?: string;
	/** The cause in a list, so that a cause of undefined differs from no cause. */
	cause?: [unknown];
	errors?: unknown[];
	/** Keys and values by turns. */
	own?: unknown[];
}

/** The classes of bytes that travel besides Buffer and ArrayBuffer, by their name on the wire. */
export const viewClasses = {
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
