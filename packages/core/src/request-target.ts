// Splits the target of an HTTP request. `new URL(target, base)` is no way to do it: a target such as `//` or `http://[` makes it throw,
// and `//host/path` names another host. RFC 9112, section 3.2: a client sends the origin form, a path and a query.

export interface RequestTarget {
	/** Begins with exactly one slash; percent-encoded as it was sent. */
	path: string;
	query: URLSearchParams;
}

/** Longer ones are refused; the longest path of Discord's API has about 400 characters. */
const maxLength = 8192;

/** The parts of a target in origin form; undefined for every other, such as `//`, `*` or `http://host/`. Never throws. */
export function parseRequestTarget(target: string | undefined): RequestTarget | undefined {
	if (target === undefined || target.length > maxLength || !/^\/(?![/\\])[\x21-\x7e]*$/.test(target)) return undefined;
	const [path, query] = splitOnce(target.replace(/#.*$/, ''), '?');
	return { path, query: new URLSearchParams(query) };
}

function splitOnce(text: string, separator: string): [string, string] {
	const at = text.indexOf(separator);
	return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}
