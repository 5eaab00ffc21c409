// Keeps the page connected to its manager: reconnects by itself, notices a connection that has gone quiet, and closes it while the page is
// hidden, because a browser allows few connections to one server.
import type {
	DashboardCluster,
	DashboardEvent,
	DashboardHello,
	History,
	HistoryPoint,
	HistoryRange,
	ManagerStats,
	WorkerHistory,
} from '@shardctl/core';
import { readStream } from './event-stream.ts';
import {
	connection,
	connectionProblem,
	plotHistory,
	plotRange,
	takeCluster,
	takeEvents,
	takeHello,
	takePoint,
	takeStats,
	tick,
	workerHistory,
} from './fleet.ts';
import { forgetSession, hasSession, logInByAddress, RequestFailed, readJson, request } from './session.ts';

const firstRetryMs = 500;
const longestRetryMs = 5000;
/** The manager sends figures every second. */
const quietMs = 10_000;
const hiddenMs = 30_000;

let attempt: AbortController | undefined;
let retryMs = firstRetryMs;
let retryTimer: ReturnType<typeof setTimeout> | undefined;

/** Logs in by the address where it has a code, and connects. */
export async function start(): Promise<void> {
	setInterval(tick, 1000);
	followVisibility();
	addEventListener('hashchange', () => void enter());
	await enter();
}

async function enter(): Promise<void> {
	try {
		await logInByAddress();
	} catch (error) {
		if (!hasSession()) return logOut(messageOf(error));
	}
	if (hasSession()) connect();
	else logOut('');
}

function logOut(problem: string): void {
	connectionProblem.value = problem;
	connection.value = 'logged-out';
}

function connect(): void {
	clearTimeout(retryTimer);
	attempt?.abort();
	const mine = new AbortController();
	attempt = mine;
	void follow(mine)
		.then(() => 'the manager has closed the connection')
		.catch((error: unknown) => {
			if (!(error instanceof RequestFailed) || error.status !== 401) return messageOf(error);
			forgetSession();
			if (attempt === mine) logOut(error.message);
			return undefined;
		})
		.then((problem) => {
			if (problem === undefined || attempt !== mine) return;
			connectionProblem.value = problem;
			connection.value = 'lost';
			retryTimer = setTimeout(connect, retryMs);
			retryMs = Math.min(retryMs * 2, longestRetryMs);
		});
}

async function follow(mine: AbortController): Promise<void> {
	let quiet = setTimeout(() => mine.abort(), quietMs);
	try {
		const response = await request('/dashboard/live', { signal: mine.signal });
		for await (const { type, data } of readStream(response)) {
			if (attempt !== mine) return;
			clearTimeout(quiet);
			quiet = setTimeout(() => mine.abort(), quietMs);
			take(type, data);
		}
	} finally {
		clearTimeout(quiet);
	}
}

function take(type: string, data: unknown): void {
	if (type === 'hello') {
		takeHello(data as DashboardHello);
		connection.value = 'live';
		retryMs = firstRetryMs;
		void readHistory(plotRange.value);
	} else if (type === 'stats') takeStats(data as ManagerStats);
	else if (type === 'cluster') takeCluster(data as DashboardCluster);
	else if (type === 'event') takeEvents([data as DashboardEvent]);
	else if (type === 'events') takeEvents(data as DashboardEvent[]);
	else if (type === 'point') takePoint(data as HistoryPoint);
}

/** Shows the last hour or day in the plots. */
export async function readHistory(range: HistoryRange): Promise<void> {
	plotRange.value = range;
	try {
		const history = (await readJson(await request(`/dashboard/history?range=${range}`))) as History;
		if (plotRange.value === range) plotHistory.value = history;
	} catch {
		// The connection that has just broken is tried again, and then this too.
	}
}

/** Shows the last hour or day of one worker. */
export async function readWorkerHistory(workerId: number, range: HistoryRange): Promise<void> {
	try {
		const response = await request(`/dashboard/history?range=${range}&worker=${workerId}`);
		workerHistory.value = { workerId, history: (await readJson(response)) as WorkerHistory };
	} catch {
		// As above.
	}
}

function followVisibility(): void {
	let hiding: ReturnType<typeof setTimeout> | undefined;
	document.addEventListener('visibilitychange', () => {
		clearTimeout(hiding);
		if (document.hidden) {
			hiding = setTimeout(() => {
				clearTimeout(retryTimer);
				const paused = attempt;
				attempt = undefined;
				paused?.abort();
			}, hiddenMs);
		} else if (connection.value !== 'logged-out' && (attempt === undefined || attempt.signal.aborted)) connect();
	});
}

function messageOf(error: unknown): string {
	return error instanceof RequestFailed ? error.message : 'the manager does not answer';
}
