// The nodes of a cluster as a table for people, with the engine that they share in the last line. Pure, but for the width of the terminal.
import type { ClusterInfo, NodeInfo } from '@shardctl/control';
import { age } from '../terminal/age.js';
import { out, statusColour } from '../terminal/colours.js';
import { type Column, tableLines } from '../terminal/table.js';
import { outputWidth } from '../terminal/width.js';

export function nodesText({ cluster, nodes }: ClusterInfo, nowMs: number): string {
	const lines = tableLines(columns(nowMs), nodes, { width: outputWidth(process.stdout), dim: out.dim });
	return `${[...lines, '', out.dim(`application ${cluster.app} on ${cluster.engine} ${cluster.version}`)].join('\n')}\n`;
}

function columns(nowMs: number): readonly Column<NodeInfo>[] {
	return [
		{ title: 'NODE', cell: ({ name }) => out.bold(name) },
		{ title: 'STATUS', cell: ({ status }) => statusColour(out, status) },
		{
			title: 'SESSIONS',
			cell: ({ sessions, capacity }) => (capacity === null ? `${sessions}` : `${sessions}/${capacity}`),
			align: 'right',
		},
		{ title: 'SHARDS', cell: ({ shards }) => String(shards), align: 'right' },
		{ title: 'WORKERS', cell: ({ workers }) => (workers === null ? '-' : String(workers)), align: 'right', leaves: 4 },
		{ title: 'LEASE', cell: ({ leaseMs }) => `${(leaseMs / 1000).toFixed(1)} s`, align: 'right', leaves: 3 },
		{ title: 'UP', cell: ({ startedAt }) => (startedAt === null ? '-' : age(nowMs - startedAt)), align: 'right', leaves: 2 },
		{ title: 'PID', cell: ({ pid }) => (pid === null ? '-' : String(pid)), align: 'right', leaves: 1 },
		{ title: 'VERSION', cell: ({ version }) => version ?? '-', leaves: 5 },
	];
}
