// `shardctl doctor`: looks at everything that can keep a fleet from starting, without starting it.
import { Command } from 'commander';
import type { DoctorOptions } from '../doctor/doctor-options.js';
import { jsonOption, option } from '../option.js';
import { duration, wholeOrAuto } from '../option-parsers.js';

export function doctorCommand(): Command {
	return new Command('doctor')
		.summary('Checks what a start needs, and starts no shard.')
		.description('Checks what a start needs: Node, bot file, token, Discord, limits. Starts no shard.')
		.argument('[file]', 'the file that starts the bot (default: "file" in the config file)')
		.addOption(option('--api <url>', "base URL of Discord's REST API"))
		.addOption(option('--token-file <file>', 'read the token from a file (default: DISCORD_TOKEN)'))
		.addOption(option('--interpreter <command>', 'what runs the bot file (default: python3 for .py, else node)'))
		.addOption(option('--worker-mode <mode>', 'what a worker is (default: process)').choices(['process', 'thread']))
		.addOption(option('--shards <auto|count>', 'planned number of shards (default: auto)').argParser(wholeOrAuto))
		.addOption(option('--shards-per-worker <auto|count>', 'shards per worker process (default: 1)').argParser(wholeOrAuto))
		.addOption(option('--simulate', 'check for "start --simulate", which needs no token and no connection to Discord'))
		.addOption(option('--cluster <url>', 'also check the Redis of a cluster, redis:// or rediss://'))
		.addOption(option('--cluster-ca <file>', 'authority that has signed the certificate of Redis'))
		.addOption(option('--cluster-cert <file>', 'certificate of this client, for a Redis that asks for one'))
		.addOption(option('--cluster-key <file>', 'key of that certificate'))
		.addOption(option('--lease <time>', 'lease of the nodes (default: 6s)').argParser(duration))
		.addOption(option('--no-import', 'do not load the bot file (loading it does not log in)'))
		.addOption(option('-c, --config <file>', 'config file (default: shardctl.config.{ts,js,json} in this folder)'))
		.addOption(jsonOption())
		.action(async (file: string | undefined, { json, ...options }: DoctorOptions & { json?: boolean }) => {
			const { examine } = await import('../doctor/examine.js');
			const { printFindings } = await import('../doctor/print-findings.js');
			process.exitCode = printFindings(await examine(file, options), { json: json ?? false });
		});
}
