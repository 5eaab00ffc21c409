// The figures of a fleet as text: a summary and one row per shard. Pure.
import type { ManagerStats, ShardStats } from '@shardctl/manager';
import { deployLine } from '../deploy/deploy-text.js';
import { healthLines } from '../health/health-lines.js';
import { lossLines } from '../health/loss-line.js';
import { queueSummary } from '../queue/queue-table.js';
import { age } from '../terminal/age.js';
import { out, statusColour } from '../terminal/colours.js';
import { grouped, plural } from '../terminal/count.js';
import { type Column, tableLines } from '../terminal/table.js';
import { fold, wrap } from '../terminal/wrap.js';
import { queueWorkersTable } from './queue-workers-table.js';
import { reshardLine } from './reshard-line.js';
import { sizingLines } from './sizing-line.js';

/** The fleet as a summary and one row per shard, ending in a line break. `width` is unbounded outside a terminal. */
export function statsTable(stats: ManagerStats, { width, nowMs }: { width: number; nowMs: number }): string {
	const rows = tableLines(shardColumns(stats), stats.shards, { width, dim: out.dim });
	const note = shareNote(stats);
	if (note && rows[0]?.includes('*')) rows.push(out.dim(note));
	const gateways = stats.gateways ? ['', ...gatewayTable(stats, width)] : [];
	const readers = queueWorkersTable(stats, { width, nowMs });
	if (readers.length > 0) readers.unshift('');
	return `${[...summaryLines(stats, { width, nowMs }), '', ...rows, ...gateways, ...readers].join('\n')}\n`;
}

type GatewayProcess = NonNullable<ManagerStats['gateways']>[number];
type GatewayShard = GatewayProcess['shards'][number] & {
	gatewayId: number;
	node: string | undefined;
	pid: number | null;
	/** Of the whole process, which may have other shards as well. */
	rssBytes: number | null;
	/** Its session with Discord. */
	upstream: GatewayProcess['sessions'][number];
};

/** In resident mode: one row per shard as its gateway process sees it. */
export function gatewayTable({ gateways = [] }: ManagerStats, width: number): string[] {
	const rows = gateways.flatMap(({ id: gatewayId, node, pid, rssBytes, shards, sessions }) =>
		shards.flatMap((shard) => {
			const upstream = sessions.find(({ id }) => id === shard.session);
			return upstream ? [{ ...shard, gatewayId, node, pid, rssBytes, upstream }] : [];
		}),
	);
	if (rows.length === 0) return [out.dim('No gateway process answers.')];
	rows.sort((a, b) => a.shardId - b.shardId);
	const isCluster = rows.some(({ node }) => node !== undefined);
	const columns = isCluster ? gatewayColumns.toSpliced(1, 0, nodeColumn) : gatewayColumns;
	return tableLines(columns, rows, { width, dim: out.dim });
}

const nodeColumn = { title: 'NODE', cell: ({ node }: { node?: string | undefined }) => node ?? '-' };

/** The figures an operator needs; `--json` has the rest. AGE is that of the oldest buffered event, LAG the longest recent wait. */
const gatewayColumns: readonly Column<GatewayShard>[] = [
	{ title: 'SHARD', cell: ({ shardId }) => String(shardId), align: 'right' },
	{ title: 'SESSION', cell: ({ upstream }) => sessionText(upstream) },
	{ title: 'WORKER', cell: ({ worker }) => worker },
	{ title: 'EV/S', cell: ({ eventsPerSecond }) => shortRate(eventsPerSecond), align: 'right', leaves: 1 },
	{ title: 'BUFFER', cell: ({ bufferedEvents }) => count(bufferedEvents), align: 'right' },
	{ title: 'AGE', cell: ({ bufferAgeMs }) => shortDelay(bufferAgeMs), align: 'right' },
	{ title: 'LAG', cell: ({ lagMs }) => shortDelay(lagMs), align: 'right', leaves: 2 },
	{ title: 'RESUMES', cell: ({ upstream }) => count(upstream.resumes), align: 'right', leaves: 3 },
	{ title: 'DROPS', cell: ({ overflowed, expired }) => count(overflowed + expired), align: 'right' },
	{ title: 'LOST', cell: ({ lost }) => count(lost), align: 'right' },
	{ title: 'REPEATED', cell: ({ repeated }) => count(repeated), align: 'right', leaves: 7 },
	{ title: 'EVENTS', cell: ({ received }) => count(received), align: 'right', leaves: 6 },
	{ title: 'GATEWAY', cell: ({ gatewayId }) => String(gatewayId), align: 'right', leaves: 8 },
	{
		title: 'MEMORY',
		cell: ({ rssBytes }) => orDash(rssBytes, (bytes) => shortMemory(bytes / 2 ** 20)),
		align: 'right',
		leaves: 5,
	},
	{ title: 'PID', cell: ({ pid }) => orDash(pid, String), align: 'right', leaves: 4 },
];

/** The session's number is shown only when several shards share it. */
function sessionText({ id, shardIds, status }: GatewayShard['upstream']): string {
	return `${shardIds.length > 1 ? `${id} ` : ''}${statusColour(out, status)}`;
}

/** The fleet as a whole, and what is wrong with it. */
export function summaryLines(stats: ManagerStats, size: { width: number; nowMs: number }): string[] {
	const { manager, health, shards } = stats;
	const { width, nowMs } = size;
	const ready = shards.filter((shard) => shard.ready).length;
	const sum = (figure: (shard: ShardStats) => number) => shards.reduce((total, shard) => total + figure(shard), 0);
	const { remaining, total, resetAt, maxConcurrency } = manager.identify;
	const resets = remaining < total ? `, reset in ${age(resetAt - nowMs)}` : '';
	const readyShards = `${ready}/${shards.length} shards ready`;
	const head = fold(
		[
			`${out.bold(manager.name)}  ${statusColour(out, shownStatus(manager.status, health))}  ${ready < shards.length ? out.yellow(readyShards) : readyShards} in ${plural(manager.workers, 'worker')}`,
			`${count(sum(({ guildCount }) => guildCount))} guilds`,
			`up ${age(manager.uptimeMs)}`,
		],
		width,
		out.dim(' · '),
	);
	const budget = [`${remaining}/${total} session starts left${resets}`, `max_concurrency ${maxConcurrency}`];
	const more = [
		...fold(manager.simulator ? [...budget, `simulator ${manager.simulator.url}`] : budget, width).map(out.dim),
		...restLine(stats.rest, width),
		...(stats.queue ? fold(queueSummary(stats.queue), width).map(out.dim) : []),
		...hostLine(stats.host, width),
	];
	const changes = [deployLine(stats.deploy, nowMs), reshardLine(stats.reshard, nowMs)].flatMap((line) =>
		line ? wrap(line.text, width).map(changeColour[line.level]) : [],
	);
	// What is wrong comes first.
	// A resharding that runs says more.
	const sizing = stats.reshard?.state === 'running' ? [] : sizingLines(stats.sizing, size);
	return [...head, ...healthLines(stats.health, size), ...lossLines(stats.losses, size), ...sizing, ...changes, ...more];
}

const changeColour = { running: out.cyan, good: out.dim, bad: out.red } as const;

/** The requests to Discord's REST API, where one process sends them. */
function restLine(rest: ManagerStats['rest'], width: number): string[] {
	if (!rest) return [];
	const { status, requests, queued, limited, invalid, guarded, globalPerSecond, p50Ms, p99Ms } = rest;
	const parts = [
		`REST ${status === 'ready' ? `${grouped(requests)} requests` : status}`,
		`${grouped(queued)} waiting`,
		`${grouped(limited)} rate limited`,
		`${grouped(invalid)} invalid${guarded ? ' (only reads and interactions are sent)' : ''}`,
		`at most ${grouped(globalPerSecond)}/s`,
		...(p50Ms === null || p99Ms === null ? [] : [`p50 ${Math.round(p50Ms)} ms, p99 ${Math.round(p99Ms)} ms`]),
	];
	return fold(parts, width).map(guarded || status !== 'ready' ? out.yellow : out.dim);
}

/** What the machine has left, with the folder that it is about. */
function hostLine(host: ManagerStats['host'], width: number): string[] {
	if (!host) return [];
	const { stateDir, openFiles, memory } = host;
	const parts = [
		memory && `${shortBytes(memory.availableBytes)} of ${shortBytes(memory.totalBytes)} memory available`,
		openFiles && `${grouped(openFiles.used)} of ${grouped(openFiles.limit)} open files`,
		stateDir && `${shortBytes(stateDir.freeBytes)} free in ${stateDir.folder}`,
	].filter((part) => part !== null);
	return fold(parts, width).map(out.dim);
}

function shortBytes(bytes: number): string {
	return shortMemory(bytes / 2 ** 20);
}

/** The manager's status is about its own life; while it runs, health says more. */
function shownStatus(status: ManagerStats['manager']['status'], { status: health }: ManagerStats['health']): string {
	return (status === 'running' || status === 'degraded') && health !== 'healthy' ? health : status;
}

const status: Column<ShardStats> = { title: 'STATUS', cell: (shard) => statusColour(out, shard.status) };

/** Every figure of a shard, by name, so that all views show it in the same form. */
export const columnOf = {
	shard: figure('SHARD', ({ shardId }) => String(shardId)),
	node: nodeColumn,
	status,
	guilds: figure('GUILDS', ({ guildCount }) => count(guildCount)),
	users: figure('USERS', ({ userCount }) => count(userCount)),
	ping: figure('PING', ({ ping }) => orDash(ping, (ms) => `${Math.round(ms)} ms`)),
	memory: figure('MEMORY', ({ memoryMb }) => orDash(memoryMb, shortMemory)),
	cpu: figure('CPU', ({ cpuPercent }) => orDash(cpuPercent, (percent) => `${percent.toFixed(percent < 10 ? 1 : 0)} %`)),
	loop: figure('LOOP', ({ loopDelayMs }) => orDash(loopDelayMs, shortDelay)),
	uptime: figure('UP', ({ uptimeMs }) => (uptimeMs > 0 ? age(uptimeMs) : '-')),
	restarts: figure('RESTARTS', ({ restarts }) => String(restarts)),
	worker: figure('WORKER', ({ workerId }) => orDash(workerId, String)),
	pid: figure('PID', ({ pid }) => orDash(pid, String)),
} satisfies Record<string, Column<ShardStats>>;

/**
 * The columns of the shards' table. Shard, status, age, restarts and PID always stay: an operator acts on those. `trends` are
 * additional columns after the figure that they belong to; they are dropped first.
 */
export function shardColumns(
	{ shards }: ManagerStats,
	trends: { ping?: Column<ShardStats>; cpu?: Column<ShardStats> } = {},
): Column<ShardStats>[] {
	const share = sharesProcesses(shards) ? '*' : '';
	const columns: (Column<ShardStats> | undefined)[] = [
		columnOf.shard,
		shards.some(({ node }) => node !== undefined) ? columnOf.node : undefined,
		columnOf.status,
		{ ...columnOf.guilds, leaves: 1 },
		{ ...columnOf.users, leaves: 7 },
		{ ...columnOf.ping, leaves: 4 },
		trends.ping && { ...trends.ping, leaves: 9 },
		{ ...columnOf.memory, title: `MEMORY${share}`, leaves: 2 },
		{ ...columnOf.cpu, title: `CPU${share}`, leaves: 3 },
		trends.cpu && { ...trends.cpu, leaves: 8 },
		{ ...columnOf.loop, leaves: 5 },
		columnOf.uptime,
		columnOf.restarts,
		{ ...columnOf.worker, leaves: 6 },
		columnOf.pid,
	];
	return columns.filter((column) => column !== undefined);
}

/** Whether a process has several shards, whose figures are then shares of it. */
function sharesProcesses(shards: readonly ShardStats[]): boolean {
	return new Set(shards.map(({ workerId, node }) => `${node} ${workerId}`)).size < shards.length;
}

/** The explanation of `*` in the titles, where there is one. */
export function shareNote({ shards }: ManagerStats): string {
	return sharesProcesses(shards) ? "* the shard's share of its worker process" : '';
}

function figure(title: string, cell: (shard: ShardStats) => string): Column<ShardStats> {
	return { title, cell, align: 'right' };
}

function orDash<T>(value: T | null, show: (value: T) => string): string {
	return value === null ? '-' : show(value);
}

/** `12,345`, and `12.3M` from a million on, to leave room for other figures. */
function count(value: number): string {
	return value < 1_000_000 ? grouped(value) : `${(value / 1_000_000).toFixed(1)}M`;
}

/** `0.4`, `12`: shows that a quiet shard is not a dead one. */
function shortRate(perSecond: number): string {
	return perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond));
}

function shortMemory(mb: number): string {
	return mb < 1000 ? `${Math.round(mb)} MB` : `${(mb / 1024).toFixed(1)} GB`;
}

function shortDelay(ms: number): string {
	return ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`;
}
