// A boolean in the query of a request. Discord takes `true` and `1`; libraries send either.

export function queryFlag(query: URLSearchParams, name: string): boolean {
	return /^(?:true|1)$/i.test(query.get(name) ?? '');
}
