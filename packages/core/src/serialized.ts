// What a value is after its way between two processes, as a type: discord.js's `Serialized<T>`, for what travels here.

/** What arrives as it was. */
type Kept =
	| string
	| number
	| boolean
	| bigint
	| null
	| undefined
	| Date
	| RegExp
	| URL
	| Error
	| ArrayBuffer
	| NodeJS.TypedArray
	| DataView;

/** What cannot travel: refused as a whole value, dropped inside an object. */
type Refused = symbol | ((...args: never[]) => unknown);

/**
 * The type with which a value arrives. `toJSON` is honoured, functions inside objects are dropped, and BigInt, Map, Set, Date
 * and Buffer arrive as what they were.
 */
export type Serialized<Value> = 0 extends 1 & Value
	? Value
	: Value extends Kept
		? Value
		: Value extends Refused
			? never
			: Value extends { toJSON(...args: never[]): infer Plain }
				? Serialized<Plain>
				: Value extends ReadonlyMap<infer Key, infer Item>
					? Map<Serialized<Key>, Serialized<Item>>
					: Value extends ReadonlySet<infer Item>
						? Set<Serialized<Item>>
						: Value extends readonly unknown[]
							? { -readonly [Index in keyof Value]: Serialized<Value[Index]> }
							: Value extends object
								? { -readonly [Key in keyof Value as Value[Key] extends Refused ? never : Key]: Serialized<Value[Key]> }
								: Value;
