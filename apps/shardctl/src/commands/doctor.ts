// `shardctl doctor`: looks at everything that can keep a fleet from starting, without starting it.
import { Command } from 'commander';
import type { DoctorOptions } from '../doctor/doctor-options.js';
import { jsonOption, option } from '../option.js';
import { wholeOrAuto } from '../option-parsers.js';

export function doctorCommand(): Command {
	return new Command('doctor')
		.description('Checks what a start needs: Node, the bot file, the token, Discord, limits. Starts nothing.')
		.argument('[file]', 'the file that starts the bot (default: what the config file says)')
		.addOption(option('--api <url>', "base URL of Discord's REST API"))
		.addOption(option('--token-file <file>', 'read the token from a file (default: DISCORD_TOKEN)'))
		.addOption(option('--shards <auto|count>', 'the planned number of shards (default: auto)').argParser(wholeOrAuto))
		.addOption(option('--shards-per-worker <auto|count>', 'how many share a process (default: 1)').argParser(wholeOrAuto))
		.addOption(option('--no-import', 'do not run the bot file, which happens without logging in'))
		.addOption(option('-c, --config <file>', 'the config file'))
		.addOption(jsonOption())
		.action(async (file: string | undefined, { json, ...options }: DoctorOptions & { json?: boolean }) => {
			const { examine } = await import('../doctor/examine.js');
			const { printFindings } = await import('../doctor/print-findings.js');
			process.exitCode = printFindings(await examine(file, options), { json: json ?? false });
		});
}
