// `shardctl deploy`: replaces every worker with a new process of the bot without a gap, in resident mode, and watches the new processes.
import type { ControlClient } from '@shardctl/control';
import { messageOf, ShardctlError } from '@shardctl/core';
import { Command } from 'commander';
import { stageText } from '../deploy/deploy-text.js';
import { jsonOption, option } from '../option.js';
import { duration, whole } from '../option-parsers.js';
import { scopeOptions, type TargetOptions, target, targetOptions } from '../target.js';
import { plural } from '../terminal/count.js';
import { printErr, printOut } from '../terminal/print.js';

interface DeployOptions extends TargetOptions {
	parallel?: number;
	observe?: number;
	canary?: number;
	bake?: number;
	first?: 'start' | 'stop';
	maxErrorRate?: number;
	cancel?: boolean;
	detach?: boolean;
	json?: boolean;
}

export function deployCommand(): Command {
	const command = new Command('deploy')
		.summary('Replaces every worker without a missed event.')
		.description(
			'Replaces every worker with a new process of the bot, without an identify and without a missed event. Each new process is ' +
				'watched; when one does not become ready, or dies, the old version is brought back. Requires a fleet started with ' +
				'--gateway resident or queue.',
		)
		.addOption(
			option('--observe <duration>', 'how long to watch each new process before the next (default: 10s)').argParser(duration),
		)
		.addOption(option('--canary <count>', 'replace this many workers first and wait before the others').argParser(whole(1)))
		.addOption(option('--bake <duration>', 'how long to wait after the canary (default: 5m)').argParser(duration))
		.addOption(
			option('--first <order>', 'stop: the old process ends before the new one starts (default: start)').choices([
				'start',
				'stop',
			]),
		)
		.addOption(
			option('--max-error-rate <count>', 'logged errors a minute in a new process that stop the deploy').argParser(whole(0)),
		)
		.addOption(option('--parallel <count>', 'workers to replace at once (default: 1)').argParser(whole(1)))
		.addOption(option('--cancel', 'call off the deploy that runs, and wait until the old version runs again'))
		.addOption(option('--detach', 'return at once; the deploy continues without this command (also with --cancel)'))
		.addOption(jsonOption());
	for (const each of [...targetOptions({ ownFolder: true }), ...scopeOptions()]) command.addOption(each);
	return command.action(deploy);
}

async function deploy({ observe, bake, cancel = false, detach = false, json = false, ...rest }: DeployOptions): Promise<void> {
	const { parallel, canary, first, maxErrorRate, ...which } = rest;
	const { client, label } = await target(which, 'deploy');
	if (cancel) {
		await callOff(client, { label, detach, json });
		return;
	}
	const { id, workers } = await client.deploy({
		parallel,
		canary,
		first,
		maxErrorRate,
		observeMs: observe,
		bakeMs: bake,
		wait: false,
	});
	if (detach) {
		if (json) printOut(`${JSON.stringify({ id, state: 'queued' })}\n`);
		printErr(
			`deploy ${id} of ${label} has begun; follow it with "shardctl events -f", call it off with "shardctl deploy --cancel"\n`,
		);
		return;
	}
	printErr(`deploying ${plural(workers.length, 'worker')} of ${label}\n`);
	const over = new AbortController();
	const endCalling = callOffOnInterrupt(client, id);
	const printed = printProgress(client, id, { json, signal: over.signal });
	try {
		const { tookMs } = await client.deployOutcome(id);
		if (json) printOut(`${JSON.stringify({ id, state: 'deployed', workers, tookMs })}\n`);
		printErr(`deployed ${plural(workers.length, 'worker')} of ${label} in ${(tookMs / 1000).toFixed(1)} s\n`);
	} catch (error) {
		if (json) printOut(`${JSON.stringify({ id, state: endOf(error), workers, error: messageOf(error) })}\n`);
		throw error;
	} finally {
		endCalling();
		over.abort();
		await printed;
	}
}

/** Calls off the deploy that runs, and waits until the old version runs again; fails where that could not be brought back. */
async function callOff(
	client: ControlClient,
	{ label, detach, json }: { label: string; detach: boolean; json: boolean },
): Promise<void> {
	const { id, state } = await client.cancelDeploy();
	if (state === 'finishing') throw tooLate(id, label);
	if (detach) {
		if (json) printOut(`${JSON.stringify({ id, state })}\n`);
		printErr(`calling off deploy ${id} of ${label}; "shardctl stats" shows when the old version runs again\n`);
		return;
	}
	printErr(`calling off deploy ${id} of ${label}\n`);
	try {
		await client.deployOutcome(id);
	} catch (error) {
		if (json) printOut(`${JSON.stringify({ id, state: endOf(error), error: messageOf(error) })}\n`);
		if (endOf(error) === 'failed' || (error as ShardctlError).details.notBroughtBack) throw error;
		printErr(`${messageOf(error)}\n`);
		return;
	}
	throw tooLate(id, label);
}

function tooLate(id: number, label: string): ShardctlError {
	return new ShardctlError(
		'OPTIONS_INVALID',
		`deploy ${id} of ${label} has replaced every worker; it cannot be called off any more`,
	);
}

function endOf(error: unknown): 'called-off' | 'failed' {
	return ShardctlError.is(error) && error.code === 'CALL_CANCELLED' ? 'called-off' : 'failed';
}

/** The first Ctrl-C calls the deploy off and waits for its end; the second ends the command, and the deploy is called off all the same. */
function callOffOnInterrupt(client: ControlClient, id: number): () => void {
	const onInterrupt = () => {
		printErr('calling the deploy off at the next safe point; the old version is brought back (Ctrl-C again: do not wait)\n');
		client.cancelDeploy(id).catch(() => {});
		process.once('SIGINT', () => process.exit(130));
	};
	process.once('SIGINT', onInterrupt);
	process.once('SIGTERM', onInterrupt);
	return () => {
		process.off('SIGINT', onInterrupt);
		process.off('SIGTERM', onInterrupt);
	};
}

const pollMs = 500;
/** A stage that lasts is printed again with its time. */
const repeatMs = 5000;

/** Prints each stage when it begins, and again while it lasts. What it cannot read is not printed: progress is only informative. */
async function printProgress(
	client: ControlClient,
	id: number,
	{ json, signal }: { json: boolean; signal: AbortSignal },
): Promise<void> {
	let last = '';
	try {
		for await (const followed of client.followStats({ intervalMs: pollMs, signal })) {
			const deploy = 'item' in followed ? followed.item.deploy : undefined;
			if (!deploy) continue;
			const line = deploy.id === id ? stageText(deploy) : `waiting for deploy ${deploy.id} to end: ${stageText(deploy)}`;
			const mark = `${deploy.id} ${deploy.workerId} ${deploy.stage} ${Math.floor(deploy.stageMs / repeatMs)}`;
			if (mark === last || deploy.error !== null || deploy.state === 'deployed') continue;
			last = mark;
			if (json) printOut(`${JSON.stringify(deploy)}\n`);
			else printErr(`${line}\n`);
		}
	} catch {
		// The manager has exited, or the deploy has ended.
	}
}
