// `shardctl dashboard`: prints an address of the dashboard that logs a browser in once, and on a desktop opens it.
import { Command } from 'commander';
import { jsonOption, option } from '../option.js';
import { type TargetOptions, target, targetOptions } from '../target.js';
import { printErr, printOut } from '../terminal/print.js';

interface DashboardOptions extends TargetOptions {
	readOnly?: boolean;
	open?: boolean;
	json?: boolean;
}

export function dashboardCommand(): Command {
	const command = new Command('dashboard')
		.summary('Prints the address of the dashboard, and opens it on a desktop.')
		.description(
			'Prints an address of the dashboard that logs one browser in, once, within 10 minutes; on a desktop it is opened. ' +
				'The dashboard is served from then on, if the fleet was not started with --dashboard.',
		)
		.addOption(option('--read-only', 'the browser may not act on the fleet'))
		.addOption(option('--no-open', 'only print the address'))
		.addOption(jsonOption())
		.addHelpText(
			'after',
			`
It is served on this machine alone. From another one, forward its port:
  $ ssh -L 7462:127.0.0.1:7462 user@machine`,
		);
	for (const each of targetOptions()) command.addOption(each);
	return command.action(async ({ readOnly = false, open = true, json, ...which }: DashboardOptions) => {
		const { client } = await target(which);
		const found = await client.dashboard({ readOnly });
		// Over TCP the manager is where this command reached it.
		const { hash } = new URL(found.url);
		const url = which.url === undefined ? found.url : `${new URL('/dashboard/', which.url).href}${hash}`;
		if (json) {
			printOut(`${JSON.stringify({ ...found, url }, null, 2)}\n`);
			return;
		}
		printOut(`${url}\n`);
		printErr(
			`It logs one browser in, until ${new Date(found.expiresAt).toTimeString().slice(0, 5)}${found.readOnly ? '; read-only' : ''}.\n`,
		);
		if (open && process.stdout.isTTY) {
			const { openInBrowser } = await import('../dashboard/open-in-browser.js');
			openInBrowser(url);
		}
	});
}
