// Which manager a command talks to: `--name`, or the one whose bot stands in this folder.
import { join } from 'node:path';
import { Option } from 'commander';

export function nameOption(): Option {
	return new Option('--name <name>', 'which manager, where several run (default: from package.json, else the folder)').env(
		'SHARDCTL_NAME',
	);
}

/** The name given, or the one that `start` gives to a bot in this folder. */
export async function managerName(given: string | undefined): Promise<string> {
	if (given !== undefined) return given;
	const { defaultManagerName } = await import('@shardctl/manager');
	return defaultManagerName(join(process.cwd(), 'bot.js'));
}
