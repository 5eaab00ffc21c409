// The contract between a manager and its REST process: the requests each side handles, the events each side sends, and the config that the
// process is forked with. Types only.
import type { LastExit } from './stats.js';

/** Name of the environment variable that carries the REST process's {@link RestConfig} as JSON. */
export const restConfigVariable = 'SHARDCTL_REST_PROCESS';

/** The configuration that the manager gives the REST process at its fork. The token is not in it: it travels as `DISCORD_TOKEN`. */
export interface RestConfig {
	epoch: number;
	/** The port at which the manager takes connections for this process; see `PassedConnection`. 0: it opens one itself. */
	port: number;
	/** Base URL of Discord's REST API. */
	api: string;
	/** From which the path of each caller is made (see `WorkerPaths`). Without it, as in tests, every path is served. */
	pathSecret?: string;
	/** The fleet runs on a simulator, which accepts any token; callers may then use any as well. */
	anyToken?: boolean;
	/** Requests a second of the whole bot. Discord: Rate Limits, "Global Rate Limit". */
	globalPerSecond: number;
	/** In a cluster: the limit is divided among the nodes, and the process asks its manager for its part. */
	sharedLimit?: boolean;
}

/** What one node asks of the global limit, which the nodes of a cluster divide among themselves. */
export interface LimitWish {
	/** Tokens that it could use now. */
	want: number;
	/** Tokens that it may be using until its next call, whatever the answer. */
	keep: number;
}

/** The part of the limit that one node may use. `tokens: null`: Redis cannot be asked. */
export type LimitPart =
	| {
			tokens: number;
			/** From the call on. */
			lentMs: number;
			/** The node asks again after this time at the earliest, so that all nodes together stay below ten calls a second. */
			intervalMs: number;
			/** Of the cluster, as far as they are known. */
			nodes: number;
	  }
	| { tokens: null; nodes: number };

/** What the REST process takes and has done since it began. */
export interface RestFigures {
	/** Requests of workers. */
	requests: number;
	/** Requests that wait now: for their bucket, for the global limit, or for memory. */
	queued: number;
	/** Responses of Discord with status 429. */
	limited: number;
	/** Responses with status 401, 403 or 429 in the last ten minutes, without those of a shared limit. Discord blocks an address at 10,000. */
	invalid: number;
	/** Whether only reads and interactions are passed on, because `invalid` is close to Discord's limit. */
	guarded: boolean;
	globalPerSecond: number;
	/** From a request's arrival to Discord's answer, over the last 1,000 requests; null before the first. */
	p50Ms: number | null;
	p99Ms: number | null;
	/** Requests by class of route. */
	classes: Record<string, number>;
	/** Bytes of bodies that are held. */
	bufferedBytes: number;
	rssBytes: number;
	/** Processor time since the process began. */
	cpuSeconds: number;
}

/** The REST process as its manager shows it. */
export interface RestStats extends Omit<RestFigures, 'rssBytes' | 'cpuSeconds'> {
	/** Null while no process is there. */
	pid: number | null;
	status: string;
	restarts: number;
	/** Epoch ms when `status` began. */
	since: number;
	/** Processes in a row that ended before they had proved to be stable. */
	tries: number;
	/** Epoch ms when the first of them ended, or the last stable one; null where none has ended by itself. */
	failingSince: number | null;
	nextTryAt: number | null;
	/** Epoch ms of the last answered heartbeat. */
	lastAnswerAt: number | null;
	lastExit: LastExit | null;
	/** Null while the process does not answer. */
	rssBytes: number | null;
	cpuSeconds: number | null;
}

/** Requests of the REST process that its manager handles. */
export interface RestManagerMethods {
	/** Only with `sharedLimit`. */
	'limit.ask': { params: LimitWish; result: LimitPart };
}

/** Requests that the REST process handles. */
export interface RestMethods {
	ping: { params: null; result: null };
	/** Closes node's inspector, which the manager opened to find where the process hung. */
	'inspector.close': { params: null; result: null };
	stats: { params: null; result: RestFigures };
	/** Resolves when the requests that Discord has were answered, or a short time is over. The process exits right after. */
	shutdown: { params: { reason: string }; result: null };
}

/** Events that the REST process sends; they have no reply. */
export interface RestEvents {
	/** Workers can connect. */
	listening: { port: number };
	/** The connection of this number is the process's now. */
	'connection.taken': { id: number };
	notice: RestNotice;
}

/** Something that happened in the REST process that people should know. */
export interface RestNotice {
	kind: 'invalid-requests:high' | 'invalid-requests:normal' | 'global-limit' | 'caller:refused';
	message: string;
}
