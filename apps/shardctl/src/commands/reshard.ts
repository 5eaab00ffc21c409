// `shardctl reshard`: replaces the sessions with Discord by more or fewer, or the workers by those of another shard count, while the fleet
// runs, in resident mode; in queue mode the sessions only, and not of a queue in a cluster.
import type { ControlClient } from '@shardctl/control';
import { age, describeReshard, describeReshardRest, type ReshardOutcome, type ReshardStats, ShardctlError } from '@shardctl/core';
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { whole } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { plural } from '../terminal/count.js';
import { printErr, printOut } from '../terminal/print.js';

interface ReshardOptions extends TargetOptions {
	shards?: number;
	dryRun?: boolean;
	undo?: boolean;
	json?: boolean;
}

export function reshardCommand(): Command {
	const command = new Command('reshard')
		.summary('Changes the number of Discord sessions, or of shards, while the fleet runs.')
		.description(
			'Starts the new sessions beside the present ones and moves the shards to them, group by group, without a missed or repeated event. ' +
				'Workers and their shards stay as they are. With --shards the workers are replaced by those of another shard count, as in a deploy: ' +
				'the new ones start beside the present ones, and need memory for that. Sessions and shards can change alone or together. Each number ' +
				'must be a whole multiple or a whole part of the present one, and the shards a multiple of the sessions. Each new session costs one ' +
				'session start, and those reserved for restarts are not used; new shards cost none. Requires a fleet started with --gateway resident or queue; ' +
				'with queue only sessions can change, and none in a cluster.',
		)
		.argument('[sessions]', 'how many sessions to end with', (text: string) => whole(1)(text))
		// Not the variable of `start`, which may be set where the fleet was started.
		.addOption(option('--shards <n>', 'how many shards the workers see at the end', 'RESHARD').argParser(whole(1)))
		.addOption(option('--dry-run', 'only show what it would start, how much memory and how long that takes'))
		.addOption(option('--undo', 'end the resharding that runs, and return to the numbers before it'))
		.addOption(jsonOption());
	for (const each of targetOptions({ ownFolder: true })) command.addOption(each);
	return command.action(reshard);
}

async function reshard(
	sessions: number | undefined,
	{ shards, dryRun = false, undo = false, json = false, ...which }: ReshardOptions,
): Promise<void> {
	if (undo === (sessions !== undefined || shards !== undefined)) {
		throw new ShardctlError('OPTIONS_INVALID', 'give either the number of sessions to end with, --shards, or both, or --undo');
	}
	const { client, label } = await target(which, 'reshard');
	const over = new AbortController();
	const printed = dryRun ? Promise.resolve() : printProgress(client, { json, signal: over.signal });
	try {
		const outcome = await client.reshard({ sessions, shards, undo, dryRun });
		if (json) printOut(`${JSON.stringify({ ...outcome, state: dryRun ? 'planned' : 'done' })}\n`);
		else if (dryRun) printOut(planText(label, outcome));
		if (!dryRun) printErr(doneText(label, outcome));
	} finally {
		over.abort();
		await printed;
	}
}

function planText(label: string, outcome: ReshardOutcome): string {
	const { shards, identifies, estimatedMs, nodes = [], waitsFor = [] } = outcome;
	const start = `resharding ${label} ${describeReshard(outcome)} would use ${plural(identifies, 'session start')} and take about ${age(estimatedMs)}\n`;
	const text = [start, placesText(nodes), ...waitsFor.map((what) => `it would wait: ${what}\n`)].join('');
	if (!shards) return text;
	const { workers, memoryBytes, freeBytes } = shards;
	const memory = memoryBytes === null ? '' : `, which need about ${megabytes(memoryBytes)} beside the present ones`;
	return `${text}it would start ${plural(workers, 'worker')}${memory} (${megabytes(freeBytes)} are free)\n`;
}

/** In a cluster. */
function placesText(nodes: NonNullable<ReshardOutcome['nodes']>): string {
	if (nodes.length === 0) return '';
	const text = `sessions afterwards: ${nodes.map(({ name, sessions }) => `${sessions} on node ${name}`).join(', ')}`;
	if (nodes.every(({ sessions }) => sessions > 0)) return `${text}\n`;
	return (
		`${text}; those that replace a session stay together on a node. A cluster that was started with fewer sessions than it has nodes uses ` +
		`all of them only after it is stopped, and started with --gateway-sessions auto and --expect ${nodes.length}\n`
	);
}

function doneText(label: string, outcome: ReshardOutcome): string {
	const { from, to, shards, identifies, tookMs, longestPauseMs } = outcome;
	if (from === to && !shards) return `ended the resharding of ${label} before it replaced anything\n`;
	const options = [...(shards ? [`--shards ${shards.to}`] : []), `--gateway-sessions ${to}`];
	return (
		`resharded ${label} ${describeReshard(outcome)} in ${(tookMs / 1000).toFixed(1)} s with ${plural(identifies, 'session start')}; ` +
		`the longest pause of a shard was ${longestPauseMs} ms\n` +
		`start it with ${options.join(' ')} from now on\n`
	);
}

function megabytes(bytes: number): string {
	return `${Math.round(bytes / 1024 / 1024)} MB`;
}

const pollMs = 500;

/** What it cannot read is not printed: progress is only informative. */
async function printProgress(client: ControlClient, { json, signal }: { json: boolean; signal: AbortSignal }): Promise<void> {
	let last = '';
	try {
		for await (const followed of client.followStats({ intervalMs: pollMs, signal })) {
			const stats = 'item' in followed ? followed.item.reshard : undefined;
			if (stats?.state !== 'running') continue;
			const mark = JSON.stringify([stats.startedAt, stats.done, stats.waitsFor]);
			if (mark === last) continue;
			last = mark;
			if (json) printOut(`${JSON.stringify(stats)}\n`);
			else printErr(`${progressText(stats)}\n`);
		}
	} catch {
		// The manager has exited, or the resharding has ended.
	}
}

function progressText(stats: ReshardStats): string {
	const { done, total } = stats;
	return `resharding ${describeReshard(stats)}: ${done} of ${total} groups replaced, ${describeReshardRest(stats)}`;
}
