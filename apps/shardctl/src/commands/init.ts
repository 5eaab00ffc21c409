// `shardctl init`: writes a config file, from a few prompts or from what it detects.
import { Command } from 'commander';
import type { InitOptions } from '../init/init-options.js';
import { option } from '../option.js';

export function initCommand(): Command {
	return new Command('init')
		.summary('Writes a config file for the bot in this folder.')
		.description('Writes shardctl.config.{ts,js,json} for the bot in this folder.')
		.argument('[file]', 'the file that starts the bot')
		.addOption(option('-y, --yes', 'no prompts, use detected values'))
		.addOption(option('--format <format>', 'config file format').choices(['ts', 'js', 'json']))
		.addOption(option('--force', 'overwrite an existing config file'))
		.action(async (file: string | undefined, options: InitOptions) => {
			const { initConfig } = await import('../init/init-config.js');
			process.exitCode = await initConfig(file, options);
		});
}
