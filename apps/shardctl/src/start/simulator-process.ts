// Runs `shardctl simulate` in a separate process, so that the manager and the simulator do not slow each other down.
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { limitRemedy, ShardctlError } from '@shardctl/core';
import { programFile } from '../program-file.js';

/** That of a large bot, so that a trial fleet is ready at once. */
const maxConcurrency = 16;

export interface SimulatorProcess {
	url: string;
	token: string;
	/** What its control API asks for, so that no other user and no web page can act in it. */
	controlToken: string;
	stop(): Promise<void>;
}

/** Starts a simulator; it exits on {@link SimulatorProcess.stop}, and whenever this process exits. */
export async function startSimulatorProcess({
	guilds,
	shards,
}: {
	guilds: number;
	shards: number | undefined;
}): Promise<SimulatorProcess> {
	// Whatever token the bot has of its own, from its configuration or its code, is good enough here.
	const args = ['simulate', '--any-token', '--guilds', String(guilds), '--max-concurrency', String(maxConcurrency)];
	if (shards !== undefined) args.push('--shards', String(shards));
	// In a process group of its own, so that Ctrl-C does not end the simulator while workers are logging out.
	const controlToken = randomBytes(24).toString('base64url');
	const child = fork(programFile, args, {
		stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
		detached: true,
		execArgv: [],
		// Not among the arguments, which every user of the machine can read.
		env: { ...process.env, SHARDCTL_SIMULATE_CONTROL_TOKEN: controlToken },
	});
	let startError: Error | undefined;
	const exited = new Promise<void>((resolve) => {
		child.once('exit', () => resolve());
		// It could not be started; or, later, its channel broke, which its exit follows.
		child.on('error', (error) => {
			startError ??= error;
			if (child.pid === undefined) resolve();
		});
	});
	// Without a process there is no output, as where too many files are open.
	const output = child.stdout ? createInterface({ input: child.stdout }) : undefined;
	output?.on('error', () => {});
	const line = await Promise.race([
		new Promise<string>((resolve) => output?.once('line', resolve)),
		exited.then(() => {
			const why = startError ? whyNotStarted(startError) : 'exited before it was ready; see its output above';
			throw new ShardctlError('INTERNAL', `the simulator ${why}`, { cause: startError });
		}),
	]);
	const { url, token } = JSON.parse(line) as { url: string; token: string };
	return {
		url,
		token,
		controlToken,
		async stop() {
			if (child.connected) child.disconnect();
			await exited;
		},
	};
}

function whyNotStarted({ message }: Error): string {
	const remedy = limitRemedy(message);
	return `could not be started: ${message}${remedy ? `; ${remedy}` : ''}`;
}
