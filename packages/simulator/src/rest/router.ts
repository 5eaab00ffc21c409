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
		const values: string[] = [];
		const node = walk(this.#root, path.split('/').filter(Boolean), 0, values);
		if (!node) return undefined;
		const route = node.routes.get(method);
		if (!route) return { allowed: [...node.routes.keys()] as Method[] };
		const names = route.path.split('/').filter((part) => part.startsWith(':'));
		return { route, params: Object.fromEntries(names.map((name, n) => [name.slice(1), values[n] ?? ''])) };
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
function walk(node: Node, parts: readonly string[], at: number, values: string[]): Node | undefined {
	const part = parts[at];
	if (part === undefined) return node.routes.size > 0 ? node : undefined;
	const fixed = node.fixed.get(part);
	if (fixed) {
		const end = walk(fixed, parts, at + 1, values);
		if (end) return end;
	}
	if (!node.parameter) return undefined;
	values.push(decodePart(part));
	const end = walk(node.parameter.node, parts, at + 1, values);
	if (!end) values.pop();
	return end;
}

function decodePart(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}
