// The path prefix that identifies a worker process at its local gateway and REST server: `/worker/3`.

/** The prefix for one process of a worker. */
export function workerPath(incarnation: number): string {
	return `/worker/${incarnation}`;
}

/** Splits `/worker/3/v10/users/@me` into the process's number and the rest; null where a path has no such prefix. */
export function parseWorkerPath(path: string): { incarnation: number; rest: string } | null {
	const match = /^\/worker\/(\d{1,15})(?=[/?]|$)/.exec(path);
	return match ? { incarnation: Number(match[1]), rest: path.slice(match[0].length) } : null;
}
