// `shardctl reshard`: replaces the sessions with Discord by more or fewer while the fleet runs, in resident mode.
import type { ControlClient } from '@shardctl/control';
import { age, type ReshardStats, ShardctlError } from '@shardctl/core';
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { whole } from '../option-parsers.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { plural } from '../terminal/count.js';
import { printErr, printOut } from '../terminal/print.js';

interface ReshardOptions extends TargetOptions {
	dryRun?: boolean;
	undo?: boolean;
	json?: boolean;
}

export function reshardCommand(): Command {
	const command = new Command('reshard')
		.summary('Changes the number of Discord sessions while the fleet runs.')
		.description(
			'Starts the new sessions beside the present ones and moves the shards to them, group by group, without a missed or repeated event. ' +
				'Workers and their shards stay as they are: start the fleet with more shards than sessions (--gateway-sessions) to have room. The ' +
				'number must be a whole multiple or a whole part of the present one. Each new session costs one session start; those reserved for ' +
				'restarts are not used. Requires a fleet started with --gateway resident.',
		)
		.argument('[sessions]', 'how many sessions to end with', (text: string) => whole(1)(text))
		.addOption(option('--dry-run', 'only show how many sessions it would start and how long that takes'))
		.addOption(option('--undo', 'end the resharding that runs, and return to the number of sessions before it'))
		.addOption(jsonOption());
	for (const each of targetOptions({ ownFolder: true })) command.addOption(each);
	return command.action(reshard);
}

async function reshard(
	sessions: number | undefined,
	{ dryRun = false, undo = false, json = false, ...which }: ReshardOptions,
): Promise<void> {
	if (undo === (sessions !== undefined)) {
		throw new ShardctlError('OPTIONS_INVALID', 'give either the number of sessions to end with, or --undo');
	}
	const { client, label } = await target(which, 'reshard');
	const over = new AbortController();
	const printed = dryRun ? Promise.resolve() : printProgress(client, { json, signal: over.signal });
	try {
		const outcome = await client.reshard({ sessions, undo, dryRun });
		const { from, to, identifies, estimatedMs, tookMs, longestPauseMs } = outcome;
		if (json) printOut(`${JSON.stringify({ ...outcome, state: dryRun ? 'planned' : 'done' })}\n`);
		else if (dryRun) {
			printOut(
				`resharding ${label} from ${from} to ${plural(to, 'session')} would use ${plural(identifies, 'session start')} and take about ${age(estimatedMs)}\n`,
			);
		}
		if (dryRun) return;
		printErr(
			`resharded ${label} from ${from} to ${plural(to, 'session')} in ${(tookMs / 1000).toFixed(1)} s with ${plural(identifies, 'session start')}; ` +
				`the longest pause of a shard was ${longestPauseMs} ms\n` +
				`start it with --gateway-sessions ${to} from now on\n`,
		);
	} finally {
		over.abort();
		await printed;
	}
}

const pollMs = 500;

/** What it cannot read is not printed: progress is only informative. */
async function printProgress(client: ControlClient, { json, signal }: { json: boolean; signal: AbortSignal }): Promise<void> {
	let last = '';
	try {
		for await (const followed of client.followStats({ intervalMs: pollMs, signal })) {
			const stats = 'item' in followed ? followed.item.reshard : undefined;
			if (stats?.state !== 'running') continue;
			const mark = `${stats.startedAt} ${stats.done}`;
			if (mark === last) continue;
			last = mark;
			if (json) printOut(`${JSON.stringify(stats)}\n`);
			else printErr(`${progressText(stats)}\n`);
		}
	} catch {
		// The manager has exited, or the resharding has ended.
	}
}

function progressText({ from, to, done, total, leftMs }: ReshardStats): string {
	return `resharding from ${from} to ${plural(to, 'session')}: ${done} of ${total} groups replaced, about ${age(leftMs)} left`;
}
