// `shardctl simulate`: a Discord on this machine, for bots without a token.
import { Command, Option } from 'commander';
import { whole } from '../option-parsers.js';

interface SimulateOptions {
	port: number;
	shards?: number;
	guilds: number;
	maxConcurrency: number;
	seed: number;
	eventsPerSecond: number;
	token?: string;
}

export function simulateCommand(): Command {
	return new Command('simulate')
		.description('Runs a simulated Discord; prints its address and a token as one line of JSON.')
		.addOption(
			new Option('--port <port>', 'port on 127.0.0.1')
				.env('SHARDCTL_SIMULATE_PORT')
				.default(0, 'any free one')
				.argParser(whole(0)),
		)
		.addOption(new Option('--shards <count>', 'recommended shards (default: from the number of guilds)').argParser(whole(1)))
		.addOption(new Option('--guilds <count>', 'guilds that the bot is in').default(20).argParser(whole(0)))
		.addOption(new Option('--max-concurrency <count>', 'identifies per window').default(1).argParser(whole(1)))
		.addOption(new Option('--seed <number>', 'the same seed makes the same world').default(1).argParser(whole(0)))
		.addOption(new Option('--events-per-second <count>', 'made-up activity').default(0).argParser(whole(0)))
		.addOption(new Option('--token <token>', 'the token to accept (default: a new one)'))
		.action(async (options: SimulateOptions) => {
			const { createSimulator } = await import('@shardctl/simulator');
			const simulator = await createSimulator(options);
			process.stdout.write(`${JSON.stringify({ url: simulator.url, token: simulator.token })}\n`);
			await new Promise<void>((resolve) => {
				for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => resolve());
				// Started by `start --simulate`: its end is ours.
				process.once('disconnect', () => resolve());
			});
			await simulator.stop();
			if (process.connected) process.disconnect();
		});
}
