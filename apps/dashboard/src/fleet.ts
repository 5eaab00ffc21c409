// What the page knows of the fleet, as signals. `live.ts` writes it, components read it.
import { batch, computed, signal } from '@preact/signals';
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

/** `logged-out`: a session is needed. `lost`: the manager does not answer, and is tried again. */
export type Connection = 'connecting' | 'live' | 'lost' | 'logged-out';

export const connection = signal<Connection>('connecting');
/** Why there is no session, or no connection. */
export const connectionProblem = signal('');
export const hello = signal<DashboardHello | undefined>(undefined);
export const stats = signal<ManagerStats | undefined>(undefined);
/** Undefined for a fleet on one machine. */
export const cluster = signal<DashboardCluster | undefined>(undefined);
/** Oldest first. */
export const events = signal<readonly DashboardEvent[]>([]);
export const plotRange = signal<HistoryRange>('hour');
export const plotHistory = signal<History | undefined>(undefined);
/** Of the worker whose details are shown. */
export const workerHistory = signal<{ workerId: number; history: WorkerHistory } | undefined>(undefined);
/** Epoch ms by the machine's clock, once a second. */
export const now = signal(Date.now());
/** When the figures on the page arrived, by this browser's monotonic clock. */
export const arrivedAt = signal(0);
/** Seconds since the figures arrived; 0 while they are fresh. */
export const staleSeconds = signal(0);
/** The same for what is known of the nodes, while other figures arrive. */
export const clusterStaleSeconds = signal(0);
/** Requests to Discord's REST API in the last second; undefined where each worker sends its own. */
export const restRate = signal<number | undefined>(undefined);
export const selectedShard = signal<number | undefined>(undefined);
export const selectedWorker = signal<number | undefined>(undefined);

export const mayAct = computed(() => hello.value?.rights === 'act');
export const isResident = computed(() => stats.value?.gateways !== undefined);
/** Whether sessions can move between nodes: those that workers hold cannot. */
export const canMove = computed(() => cluster.value !== undefined && isResident.value);

const keptEvents = 500;
const freshMs = 4000;
let skewMs = 0;
let clusterArrivedAt = 0;

export function selectShard(shardId: number | undefined): void {
	batch(() => {
		selectedShard.value = shardId;
		selectedWorker.value = undefined;
	});
}

export function selectWorker(workerId: number | undefined): void {
	batch(() => {
		selectedShard.value = undefined;
		selectedWorker.value = workerId;
	});
}

export function takeHello(given: DashboardHello): void {
	batch(() => {
		const isSameManager = hello.value?.pid === given.pid && hello.value.name === given.name;
		skewMs = given.now - Date.now();
		if (!isSameManager) {
			events.value = [];
			workerHistory.value = undefined;
		}
		if (given.node === undefined) cluster.value = undefined;
		hello.value = given;
		takeEvents(given.events);
	});
}

export function takeStats(given: ManagerStats): void {
	batch(() => {
		restRate.value = rateBetween(stats.value, given);
		stats.value = given;
		arrivedAt.value = performance.now();
		staleSeconds.value = 0;
		now.value = Date.now() + skewMs;
	});
}

/** Between two figures of one manager. */
function rateBetween(before: ManagerStats | undefined, after: ManagerStats): number | undefined {
	if (!before?.rest || !after.rest || before.manager.pid !== after.manager.pid) return undefined;
	const elapsedMs = after.manager.uptimeMs - before.manager.uptimeMs;
	const sent = after.rest.requests - before.rest.requests;
	return elapsedMs > 0 && sent >= 0 ? (1000 * sent) / elapsedMs : undefined;
}

export function takeCluster(given: DashboardCluster): void {
	clusterArrivedAt = performance.now();
	clusterStaleSeconds.value = 0;
	cluster.value = given;
}

/** Those of other nodes may arrive late, and again after the connection was lost. */
export function takeEvents(given: readonly DashboardEvent[]): void {
	const known = new Set(events.value.map(eventKey));
	const added = given.filter((event) => !known.has(eventKey(event)));
	if (added.length > 0) events.value = [...events.value, ...added].sort((a, b) => a.at - b.at).slice(-keptEvents);
}

/** A manager that was started again counts its events from 1. */
export function eventKey({ node = '', seq, at }: DashboardEvent): string {
	return `${node} ${seq} ${at}`;
}

const hourPoints = 720;

export function takePoint(point: HistoryPoint): void {
	if (plotRange.value !== 'hour') return;
	const history = plotHistory.value;
	if (history) plotHistory.value = appended(history, point);
	const shown = workerHistory.value;
	if (shown)
		workerHistory.value = { ...shown, history: appended(shown.history, { at: point.at, ...workerPoint(shown.workerId) }) };
}

function appended<T extends object>(columns: T, point: Readonly<Record<string, number | null>>): T {
	const longer = Object.entries(columns).map(([name, column]: [string, (number | null)[]]) => [
		name,
		[...column, point[name] ?? null].slice(-hourPoints),
	]);
	return Object.fromEntries(longer) as T;
}

/** As the manager keeps it. */
function workerPoint(workerId: number): Record<string, number | null> {
	const shards = stats.value?.shards.filter((shard) => shard.workerId === workerId) ?? [];
	const known = (values: readonly (number | null)[]) => values.filter((value) => value !== null);
	const [cpu, delays] = [known(shards.map(({ cpuPercent }) => cpuPercent)), known(shards.map(({ loopDelayMs }) => loopDelayMs))];
	return {
		memoryBytes: stats.value?.workers.find(({ id }) => id === workerId)?.rssBytes ?? null,
		cpuPercent: cpu.length === 0 ? null : cpu.reduce((sum, value) => sum + value, 0),
		loopDelayMs: delays.length === 0 ? null : Math.max(...delays),
	};
}

/** Called once a second, so that ages grow while nothing arrives. */
export function tick(): void {
	const ageOf = (arrived: number) => {
		const age = performance.now() - arrived;
		return age > freshMs ? Math.floor(age / 1000) : 0;
	};
	batch(() => {
		now.value = Date.now() + skewMs;
		staleSeconds.value = stats.value ? ageOf(arrivedAt.value) : 0;
		clusterStaleSeconds.value = cluster.value && staleSeconds.value === 0 ? ageOf(clusterArrivedAt) : 0;
	});
}
