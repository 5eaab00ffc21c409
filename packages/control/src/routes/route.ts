// What a route of the control API consists of, and how a request becomes its input.
import { type Clock, optionProblems, optionsError, safelyParsed } from '@shardctl/core';
import type { z } from 'zod';
import { endpoint, type Operation } from '../api/endpoints.js';
import type { FleetFeed } from '../feed/fleet-feed.js';
import type { FleetCluster, ServedFleet } from '../fleet/cluster.js';
import type { FrameSink } from '../fleet/frame-sink.js';

/** What a client may do: with the token for reading, with the token of the fleet, or on its socket. */
export type Rights = 'none' | 'read' | 'act';

export interface RouteContext {
	/** Of this machine; for a route with the fields of {@link scope}, the part of the cluster that the request is about. */
	fleet: ServedFleet;
	/** Set where the request is about other nodes, or about all of them where `node` is undefined. */
	elsewhere?: { cluster: FleetCluster; node: string | undefined } | undefined;
	feed: FleetFeed;
	clock: Clock;
	/** Aborts when the client disconnects before the response is sent. */
	signal: AbortSignal;
	/** Whether this client may see everything; false for one without the token at a route that needs none. */
	authorised: boolean;
	/** Whether this client may see what the bots write: not with the token for reading. */
	mayReadOutput: boolean;
	/** Whether this client may run code in the bot. */
	allowEval: boolean;
	/** Resolves when the control API is about to close: the workers are gone, and the name is free again. */
	closing: Promise<void>;
	/** An address that logs a browser in to the dashboard, which is served from now on. */
	openDashboard(options: { readOnly: boolean }): Promise<{ url: string; expiresAt: number; readOnly: boolean }>;
}

/** One operation. Its input is validated before `run` gets it; with `follow: true` in the input it responds with server-sent events. */
export interface Route<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType> {
	summary: string;
	/** Fields of the path, and of the query (GET) or the JSON body (POST). */
	input: Input;
	output: Output;
	/** The output is the body of the response, text or bytes of this type (default: JSON of the output). */
	contentType?: string;
	/** What a client over TCP needs: nothing, one of the two tokens (`read`), or the token of the fleet (`act`, the default). */
	needs?: 'nothing' | 'read' | 'act';
	/** The status of the response (default 200). */
	statusOf?(output: z.output<Output>): number;
	run(input: z.output<Input>, context: RouteContext): z.output<Output> | Promise<z.output<Output>>;
	follow?: {
		/** The data of each event. */
		item: z.ZodType;
		/** Rejects input that passes the schema and is wrong all the same, such as an unknown shard, before the stream begins. */
		check?(input: z.output<Input>, context: RouteContext): Promise<unknown>;
		open(input: z.output<Input>, stream: FrameSink, context: RouteContext & { lastEventId: number }): void | Promise<void>;
	};
}

/** Infers the types of a route. */
export function route<Input extends z.ZodObject, Output extends z.ZodType>(
	definition: Route<Input, Output>,
): Route<Input, Output> {
	return definition;
}

/** The input of an operation, or one `OPTIONS_INVALID` with every problem. */
export function parseInput(operation: Operation, input: z.ZodObject, raw: Record<string, unknown>): Record<string, unknown> {
	const { method, path } = endpoint(operation);
	const parsed = safelyParsed(input, raw);
	if (!parsed) throw optionsError(`${method} ${path}`, [{ option: '', problem: 'has a field of the wrong type' }]);
	if (parsed.success) return parsed.data;
	throw optionsError(`${method} ${path}`, optionProblems(parsed.error, Object.keys(input.shape)));
}
