// The live picture of a fleet that is starting, as text. Pure.
import { describeShards } from '@shardctl/core';
import type { IdentifyWait, ShardStats, ShardStatus } from '@shardctl/manager';
import { err } from '../terminal/colours.js';
import { plural } from '../terminal/count.js';
import { clip } from '../terminal/table.js';

export interface FleetView {
	name: string;
	/** Empty until Discord has answered. */
	shards: readonly Pick<ShardStats, 'shardId' | 'status'>[];
	workers: number;
	maxConcurrency: number;
	/** Shards that wait for an identify slot. */
	waits: readonly IdentifyWait[];
	elapsedMs: number;
	columns: number;
}

const barWidth = 32;
const spinner = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const spinnerMs = 120;

/** Order and text of the groups under the bar. Ready shards are the bar itself. */
const groups: readonly { status: ShardStatus; text: string }[] = [
	{ status: 'failed', text: 'failed' },
	{ status: 'unresponsive', text: 'not responding' },
	{ status: 'restarting', text: 'exited, waiting to restart' },
	{ status: 'disconnected', text: 'disconnected' },
	{ status: 'reconnecting', text: 'reconnecting' },
	{ status: 'identifying', text: 'identified, receiving guilds' },
	{ status: 'booting', text: 'booting' },
	{ status: 'planned', text: 'queued to boot' },
];

/** The lines of the live picture. */
export function fleetPicture(view: FleetView): string {
	const { name, shards, workers, maxConcurrency, waits, elapsedMs } = view;
	const spin = err.cyan(spinner[Math.floor(elapsedMs / spinnerMs) % spinner.length] as string);
	if (shards.length === 0) {
		const what = workers > 0 ? `starting ${plural(workers, 'worker')} of the queue` : 'asking Discord for its gateway';
		return `${spin} ${err.bold(name)}  ${what}`;
	}

	const ready = shards.filter(({ status }) => status === 'ready').length;
	const filled = Math.round((ready / shards.length) * barWidth);
	const bar = err.green('█'.repeat(filled)) + err.dim('░'.repeat(barWidth - filled));
	const count = `${plural(shards.length, 'shard')} in ${plural(workers, 'worker')}`;
	const lines = [
		`${spin} ${err.bold(name)}  ${err.dim(`${count} · max_concurrency ${maxConcurrency}`)}`,
		`  ${bar}  ${ready}/${shards.length} ready  ${err.dim(seconds(elapsedMs))}`,
	];
	for (const { status, text } of groups) {
		const ids = shards.filter((shard) => shard.status === status).map(({ shardId }) => shardId);
		if (ids.length > 0) lines.push(`  ${label(ids)}  ${text}`);
	}
	lines.push(...waitLines(waits));
	return lines.map((line) => clip(line, view.columns)).join('\n');
}

/** Which shards wait for an identify slot, for how long, and when the last one gets its slot. */
function waitLines(waits: readonly IdentifyWait[]): string[] {
	if (waits.length === 0) return [];
	const inOrder = [...waits].sort((a, b) => a.etaMs - b.etaMs || a.shardId - b.shardId);
	const first = (inOrder[0] as IdentifyWait).etaMs;
	const next = inOrder.filter(({ etaMs }) => etaMs <= first).map(({ shardId }) => shardId);
	const later = inOrder.filter(({ etaMs }) => etaMs > first).map(({ shardId }) => shardId);
	const last = (inOrder.at(-1) as IdentifyWait).etaMs;
	const lines = [`  ${label(next)}  next to identify, in ${seconds(first)}`];
	if (later.length > 0) lines.push(`  ${label(later)}  waiting for identify slots, last one in ${seconds(last)}`);
	lines.push(err.dim(`  all shards ready in about ${seconds(last + 1000)}`));
	return lines;
}

function label(ids: readonly number[]): string {
	const text = describeShards([...ids].sort((a, b) => a - b));
	return text.length > 28 ? `${text.slice(0, 27)}…` : text;
}

/** Whole seconds, and minutes from two on. */
function seconds(ms: number): string {
	const s = Math.ceil(ms / 1000);
	return s < 120 ? `${s} s` : `${Math.floor(s / 60)} min ${s % 60} s`;
}
