// What a route is: a method, a path with parameters, and a function from a request to an answer. Routes are listed in tables,
// one file for each resource.
import type { World } from '../world/world.js';
import type { RestAnswer } from './answer.js';
import type { UploadedFile } from './request-body.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What `/gateway/bot` reports. */
export interface GatewayFacts {
	url: string;
	shards: number;
	sessionStarts: { total: number; remaining: number; resetAfterMs: number };
	maxConcurrency: number;
}

export interface RouteContext {
	world: World;
	params: Readonly<Record<string, string>>;
	query: URLSearchParams;
	/** The body as an object; empty where there is none. */
	body: Record<string, unknown>;
	/** The body as it came, for routes that take a list. */
	rawBody: unknown;
	files: readonly UploadedFile[];
	gateway: () => GatewayFacts;
	/** Notes what an interaction was answered with. */
	noteInteraction: (details: Record<string, unknown>) => void;
}

export interface Route {
	method: Method;
	/** `/channels/:channelId/messages`. */
	path: string;
	/** Whether it needs no token (`/gateway`, interaction responses). */
	open: boolean;
	/** Whether the global limit leaves it alone: interaction endpoints. */
	exemptFromGlobal: boolean;
	/** Limit of one bucket. */
	limit: { requests: number; perMs: number };
	handle: (context: RouteContext) => RestAnswer;
}

export interface RouteOptions {
	open?: boolean;
	exemptFromGlobal?: boolean;
	limit?: { requests: number; perMs: number };
}

const defaultLimit = { requests: 50, perMs: 1000 };

export function route(method: Method, path: string, handle: Route['handle'], options: RouteOptions = {}): Route {
	return { method, path, handle, open: false, exemptFromGlobal: false, limit: defaultLimit, ...options };
}
