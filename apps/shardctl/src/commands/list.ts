// `shardctl list`: the fleets of this user on this machine, with their status.
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { printErr, printOut } from '../terminal/print.js';
import { outputWidth } from '../terminal/width.js';

export function listCommand(): Command {
	return new Command('list')
		.alias('ls')
		.summary("Lists this user's fleets, with their status.")
		.description("Lists this user's fleets on this machine, with their status.")
		.addOption(jsonOption())
		.addOption(option('-a, --all', 'also list fleets that have ended, with how and when'))
		.addOption(option('-q, --quiet', 'print names only'))
		.action(async ({ json, all, quiet }: { json?: boolean; all?: boolean; quiet?: boolean }) => {
			if (quiet) {
				const { runningManagers } = await import('@shardctl/control');
				for (const { name } of runningManagers()) printOut(`${name}\n`);
				return;
			}
			const { listManagers, managerTable } = await import('../list/list-managers.js');
			const { endedManagers, endedTable } = await import('../list/ended-managers.js');
			const managers = await listManagers();
			// One that was not stopped on purpose is missed until it runs again.
			const running = new Set(managers.map(({ name }) => name));
			const ended = endedManagers().filter(({ name, end }) => all || (end.how !== 'stopped' && !running.has(name)));
			if (json) printOut(`${JSON.stringify(all ? [...managers, ...ended] : managers, null, 2)}\n`);
			else {
				if (managers.length > 0) printOut(managerTable(managers));
				else printErr('no fleet is running; start one with "shardctl start <file>"\n');
				if (ended.length > 0) printOut(endedTable(ended, { width: outputWidth(process.stdout), nowMs: Date.now() }));
			}
		});
}
