// The queues of Discord's rate limit buckets, which are those of @discordjs/rest: it learns the bucket of each route, sends one request of a
// bucket after the other, and waits out what Discord refuses. It reads the limits of each answer and nothing else of it.
import { REST, type RESTOptions, type RequestMethod, type ResponseLike } from '@discordjs/rest';
import { BucketLanes } from './bucket-lanes.js';

/** The longest that a timer takes: deadlines are the exchange's affair. */
const noTimeoutMs = 2 ** 31 - 1;
/** A queue without requests and limit is dropped: each interaction has one of its own. */
const sweepMs = 60_000;
const rateLimitError = 'RateLimitError';

/** What an answer says about limits. */
export interface AnsweredLimits {
	/** Discord has refused the request for its rate limit, and it may be sent again. */
	isRefused: boolean;
	/** By lower-case name. */
	header(name: string): string | undefined;
}

export interface QueuedRequest {
	/** Whose turn it takes. */
	source: number;
	method: string;
	/** Without the prefix of the API, its version and the query. */
	path: string;
	/** For the few limits that depend on it. */
	body: unknown;
	/** Takes it out of the queue. */
	signal: AbortSignal;
	/** Sends it to Discord; called again after each refusal. */
	send(): Promise<AnsweredLimits>;
}

/** A request would have to wait for its bucket for longer than it may. */
export class BucketWait extends Error {
	/** From now. */
	readonly retryAfterMs: number;

	constructor(retryAfterMs: number) {
		super('the rate limit of this route is used up');
		this.retryAfterMs = retryAfterMs;
	}
}

export class RouteQueues {
	readonly #rest: REST;
	readonly #lanes = new BucketLanes();

	/** @param longestWaitMs A request that would wait for longer is refused with {@link BucketWait}. */
	constructor({ longestWaitMs }: { longestWaitMs: number }) {
		this.#rest = new REST({
			globalRequestsPerSecond: Number.POSITIVE_INFINITY,
			// What fails is reported to the worker, whose library knows whether to send it again.
			retries: 0,
			timeout: noTimeoutMs,
			handlerSweepInterval: sweepMs,
			rejectOnRateLimit: ({ retryAfter, timeToReset }) => Math.max(retryAfter, timeToReset) > longestWaitMs,
			makeRequest: async (_url, { dispatcher }) => responseLike(await (dispatcher as unknown as QueuedRequest).send()),
		} satisfies Partial<RESTOptions>);
	}

	/** Resolves when `send` has resolved without a refusal. Rejects with what `send` rejects with, {@link BucketWait}, or when aborted. */
	run(request: QueuedRequest): Promise<void> {
		const lane = laneOf(request);
		if (lane === undefined) return this.#queue(request);
		return this.#lanes.run(lane, request.source, request.signal, () => this.#queue(request));
	}

	async #queue(request: QueuedRequest): Promise<void> {
		try {
			await this.#rest.queueRequest({
				method: request.method as RequestMethod,
				fullRoute: request.path as `/${string}`,
				body: request.body,
				passThroughBody: true,
				auth: false,
				signal: request.signal,
				// The one field that the library passes to `makeRequest` untouched.
				dispatcher: request as never,
			});
		} catch (error) {
			if (error instanceof Error && error.name.startsWith(rateLimitError)) {
				const { retryAfter, timeToReset } = error as Error & { retryAfter: number; timeToReset: number };
				throw new BucketWait(Math.max(retryAfter, timeToReset));
			}
			throw error;
		}
	}

	stop(): void {
		this.#rest.clearHandlerSweeper();
		this.#rest.clearHashSweeper();
	}
}

/** How the library names the route and the major parameter of a request, by which it finds the queue. It is typed as its own affair. */
const { generateRouteData } = REST as unknown as {
	generateRouteData(path: string, method: string): { bucketRoute: string; majorParameter: string };
};

/** Undefined for responses to interactions, each of which is a bucket of its own. */
function laneOf({ method, path }: QueuedRequest): string | undefined {
	const { bucketRoute, majorParameter } = generateRouteData(path, method);
	return bucketRoute === '/interactions/:id/:token/callback' ? undefined : `${method} ${bucketRoute} ${majorParameter}`;
}

/** Every answer but a refusal is a success for the queue: errors are the worker's to read. */
function responseLike({ isRefused, header }: AnsweredLimits): ResponseLike {
	const headers = {
		get: (name: string) => header(name.toLowerCase()) ?? null,
		has: (name: string) => header(name.toLowerCase()) !== undefined,
	};
	return { ok: !isRefused, status: isRefused ? 429 : 200, statusText: '', headers } as unknown as ResponseLike;
}
