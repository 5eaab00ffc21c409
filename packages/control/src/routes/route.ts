// What a route of the control API is made of, and how a request becomes its input.
import { optionProblems, optionsError } from '@shardctl/core';
import type { z } from 'zod';
import { endpoint, type Operation } from '../api/endpoints.js';
import type { EventStream } from '../feed/event-stream.js';
import type { FleetFeed } from '../feed/fleet-feed.js';
import type { Fleet } from '../fleet/fleet.js';

export interface RouteContext {
	fleet: Fleet;
	feed: FleetFeed;
	/** Aborts when the client goes away before it has its answer. */
	signal: AbortSignal;
	/** Whether this client may run code in the bot. */
	allowEval: boolean;
	/** Resolves when the control API is about to close: workers are gone, and the name is free again. */
	drained: Promise<void>;
}

/** One operation: its input is checked before `run` sees it; `follow` answers with server-sent events when the input says so. */
export interface Route<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodType = z.ZodType> {
	summary: string;
	/** Fields of the path, and of the query (GET) or the JSON body (POST). */
	input: Input;
	output: Output;
	/** The answer is text of this type (default: JSON). */
	contentType?: string;
	run(input: z.output<Input>, context: RouteContext): z.output<Output> | Promise<z.output<Output>>;
	follow?: {
		/** What each event's data is. */
		item: z.ZodType;
		/** Throws what is wrong with the input (a shard that is not there) before the stream begins. */
		check?(input: z.output<Input>, context: RouteContext): Promise<unknown>;
		open(input: z.output<Input>, stream: EventStream, context: RouteContext & { lastEventId: number }): void | Promise<void>;
	};
}

/** Gives a route its types. */
export function route<Input extends z.ZodObject, Output extends z.ZodType>(
	definition: Route<Input, Output>,
): Route<Input, Output> {
	return definition;
}

/** The input of an operation, or one `OPTIONS_INVALID` with every problem. */
export function parseInput(operation: Operation, input: z.ZodObject, raw: Record<string, unknown>): Record<string, unknown> {
	const parsed = input.safeParse(raw);
	if (parsed.success) return parsed.data;
	const { method, path } = endpoint(operation);
	throw optionsError(`${method} ${path}`, optionProblems(parsed.error, Object.keys(input.shape)));
}
