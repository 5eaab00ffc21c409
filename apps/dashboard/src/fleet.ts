// What the page knows of the fleet, as signals. `live.ts` writes it, components read it.
import { computed, signal } from '@preact/signals';
import type { DashboardEvent, DashboardHello, History, HistoryPoint, HistoryRange, ManagerStats } from '@shardctl/core';

/** `logged-out`: a session is needed. `lost`: the manager does not answer, and is tried again. */
export type Connection = 'connecting' | 'live' | 'lost' | 'logged-out';

export const connection = signal<Connection>('connecting');
/** Why there is no session, or no connection. */
export const connectionProblem = signal('');
export const hello = signal<DashboardHello | undefined>(undefined);
export const stats = signal<ManagerStats | undefined>(undefined);
/** Oldest first. */
export const events = signal<readonly DashboardEvent[]>([]);
export const plotRange = signal<HistoryRange>('hour');
export const plotHistory = signal<History | undefined>(undefined);
/** Epoch ms by the machine's clock, once a second. */
export const now = signal(Date.now());
/** When the figures on the page arrived, by this browser's monotonic clock. */
export const arrivedAt = signal(0);
/** Seconds since the figures arrived; 0 while they are fresh. */
export const staleSeconds = signal(0);
/** Requests to Discord's REST API in the last second; undefined where each worker sends its own. */
export const restRate = signal<number | undefined>(undefined);
export const selectedShard = signal<number | undefined>(undefined);

export const mayAct = computed(() => hello.value?.rights === 'act');
export const isResident = computed(() => stats.value?.gateways !== undefined);

const keptEvents = 500;
const freshMs = 4000;
let skewMs = 0;

export function takeHello(given: DashboardHello): void {
	const isSameManager = hello.value?.pid === given.pid && hello.value.name === given.name;
	skewMs = given.now - Date.now();
	const known = isSameManager ? (events.value.at(-1)?.seq ?? 0) : 0;
	events.value = [...(isSameManager ? events.value : []), ...given.events.filter(({ seq }) => seq > known)].slice(-keptEvents);
	hello.value = given;
}

export function takeStats(given: ManagerStats): void {
	restRate.value = rateBetween(stats.value, given);
	stats.value = given;
	arrivedAt.value = performance.now();
	staleSeconds.value = 0;
	now.value = Date.now() + skewMs;
}

/** Between two figures of one manager. */
function rateBetween(before: ManagerStats | undefined, after: ManagerStats): number | undefined {
	if (!before?.rest || !after.rest || before.manager.pid !== after.manager.pid) return undefined;
	const elapsedMs = after.manager.uptimeMs - before.manager.uptimeMs;
	const sent = after.rest.requests - before.rest.requests;
	return elapsedMs > 0 && sent >= 0 ? (1000 * sent) / elapsedMs : undefined;
}

export function takeEvent(event: DashboardEvent): void {
	if (event.seq > (events.value.at(-1)?.seq ?? 0)) events.value = [...events.value, event].slice(-keptEvents);
}

const hourPoints = 720;

export function takePoint(point: HistoryPoint): void {
	const history = plotHistory.value;
	if (!history || plotRange.value !== 'hour') return;
	const appended = Object.entries(history).map(([name, column]) => [
		name,
		[...column, point[name as keyof HistoryPoint] ?? null].slice(-hourPoints),
	]);
	plotHistory.value = Object.fromEntries(appended) as History;
}

/** Called once a second, so that ages grow while nothing arrives. */
export function tick(): void {
	now.value = Date.now() + skewMs;
	const age = performance.now() - arrivedAt.value;
	staleSeconds.value = stats.value && age > freshMs ? Math.floor(age / 1000) : 0;
}
