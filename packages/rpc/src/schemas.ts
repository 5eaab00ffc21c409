// What a peer accepts from the other side: the types of its contract, the schemas that check them, and the check itself.
import { ShardctlError, safelyParsed } from '@shardctl/core';

/** Every method of `T` with the type of its params and of its result; interfaces fit as well as type aliases. */
export type MethodMap<T> = { [M in keyof T]: { params: unknown; result: unknown } };

/** Judges a value that the other side sent; a zod schema is one. */
export interface Schema<T> {
	safeParse(value: unknown): { success: true; data: T } | { success: false; error: { message: string } };
}

/**
 * What the other side may send, where it is less trusted than this one: each value is checked before a handler or a listener gets it.
 * The types require an entry for everything that the contract has.
 */
export interface PeerSchemas<
	Local extends MethodMap<Local>,
	Remote extends MethodMap<Remote>,
	RemoteEvents extends object = Record<never, never>,
> {
	/** Of the params of each method that this side handles. Wrong ones are answered with `PROTOCOL_ERROR`. */
	params: { [M in keyof Local]: Schema<Local[M]['params']> };
	/** Of the result of each method that this side requests. A wrong one rejects the call with `PROTOCOL_ERROR`. */
	results: { [M in keyof Remote]: Schema<Remote[M]['result']> };
	/** Of the payload of each event that this side listens to. A wrong one reaches no listener. */
	events: { [E in keyof RemoteEvents]: Schema<RemoteEvents[E]> };
}

type SchemasByName = ReadonlyMap<string, Schema<unknown>>;

/** {@link PeerSchemas} by name, whatever the contract. Maps: a message with a made-up name finds nothing of an object's prototype. */
export type SchemaTables = Readonly<Record<keyof PeerSchemas<never, never, never>, SchemasByName>>;

export function schemaTables(schemas: Record<keyof SchemaTables, object> | undefined): SchemaTables {
	const table = (of: object = {}): SchemasByName => new Map(Object.entries(of));
	return { params: table(schemas?.params), results: table(schemas?.results), events: table(schemas?.events) };
}

/**
 * The value as its schema reads it. Throws `PROTOCOL_ERROR`, which says where it is wrong and never what it holds.
 * @param what with `name`: `the result of "ping"`
 */
export function checked(
	value: unknown,
	schema: Schema<unknown> | undefined,
	{ what, name }: { what: 'params' | 'result' | 'payload'; name: string },
): unknown {
	if (!schema) return value;
	const read = safelyParsed(schema, value);
	if (read?.success) return read.data;
	const problem = read ? problemText(read.error) : 'it has a part of the wrong type';
	throw new ShardctlError('PROTOCOL_ERROR', `the ${what} of "${name}" is not what the protocol allows: ${problem}`);
}

const longestProblem = 300;

/** The issues of a zod error on one line, as far as they are short. */
function problemText(error: { message: string; issues?: readonly { path: readonly PropertyKey[]; message: string }[] }): string {
	const text =
		error.issues
			?.map(({ path, message }) => `${path.length > 0 ? `${path.map(String).join('.')}: ` : ''}${message}`)
			.join('; ') ?? error.message;
	return text.length > longestProblem ? `${text.slice(0, longestProblem)}…` : text;
}
