// `shardctl list`: the fleets of this user on this machine, with their status.
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';

export function listCommand(): Command {
	return new Command('list')
		.alias('ls')
		.summary("Lists this user's fleets, with their status.")
		.description("Lists this user's fleets on this machine, with their status.")
		.addOption(jsonOption())
		.addOption(option('-q, --quiet', 'print names only'))
		.action(async ({ json, quiet }: { json?: boolean; quiet?: boolean }) => {
			const { listManagers, managerTable } = await import('../list/list-managers.js');
			if (quiet) {
				const { runningManagers } = await import('@shardctl/control');
				for (const { name } of runningManagers()) process.stdout.write(`${name}\n`);
				return;
			}
			const managers = await listManagers();
			if (json) process.stdout.write(`${JSON.stringify(managers, null, 2)}\n`);
			else if (managers.length === 0) process.stderr.write('no fleet is running; start one with "shardctl start <file>"\n');
			else process.stdout.write(managerTable(managers));
		});
}
