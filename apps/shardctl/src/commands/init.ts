// `shardctl init`: writes a config file by asking a few questions, or without any.
import { Command } from 'commander';
import type { InitOptions } from '../init/init-options.js';
import { option } from '../option.js';

export function initCommand(): Command {
	return new Command('init')
		.description('Writes shardctl.config.{ts,js,json} for the bot in this folder.')
		.argument('[file]', 'the file that starts the bot')
		.addOption(option('-y, --yes', 'ask nothing, take what fits'))
		.addOption(option('--format <format>', 'the form of the file').choices(['ts', 'js', 'json']))
		.addOption(option('--force', 'replace a config file that is there'))
		.action(async (file: string | undefined, options: InitOptions) => {
			const { initConfig } = await import('../init/init-config.js');
			process.exitCode = await initConfig(file, options);
		});
}
