// The table of `shardctl stats` for people.
import type { ManagerStats, ShardStats } from '@shardctl/manager';
import Table from 'cli-table3';
import pc from 'picocolors';

const noBorders = Object.fromEntries(
	[
		'top',
		'top-mid',
		'top-left',
		'top-right',
		'bottom',
		'bottom-mid',
		'bottom-left',
		'bottom-right',
		'left',
		'left-mid',
		'mid',
		'mid-mid',
		'right',
		'right-mid',
		'middle',
	].map((part) => [part, part === 'middle' ? '  ' : '']),
);

/** The fleet as a summary line and one row per shard, ending in a line break. */
export function statsTable({ manager, shards }: ManagerStats): string {
	const ready = shards.filter((shard) => shard.ready).length;
	const guilds = shards.reduce((sum, shard) => sum + shard.guildCount, 0);
	const { remaining, total, resetAt } = manager.identify;
	const summary = [
		`${pc.bold(manager.name)}  ${statusColour(manager.status)}`,
		`${ready}/${shards.length} shards ready in ${manager.workers} workers`,
		`${guilds.toLocaleString('en')} guilds`,
		`up ${age(manager.uptimeMs)}`,
		`${remaining}/${total} identifies left${remaining < total ? ` until ${new Date(resetAt).toISOString().slice(11, 16)} UTC` : ''}`,
	].join(pc.dim('  ·  '));

	const table = new Table({
		head: ['SHARD', 'STATUS', 'GUILDS', 'USERS', 'PING', 'MEMORY', 'CPU', 'UP', 'RESTARTS', 'WORKER', 'PID'].map((title) =>
			pc.dim(title),
		),
		colAligns: ['right', 'left', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right', 'right'],
		chars: noBorders,
		style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [] },
	});
	table.push(...shards.map(row));
	return `${summary}\n\n${table.toString()}\n`;
}

function row(shard: ShardStats): string[] {
	return [
		String(shard.shardId),
		statusColour(shard.status),
		shard.guildCount.toLocaleString('en'),
		shard.userCount.toLocaleString('en'),
		shard.ping === null ? '-' : `${Math.round(shard.ping)} ms`,
		shard.memoryMb === null ? '-' : `${Math.round(shard.memoryMb)} MB`,
		shard.cpuPercent === null ? '-' : `${shard.cpuPercent.toFixed(1)} %`,
		shard.uptimeMs > 0 ? age(shard.uptimeMs) : '-',
		String(shard.restarts),
		String(shard.workerId),
		shard.pid === null ? '-' : String(shard.pid),
	];
}

function statusColour(status: string): string {
	if (status === 'ready' || status === 'running') return pc.green(status);
	if (status === 'failed' || status === 'unresponsive' || status === 'disconnected') return pc.red(status);
	return pc.yellow(status);
}

/** `45s`, `12m`, `3h 5m`, `2d 4h`: the two largest units. */
export function age(ms: number): string {
	const seconds = Math.floor(ms / 1000);
	if (seconds < 60) return `${seconds}s`;
	const minutes = Math.floor(seconds / 60);
	if (minutes < 60) return `${minutes}m`;
	const hours = Math.floor(minutes / 60);
	if (hours < 24) return `${hours}h ${minutes % 60}m`;
	return `${Math.floor(hours / 24)}d ${hours % 24}h`;
}
