// Finds the route for a method and a path.
import type { Method, Route } from './route.js';

// Two routes may name the parameter at one place differently; the names come from the route that is found.
interface Node {
	fixed: Map<string, Node>;
	parameter: { name: string; node: Node } | undefined;
	routes: Map<string, Route>;
}

function newNode(): Node {
	return { fixed: new Map(), parameter: undefined, routes: new Map() };
}

export interface Match {
	route: Route;
	params: Record<string, string>;
}

export class Router {
	readonly #root = newNode();

	constructor(routes: readonly Route[]) {
		for (const route of routes) this.#add(route);
	}

	/** `undefined` for a path that is not there, the allowed methods for one that is but not with this method. */
	find(method: string, path: string): Match | { allowed: Method[] } | undefined {
		const parts = path.split('/').filter(Boolean);
		const values: string[] = [];
		const route = walk(this.#root, parts, values, ({ routes }) => routes.has(method))?.routes.get(method);
		if (route) {
			const names = route.path.split('/').filter((part) => part.startsWith(':'));
			return { route, params: Object.fromEntries(names.map((name, n) => [name.slice(1), values[n] ?? ''])) };
		}
		const other = walk(this.#root, parts, [], ({ routes }) => routes.size > 0);
		return other && { allowed: [...other.routes.keys()] as Method[] };
	}

	#add(route: Route): void {
		let node = this.#root;
		for (const part of route.path.split('/').filter(Boolean)) {
			if (part.startsWith(':')) {
				node.parameter ??= { name: part, node: newNode() };
				node = node.parameter.node;
			} else {
				const next = node.fixed.get(part) ?? newNode();
				node.fixed.set(part, next);
				node = next;
			}
		}
		node.routes.set(route.method, route);
	}
}

// A fixed part wins over a parameter (`/users/@me` over `/users/:userId`); where that leads nowhere the parameter is tried.
function walk(
	node: Node,
	[part, ...rest]: readonly string[],
	values: string[],
	isEnd: (node: Node) => boolean,
): Node | undefined {
	if (part === undefined) return isEnd(node) ? node : undefined;
	const fixed = node.fixed.get(part);
	const end = fixed && walk(fixed, rest, values, isEnd);
	if (end || !node.parameter) return end;
	values.push(decodePart(part));
	const other = walk(node.parameter.node, rest, values, isEnd);
	if (!other) values.pop();
	return other;
}

function decodePart(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}
