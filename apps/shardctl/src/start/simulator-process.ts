// Runs `shardctl simulate` beside the manager, in a process of its own, so that neither slows the other.
import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ShardctlError } from '@shardctl/core';

const cli = fileURLToPath(new URL('../../bin/shardctl.js', import.meta.url));
/** As a large bot has it, so that a try-out is up at once. */
const maxConcurrency = 16;

export interface SimulatorProcess {
	url: string;
	token: string;
	stop(): Promise<void>;
}

/** Starts a simulator; it ends with {@link SimulatorProcess.stop}, or with this process however that ends. */
export async function startSimulatorProcess({
	guilds,
	shards,
}: {
	guilds: number;
	shards: number | undefined;
}): Promise<SimulatorProcess> {
	const args = ['simulate', '--guilds', String(guilds), '--max-concurrency', String(maxConcurrency)];
	if (shards !== undefined) args.push('--shards', String(shards));
	// In a group of its own, so that Ctrl-C does not take Discord away from workers that are logging out.
	const child = fork(cli, args, { stdio: ['ignore', 'pipe', 'inherit', 'ipc'], detached: true, execArgv: [] });
	const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
	const line = await Promise.race([
		new Promise<string>((resolve) => createInterface({ input: child.stdout as NodeJS.ReadableStream }).once('line', resolve)),
		exited.then(() => {
			throw new ShardctlError('INTERNAL', 'the simulator ended before it was ready; what it said stands above');
		}),
	]);
	const { url, token } = JSON.parse(line) as { url: string; token: string };
	return {
		url,
		token,
		async stop() {
			if (child.connected) child.disconnect();
			await exited;
		},
	};
}
